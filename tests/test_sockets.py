"""A new driver and a new frame maker each fit into one small file, and touch nothing else."""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from pathlib import Path

import nodding_driver
import numpy as np
import pytest
import silhouette_maker
from avatars import hopper
from compare import EXACT, MARK, assert_pictures_equal
from fakes import PATIENCE_S, ListDriver, MemorySink, wait_until
from hypothesis import given, settings
from hypothesis import strategies as st

from facepuppet import (
    Composer,
    Corner,
    Expression,
    Gains,
    HeadPose,
    LivePipeline,
    Manner,
    Motion,
    Puppet,
    Runtime,
    Scene,
    play,
)
from facepuppet.core.errors import DriverError, EngineError, StageError
from facepuppet.core.types import Blendshapes, LandmarkOffsets
from facepuppet.drivers.plausible import implausible
from facepuppet.drivers.scripted import Performance
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.deformation import blendshape_weights, compose_landmarks, landmark_offsets
from facepuppet.frames.base import FrameMaker
from facepuppet.frames.cpu.compose.background import Backdrop
from facepuppet.frames.fallback import FallbackMaker
from facepuppet.retarget import Retargeter
from facepuppet.watermark import Marked, Marker, detect

CANVAS = (256, 144)


def composer() -> Composer:
    return Composer(hopper(), CANVAS, label=Corner.OFF)


@pytest.mark.parametrize("module", [nodding_driver, silhouette_maker])
def test_a_new_one_is_a_small_file(module) -> None:
    assert len(Path(module.__file__).read_text("utf-8").splitlines()) < 60


def test_a_new_driver_plays_offline_and_live() -> None:
    puppet, sink = Puppet(hopper(), composer()), MemorySink(CANVAS)
    stats = play(nodding_driver.NoddingDriver(20), puppet, sink)
    assert stats.frames_out == stats.frames_with_face == 20
    assert len({frame.rgb.tobytes() for frame in sink.frames}) > 10
    assert sink.times_s[1] == pytest.approx(1 / 30)
    live_sink = MemorySink(CANVAS)
    with LivePipeline(nodding_driver.NoddingDriver(30), Puppet(hopper(), composer()), [live_sink]) as live:
        live.run(seconds=PATIENCE_S)
    assert live.stats().frames_in == 30 and live.stats().frames_out > 5


def test_a_new_frame_maker_takes_the_place_of_the_old() -> None:
    marker = Marker(size_px=CANVAS)
    maker = silhouette_maker.SilhouetteMaker(hopper(), composer(), marker)
    puppet, sink = Puppet(hopper(), composer(), maker=maker), MemorySink(CANVAS)
    stats = play(nodding_driver.NoddingDriver(60), puppet, sink)
    assert stats.frame_path == "a silhouette" and {"silhouette", "compose", "mark"} <= set(stats.stages)
    assert detect([(frame.rgb, i / 30) for i, frame in enumerate(sink.frames)]).marked
    puppet.set_scene(Scene(Backdrop("colour", rgb=(0, 255, 0))))
    assert (puppet.show(Expression.absent(99, 10**10)).rgb[0, 0] > (-1, 200, -1)).all()


# Expressions told by shapes and by landmarks


def test_shapes_and_landmarks_turn_into_each_other() -> None:
    weights = np.zeros(52, np.float32)
    weights[[17, 23, 24]] = 0.5, 0.6, 0.6  # jawOpen, both mouthSmile
    offsets = landmark_offsets(Blendshapes(weights))
    assert offsets.offsets == pytest.approx(
        compose_landmarks(canonical_landmarks(), weights) - canonical_landmarks()
    )
    back = blendshape_weights(offsets)
    assert back[[17, 23, 24]] == pytest.approx(weights[[17, 23, 24]], abs=0.2)
    assert blendshape_weights(Blendshapes(weights)) is weights
    assert landmark_offsets(offsets) is offsets


# What drivers may get wrong


def moved(**changes) -> Expression:
    expression = Performance().expression(0.0, 3)
    assert expression.face is not None
    return replace(expression, face=replace(expression.face, **changes))


OFFSETS = np.zeros((478, 3), np.float32)
NONSENSE = {
    "NaN in the turn": moved(head=HeadPose(np.float32([0, np.nan, 0]))),
    "infinite gaze": moved(gaze=np.full((2, 2), np.inf)),
    "lids far off": moved(eye_opening=np.float32([1e9, 1])),
    "NaN among the landmarks": moved(deformation=LandmarkOffsets(OFFSETS + np.float32(np.nan), 0.5)),
    "a weight of two": moved(deformation=Blendshapes(np.full(52, 2, np.float32))),
    "too few weights": moved(deformation=Blendshapes(np.zeros(51, np.float32))),
    "a huge shift": moved(head=HeadPose(np.zeros(3, np.float32), (1e30, 0.0))),
    "a gaze of one eye": moved(gaze=np.zeros(2)),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_counts_as_nobody_and_is_told_once(name: str, caplog: pytest.LogCaptureFixture) -> None:
    puppet = Puppet(hopper(), composer())
    good = puppet.show(Performance().expression(0.0, 0))
    with caplog.at_level(logging.WARNING):
        shown = [puppet.show(replace(NONSENSE[name], captured_ns=i * 10**7)) for i in range(1, 4)]
    assert caplog.text.count("The driver sends") == 1
    for each in shown:  # it holds
        assert_pictures_equal(each.rgb, good.rgb, MARK)


def test_what_faces_really_do_is_plausible() -> None:
    assert all(implausible(Performance().expression(i / 10, i)) is None for i in range(120))
    assert implausible(Expression.absent(0, 0)) is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DriverError("a", "b", "Go."), DriverError),
        pytest.param(RuntimeError("told to"), StageError, marks=pytest.mark.thorough),
    ],
)
def test_a_driver_that_raises_ends_the_run_with_one_error(error: Exception, kind: type[Exception]) -> None:
    class Failing(ListDriver):
        def read(self) -> Expression | None:
            raise error

    live = LivePipeline(Failing([]), Puppet(hopper(), composer()), [MemorySink(CANVAS)])
    with pytest.raises(kind):
        live.run(seconds=PATIENCE_S)


