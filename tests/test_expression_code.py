"""Sliders of the expression code: what they move, what they leave, and how they go there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facepuppet.character import CODED, DIRECTIONS, SCRIPTS, SLIDERS, CodeStage, ExpressionCode
from facepuppet.core import F32, ControlError, ManifestError
from facepuppet.core.types import Blendshapes, Expression, FacePose, HeadPose, LandmarkOffsets
from facepuppet.drivers.scripted import Performance
from facepuppet.face import ARKIT_INDEX, ARKIT_NAMES, landmark_offsets

FPS = 30
REST = np.zeros(len(ARKIT_NAMES), np.float32)


@pytest.fixture(scope="module")
def code() -> ExpressionCode:
    return ExpressionCode()


def at(i: int, weights: F32 = REST, opening: float = 1.0) -> Expression:
    eyes = np.full(2, opening, np.float32)
    face = FacePose(
        HeadPose(np.zeros(3, np.float32)), np.zeros((2, 2), np.float32), eyes, Blendshapes(weights)
    )
    return Expression(face, None, i, i * 1_000_000_000 // FPS)


def weights_of(expression: Expression) -> F32:
    assert expression.face is not None and isinstance(expression.face.deformation, Blendshapes)
    return expression.face.deformation.weights


def held(stage: CodeStage, weights: F32 = REST, frames: int = 40) -> Expression:
    """What becomes of a face that is held until sliders have come to rest."""
    for i in range(frames):
        shaped = stage.update(at(i, weights))
    return shaped


def spoken() -> F32:
    weights = REST.copy()
    weights[[ARKIT_INDEX["jawOpen"], ARKIT_INDEX["mouthFunnel"]]] = 0.3, 0.2
    return weights


def test_nothing_set_gives_the_same_object_and_so_does_what_was_set_back(code: ExpressionCode) -> None:
    stage = CodeStage(code)
    expression = at(0)
    assert stage.update(expression) is expression
    stage.set("smile", 1.0)
    assert weights_of(held(stage))[ARKIT_INDEX["mouthSmileLeft"]] > 0.5
    stage.set("smile", 0.0)
    for i in range(40, 80):
        stage.update(at(i))
    later = at(80)
    assert stage.update(later) is later


@pytest.mark.parametrize("name", DIRECTIONS)
@pytest.mark.parametrize("live", [REST, spoken()], ids=["rest", "speech"])
def test_a_direction_does_its_script_and_moves_nothing_else(
    code: ExpressionCode, name: str, live: F32
) -> None:
    stage = CodeStage(code)
    stage.set(name, 1.0)
    change = weights_of(held(stage, live)) - live
    script = SCRIPTS[name]
    np.testing.assert_array_equal(change[script == 0.0], 0.0)
    wanted = np.minimum(live + script, 1.0) - live
    assert np.abs(change - wanted)[script > 0.0].mean() < 0.12
    assert change @ script > 0.75 * (script @ script)


def test_below_zero_it_takes_away(code: ExpressionCode) -> None:
    stage = CodeStage(code)
    stage.set("smile", -1.0)
    smiling = np.clip(0.7 * SCRIPTS["smile"] + spoken(), 0.0, 1.0)
    left = weights_of(held(stage, smiling))
    assert left[ARKIT_INDEX["mouthSmileLeft"]] < 0.25 * smiling[ARKIT_INDEX["mouthSmileLeft"]]
    assert left[ARKIT_INDEX["jawOpen"]] == smiling[ARKIT_INDEX["jawOpen"]]


@pytest.mark.parametrize(("amount", "low", "high"), [(-1.0, 0.0, 0.05), (-0.5, 0.3, 0.7), (0.5, 1.3, 1.7)])
def test_intensity_makes_all_of_it_more_or_less(
    code: ExpressionCode, amount: float, low: float, high: float
) -> None:
    stage = CodeStage(code)
    stage.set("intensity", amount)
    live = 0.5 * SCRIPTS["smile"] + spoken()
    shown = weights_of(held(stage, live))
    assert low <= (shown @ live) / (live @ live) <= high


def test_gaze_and_blinks_stay_the_drivers(code: ExpressionCode) -> None:
    stage = CodeStage(code)
    for name in SLIDERS:
        stage.set(name, 1.0)
    live = REST.copy()
    own = [i for i in range(len(ARKIT_NAMES)) if i not in CODED]
    live[own] = 0.4
    np.testing.assert_array_equal(weights_of(held(stage, live))[own], live[own])
    shut = stage.update(at(41, live, opening=0.0))
    assert shut.face is not None and not shut.face.eye_opening.any()


def test_surprise_opens_the_eyes_and_anger_narrows_them(code: ExpressionCode) -> None:
    openings = {}
    for name in ("surprise", "anger"):
        stage = CodeStage(code)
        stage.set(name, 1.0)
        face = held(stage).face
        assert face is not None
        openings[name] = float(face.eye_opening.min())
    assert openings["surprise"] > 1.05 and openings["anger"] < 0.99


def test_of_a_camera_the_change_is_added_to_what_it_saw(code: ExpressionCode) -> None:
    stage = CodeStage(code)
    stage.set("surprise", 1.0)
    odd = np.random.default_rng(0).normal(0.0, 0.01, (478, 3)).astype(np.float32)
    for i in range(40):
        seen = at(i)
        assert seen.face is not None
        shaped = stage.update(
            replace(seen, face=replace(seen.face, deformation=LandmarkOffsets(odd, 0.8)))
        ).face
    assert shaped is not None and isinstance(shaped.deformation, LandmarkOffsets)
    assert shaped.deformation.mouth_width == 0.8
    change = shaped.deformation.offsets - odd
    script = landmark_offsets(Blendshapes(SCRIPTS["surprise"])).offsets
    share = float((change * script).sum() / (script * script).sum())
    assert 0.6 < share < 1.2


def test_sliders_ease_and_never_leap(code: ExpressionCode) -> None:
    """No point goes farther than 2 % of a face's height (2.1 inter-ocular distances) in a frame."""
    stage, piece = CodeStage(code), Performance()
    last, most = None, 0.0
    for i in range(150):
        if i in (30, 60, 90):
            stage.set("surprise", {30: 1.0, 60: -1.0, 90: 1.0}[i])
        live = replace(at(i), face=piece.expression(i / FPS, i).face)
        given = stage.update(live)
        assert given.face is not None and live.face is not None
        added = (
            landmark_offsets(given.face.deformation).offsets - landmark_offsets(live.face.deformation).offsets
        )
        if last is not None:
            most = max(most, float(np.linalg.norm(added - last, axis=1).max()))
        last = added
    assert 0.005 < most < 0.02 * 2.1


