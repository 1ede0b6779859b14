"""Performances over a live driver: they play, stop and queue without a jump, and leave eyes alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from avatars import hopper
from test_control import control as control_of

from facepuppet.character import Bit, BitStage, built_in_bits
from facepuppet.character.bit_stage import EASE_OUT_S, MOST_WAITING
from facepuppet.core.errors import ControlError, RecordingError
from facepuppet.core.types import (
    F32,
    N_BLENDSHAPES,
    N_LANDMARKS,
    Blendshapes,
    Expression,
    FacePose,
    HeadPose,
    LandmarkOffsets,
)
from facepuppet.drivers import Performance, RecordingWriter
from facepuppet.face import ARKIT_INDEX, FACE_OVAL, FOREHEAD, face_of_blendshapes, landmark_offsets
from facepuppet.retarget import Retargeter
from facepuppet.session.commands import Play, StopPlaying
from facepuppet.session.own_bits import load_bits

S, FPS = 1_000_000_000, 30
MOST = 0.02  # of the face's height, a frame
SMILE, JAW = ARKIT_INDEX["mouthSmileLeft"], ARKIT_INDEX["jawOpen"]


def shown(*, smile: float = 0.0, turn: float = 0.0) -> FacePose:
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    weights[SMILE] = smile
    return face_of_blendshapes(weights, HeadPose(np.array([0.0, turn, 0.0], np.float32)))


def seen(face: FacePose) -> FacePose:
    """The same as a camera's tracker tells it."""
    return replace(face, deformation=landmark_offsets(face.deformation))