def test_a_driver_that_stalls_leaves_the_puppet_idle() -> None:
    class Stalling(ListDriver):
        def read(self) -> Expression | None:
            expression = super().read()
            if expression is None and not self.closed:
                wait_until(lambda: self.closed)
            return expression

    sink = MemorySink(CANVAS)
    with LivePipeline(Stalling([moved()]), Puppet(hopper(), composer()), [sink]) as live:
        live.start()
        wait_until(lambda: len({frame.captured_ns for frame in sink.frames}) > 5)
    assert live.stats().frames_in == 1


# Fall-back


class Losing(FrameMaker):
    """Makes frames until it is lost."""

    description = "one that is lost"

    def __init__(self, maker: FrameMaker, frames: int) -> None:
        super().__init__()
        self.scene: Scene | None = None
        self._maker, self._frames = maker, frames

    def make(self, motion: Motion) -> Marked:
        if self._frames == 0:
            raise EngineError("a GPU that was lost", "one", "Plug it in.")
        self._frames -= 1
        return self._maker.make(motion)

    def set_scene(self, scene: Scene) -> None:
        self.scene = scene


def silhouettes() -> FrameMaker:
    return silhouette_maker.SilhouetteMaker(hopper(), composer(), Marker(size_px=CANVAS))


def test_makers_are_an_ordered_list() -> None:
    told: list[str] = []
    first, second = Losing(silhouettes(), 2), Losing(silhouettes(), 1)
    maker = FallbackMaker([first, second, silhouettes()], lambda lost, problem: told.append(str(problem)))
    puppet = Puppet(hopper(), composer(), maker=maker)
    by = []
    for i in range(5):
        puppet.show(Performance().expression(i / 30, i))
        by.append(puppet.frame_path)
    assert by == ["one that is lost"] * 3 + ["a silhouette"] * 2
    assert len(told) == 2 and maker.maker.description == "a silhouette"
    with pytest.raises(ValueError, match="at least one"):
        FallbackMaker([], lambda lost, problem: None)


# Shared runtime


def test_puppets_of_one_process_share_networks_and_threads() -> None:
    runtime = Runtime("cpu")
    one, two = (Puppet(hopper(), composer(), engine=runtime) for _ in range(2))
    sessions = [[painter.session for painter in p.maker.renderer.painters] for p in (one, two)]
    assert sessions[0] and all(a is b for a, b in zip(*sessions, strict=True))
    alone = Puppet(hopper(), composer(), engine="cpu")
    for i in (0, 45, 247):
        expression = Performance().expression(i / 30, i)
        shown = [puppet.show(expression).rgb for puppet in (one, two, alone)]
        assert_pictures_equal(shown[1], shown[0], EXACT)
        assert_pictures_equal(shown[2], shown[0], EXACT)


# Gains


@given(st.floats(0.0, 2.0))
@settings(max_examples=10, deadline=None)
def test_a_gain_scales_its_own_region_and_no_other(gain: float) -> None:
    turned = moved(head=HeadPose(np.float32([0.0, 0.1, 0.0])), gaze=np.full((2, 2), 0.02))

    def motion(gains: Gains) -> Motion:
        retargeter = Retargeter(hopper())
        retargeter.manner = Manner(gains)
        retargeter.update(replace(turned, captured_ns=0))
        return retargeter.update(replace(turned, captured_ns=10**9))

    plain, scaled = motion(Gains()), motion(Gains(head=gain))
    angle, wanted = (math.acos(min(1.0, (np.trace(m.head.rotation) - 1) / 2)) for m in (scaled, plain))
    assert angle == pytest.approx(gain * wanted, abs=0.01)
    assert scaled.eye_opening == pytest.approx(plain.eye_opening)
    assert scaled.torso.roll_rad == plain.torso.roll_rad


def test_no_gain_at_all_is_the_portrait_at_rest() -> None:
    retargeter = Retargeter(hopper())
    retargeter.manner = Manner(Gains(0, 0, 0, 0, 0, 0))
    speaking = Performance().expression(8.25, 1)
    retargeter.update(replace(speaking, captured_ns=0))
    motion = retargeter.update(replace(speaking, captured_ns=10**9))
    assert motion.mouth_opening == pytest.approx(
        Retargeter(hopper()).update(Expression.absent(0, 0)).mouth_opening, abs=0.01
    )
    assert motion.head.rotation == pytest.approx(np.eye(3), abs=1e-6)


@pytest.mark.parametrize("bad", [-0.1, 4.1, math.nan, math.inf])
def test_gains_are_numbers_from_0_to_4(bad: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 4"):
        Gains(mouth=bad)