def test_nobody_stays_nobody(code: ExpressionCode) -> None:
    stage = CodeStage(code)
    stage.set("smile", 1.0)
    nobody = Expression.absent(3, 100_000_000)
    assert stage.update(nobody) is nobody


@pytest.mark.parametrize(("name", "amount"), [("joy", 0.5), ("smile", 1.5), ("smile", float("nan"))])
def test_what_no_slider_can_do_is_refused(code: ExpressionCode, name: str, amount: float) -> None:
    stage = CodeStage(code)
    with pytest.raises(ControlError, match=r"expected .*"):
        stage.set(name, amount)
    assert not any(stage.sliders.values())


def test_a_face_comes_back_from_sixteen_numbers_and_calm(code: ExpressionCode) -> None:
    """The built-in piece, which nobody trained on."""
    code.restart()
    live = np.stack([weights_of(Performance().expression(i / FPS, i)) for i in range(12 * FPS)])
    coded = [code.feed(row) for row in live]
    assert coded[0].code.shape == (16,)
    given = np.stack([one.plain for one in coded])[:, CODED]
    assert np.abs(given - live[:, CODED]).mean() < 0.03
    rest = [np.abs(np.diff(rows, 2, axis=0)).mean() for rows in (given, live[:, CODED])]
    assert rest[0] < 1.5 * rest[1]


def test_a_missing_network_is_told(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "manifest.toml").write_text("format = 1\n", encoding="utf-8")
    with pytest.raises(ManifestError, match="expression-code"):
        ExpressionCode(folder)