def played(stage: BitStage, face: FacePose | None, seconds: float, begin_s: float = 0.0) -> list[Expression]:
    """What comes of a driver who keeps still."""
    first = round(begin_s * FPS)
    return [
        stage.update(Expression(face, None, i, i * S // FPS))
        for i in range(first, first + round(seconds * FPS))
    ]


def turns(expressions: list[Expression]) -> F32:
    return np.array([one.face.head.turn for one in expressions if one.face is not None])


def largest_step(expressions: list[Expression]) -> float:
    """The farthest that any point of the portrait goes from one frame to the next, over its face's height."""
    avatar = hopper()
    retargeter = Retargeter(avatar)
    points = np.array([retargeter.update(one).landmarks_px[:, :2] for one in expressions])
    height_px = np.ptp(avatar.landmarks_px[FACE_OVAL, 1])
    return float(np.linalg.norm(np.diff(points, axis=0), axis=2).max() / height_px)


def test_what_plays_nothing_passes_the_same_object() -> None:
    stage, expression = BitStage(), Expression(shown(), None, 0, 0)
    assert stage.update(expression) is expression
    stage.play("nod")
    played(stage, shown(), 4.0)
    after = Expression(shown(), None, 0, 5 * S)
    assert stage.update(after) is after and stage.playing == ()


@pytest.mark.parametrize(("name", "axis"), [("nod", 0), ("shake", 1), ("wave", 2)])
def test_a_head_does_what_the_bit_is_called(name: str, axis: int) -> None:
    stage = BitStage()
    stage.play(name)
    turned = turns(played(stage, shown(turn=0.2), 3.0)) - [0.0, 0.2, 0.0]
    others = np.delete(turned, axis, axis=1)
    assert np.ptp(turned[:, axis]) > 0.1 and np.abs(others).max() < 0.02
    changes = np.diff(np.sign(np.diff(turned[:, axis])))
    assert (changes != 0).sum() >= 3, "more than once"


def test_a_laugh_opens_the_mouth_over_a_smile_that_is_wider_already() -> None:
    stage = BitStage()
    stage.play("laugh")
    weights = np.array(
        [one.face.deformation.weights for one in played(stage, shown(smile=0.95), 3.0)]  # type: ignore[union-attr]
    )
    assert weights[:, JAW].max() > 0.25
    assert np.allclose(weights[:, SMILE], 0.95), "of each shape the stronger counts"


@pytest.mark.parametrize("name", built_in_bits())
@pytest.mark.parametrize("tell", [shown, lambda: seen(shown())], ids=["weights", "landmarks"])
def test_no_bit_jumps_nor_does_one_that_is_stopped_or_followed(
    name: str, tell: Callable[[], FacePose]
) -> None:
    stage = BitStage()
    stage.play(name)
    stage.play("wave")
    expressions = played(stage, tell(), 0.6)
    stage.stop()
    expressions += played(stage, tell(), 0.2, 0.6)
    stage.play(name)
    stage.play("nod")
    expressions += played(stage, tell(), 5.0, 0.8)
    assert 0.005 < largest_step(expressions) < MOST


def test_lids_and_gaze_of_the_live_face_go_on() -> None:
    stage, blinking = BitStage(), Performance()
    stage.play("laugh")
    for i in range(90):
        live = blinking.expression(i / FPS, i)
        out = stage.update(live).face
        assert live.face is not None and out is not None
        assert np.array_equal(out.eye_opening, live.face.eye_opening)
        assert np.array_equal(out.gaze, live.face.gaze)


def test_what_a_camera_saw_stays_and_the_change_is_added() -> None:
    noise = np.random.default_rng(0).normal(0.0, 0.002, (N_LANDMARKS, 3)).astype(np.float32)
    live = replace(shown(), deformation=LandmarkOffsets(noise, 0.6))
    stage = BitStage()
    stage.play("laugh")
    expressions = played(stage, live, 0.7)
    shape = expressions[-1].face.deformation  # type: ignore[union-attr]
    assert isinstance(shape, LandmarkOffsets)
    change = shape.offsets - noise
    assert np.abs(change).max() > 0.06, "the mouth opens"
    assert np.abs(change[FOREHEAD]).max() < 0.02, "and what is far from it hardly moves"


def test_a_bit_eases_out_when_it_is_stopped_and_what_waits_is_forgotten() -> None:
    stage = BitStage()
    for name in ("shake", "nod", "wave"):
        stage.play(name)
    played(stage, shown(), 0.5)
    assert stage.playing == ("shake", "nod", "wave")
    stage.stop()
    out = played(stage, shown(), EASE_OUT_S + 0.2, 0.5)
    assert stage.playing == () and not turns(out)[-1].any()


def test_bits_wait_for_one_another_and_for_a_face() -> None:
    stage = BitStage()
    stage.play("nod")
    stage.play("shake")
    assert played(stage, None, 3.0)[-1].face is None
    assert stage.playing == ("nod", "shake")
    turned = turns(played(stage, shown(), 4.5, 3.0))
    assert np.abs(turned[: 2 * FPS - 4, 0]).max() > 0.05 > np.abs(turned[: 2 * FPS - 4, 1]).max()
    assert np.abs(turned[2 * FPS :, 1]).max() > 0.05


def test_a_face_that_is_lost_ends_what_is_played() -> None:
    stage = BitStage()
    stage.play("nod")
    played(stage, shown(), 0.5)
    played(stage, None, 0.1, 0.5)
    expression = Expression(shown(), None, 0, S)
    assert stage.update(expression) is expression


def test_what_cannot_be_played_is_told() -> None:
    stage = BitStage()
    with pytest.raises(ControlError, match="bit 'bow'; expected one of nod, shake, wave, laugh"):
        stage.play("bow")
    for _ in range(MOST_WAITING):
        stage.play("nod")
    with pytest.raises(ControlError, match="8 bits that wait"):
        stage.play("nod")


def test_a_recording_with_a_cut_is_played_without_a_jump() -> None:
    wild = np.zeros((60, 3), np.float32)
    wild[20:40, 1] = 0.6  # from one moment to the next
    weights = np.zeros((60, N_BLENDSHAPES), np.float32)
    weights[10:50, JAW] = 1.0
    stage = BitStage({"cut": Bit("cut", 30.0, weights, wild)})
    stage.play("cut")
    assert largest_step(played(stage, shown(), 5.0)) < MOST


def test_a_run_plays_what_is_asked_for_and_says_so() -> None:
    control, _ = control_of()
    control.send(Play("nod"))
    control.send(Play("fly"))
    control.obey()
    assert control.state.playing == ("nod",) and "nod" in control.state.bits
    assert "bit 'fly'" in control.state.refused
    nodding = played_by(control.puppet.character.update)
    assert np.abs(turns(nodding)[:, 0]).max() > 0.05
    control.send(StopPlaying())
    control.obey()
    played_by(control.puppet.character.update, begin_s=1.0)
    assert control.state.playing == ()


def played_by(update: Callable[[Expression], Expression], begin_s: float = 0.0) -> list[Expression]:
    first = round(begin_s * FPS)
    return [update(Expression(shown(), None, i, i * S // FPS)) for i in range(first, first + FPS)]


def recorded(path: Path, faces: Iterator[FacePose | None] | list[FacePose | None]) -> Path:
    with RecordingWriter(path, "somebody", 30.0) as writer:
        for i, face in enumerate(faces):
            writer.add(Expression(face, None, i, i * S // FPS))
    return path


def nodding(seconds: float, *, rest_s: float = 1.0) -> list[FacePose | None]:
    """Somebody who sits turned aside, keeps still, nods for so long, and keeps still."""
    still: list[FacePose | None] = [shown(turn=0.3)] * round(rest_s * FPS)
    moving: list[FacePose | None] = [
        face_of_blendshapes(
            np.zeros(N_BLENDSHAPES, np.float32),
            HeadPose(np.array([0.1 * math.sin(8 * i / FPS), 0.3, 0.0], np.float32)),
        )
        for i in range(1, round(seconds * FPS))
    ]
    return still + moving + still


def test_an_own_bit_is_trimmed_and_begins_where_the_live_head_is(tmp_path: Path) -> None:
    recorded(tmp_path / "yes.npz", nodding(1.5))
    recorded(tmp_path / "nod.npz", nodding(1.5))
    bits = load_bits(tmp_path)
    assert [*bits] == ["nod", "yes", "shake", "wave", "laugh"], (
        "own ones first, and in place of built-in ones"
    )
    assert 1.3 < bits["yes"].duration_s < 2.2, "of 3.5 s"
    assert np.abs(bits["yes"].turns[:, 1]).max() < 0.01 < np.abs(bits["yes"].turns[:, 0]).max()


NO_BITS: dict[str, tuple[list[FacePose | None], str]] = {
    "too long": (
        nodding(11.0, rest_s=0.2),
        "moves for 1[01] s; expected a recording of one face, at most 10 s",
    ),
    "far too long": ([shown()] * 2 + [None] * (61 * FPS) + [shown()], "lasts 61 s"),
    "nobody": ([None] * 60, "shows a face for less than"),
    "still": ([shown(turn=0.2)] * 60, "keeps still"),
}


@pytest.mark.parametrize("case", NO_BITS)
def test_a_recording_that_is_no_bit_is_refused(case: str, tmp_path: Path) -> None:
    faces, told = NO_BITS[case]
    recorded(tmp_path / "bit.npz", faces)
    with pytest.raises(RecordingError, match=told):
        load_bits(tmp_path)


def test_damage_nonsense_and_an_empty_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="with 0 recordings"):
        load_bits(tmp_path)
    path = recorded(tmp_path / "bit.npz", nodding(1.0))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RecordingError, match=r"bit\.npz', which is damaged"):
        load_bits(tmp_path)
    weights = np.full(N_BLENDSHAPES, np.nan, np.float32)
    recorded(path, [replace(shown(), deformation=Blendshapes(weights))] * 40)
    with pytest.raises(RecordingError, match="which has "):
        load_bits(tmp_path)
