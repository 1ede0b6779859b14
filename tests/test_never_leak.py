"""The driver's camera picture reaches no output, whatever happens: from start-up to a crash."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import numpy as np
import pytest
from fakes import PATIENCE_S, wait_until
from green_room import CANVAS_PX, MIDDLE_PX, GreenShow, cup, hand, room_with, wall
from leaks import assert_marked, assert_nothing_of_the_camera, unlike

from facepuppet.core import tolerance
from facepuppet.core.errors import StageError
from facepuppet.core.types import Pixels, Presence
from facepuppet.drivers.camera.tracking import Tracking
from facepuppet.frames.cpu.compose.card import draw_card

CARD_BAR = 3.0  # levels: a marked card is 1 from itself


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tolerance, "PAUSES_S", (0.0, 0.0, 0.0))


@pytest.fixture
def show() -> Iterator[GreenShow]:
    """A show that runs, with its driver in the middle of the room."""
    green = GreenShow()
    with green.loop:
        green.loop.start()
        green.camera.rgb = room_with(MIDDLE_PX)
        green.wait_for_face()
        yield green


def middles_px(trackings: list[Tracking]) -> list[float]:
    """Where the tracked faces are, from the left."""
    return [float(one.face.landmarks_px[:, 0].mean()) for one in trackings if one.face is not None]


def test_nothing_leaks_from_start_through_hands_and_strangers() -> None:
    green = GreenShow()
    with green.loop as live:
        live.start()
        for seen in (
            wall(),
            room_with(MIDDLE_PX),
            room_with(MIDDLE_PX, before=hand),
            room_with(MIDDLE_PX, before=cup),
            wall(),
            room_with(40, 380),
        ):
            green.camera.rgb = seen
            green.wait_for_frames(20)
        green.wait_for_face()
    green.assert_safe()


def test_a_second_face_does_not_take_the_puppet_over(show: GreenShow) -> None:
    before = middles_px(show.trackings)[-1]
    show.camera.rgb = room_with(MIDDLE_PX, stranger_px=420)
    n = len(show.trackings)
    start = show.wait_for_frames()
    places = middles_px(show.trackings[n:])
    assert len(places) > 10 and np.ptp([before, *places]) < 20
    show.assert_safe(start)


def test_an_unplugged_camera_leaves_an_idle_puppet_that_lives(show: GreenShow) -> None:
    show.camera.plugged.clear()
    start = show.wait_for_frames(3)
    wait_until(lambda: show.puppet.presence is Presence.AWAY)
    idle = show.wait_for_frames()
    show.assert_safe(start)
    moments = show.sink.frames[idle:]
    assert len({frame.rgb.tobytes() for frame in moments}) > 5, "it stands still"
    show.camera.plugged.set()
    show.wait_for_face()
    wait_until(lambda: show.puppet.presence is Presence.PRESENT)
    show.assert_safe()


def test_what_nobody_foresaw_costs_a_moment_and_leaks_nothing(
    show: GreenShow, caplog: pytest.LogCaptureFixture
) -> None:
    """Camera, tracker, puppet, its second half and sink fail in turn, or find no memory; the run goes on."""
    start = len(show.sink.frames)
    kinds = cycle((RuntimeError, MemoryError))
    for part in ("camera", "tracker", "puppet", "finish", "sink"):
        fault = getattr(show.faults, part)
        fault.strike(next(kinds)(f"{part} told to fail"))
        wait_until(lambda fault=fault: fault.times == 0)
        show.wait_for_face()
        show.wait_for_frames(3)
    show.assert_safe(start)
    restarts = show.loop.stats().restarts
    assert [told.split()[1] for told in restarts[:3]] == ["driver", "driver", "puppet"]
    assert len(restarts) == 4, "the sink is none of the stages that are begun again"
    assert sum("misses pictures" in record.message for record in caplog.records) == 1
    assert not show.sink.aborted


def test_a_puppet_that_cannot_be_drawn_is_stood_in_for_by_the_card(
    show: GreenShow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tolerance, "PAUSES_S", (0.0, 0.4, 0.0))
    start = len(show.sink.frames)
    show.faults.puppet.strike(RuntimeError("puppet told to fail"), times=2)
    card = draw_card(CANVAS_PX)
    wait_until(lambda: unlike(show.sink.frames[-1].rgb, card) < CARD_BAR)
    wait_until(lambda: unlike(show.sink.frames[-1].rgb, card) > CARD_BAR)
    show.assert_safe(show.wait_for_frames())
    shown = show.sink.frames[start:]
    # The very next frame may be the card already.
    cards = [False, *(unlike(frame.rgb, card) < CARD_BAR for frame in shown)]
    assert 2 < sum(cards) < 40 and sum(np.diff(cards)) == 2, "one stretch of it, for as long as it pauses"
    assert_nothing_of_the_camera([frame.rgb for frame in shown])
    assert_marked([frame.rgb for frame in shown], show.sink.sent_ns[start:])


@pytest.mark.parametrize(
    ("part", "stage", "pixels"),
    [
        ("puppet", "puppet", Pixels.RGB),
        ("camera", "driver", Pixels.I420),
        ("tracker", "driver", Pixels.RGB),
        ("sink", "sink", Pixels.I420),
    ],
)
def test_a_stage_that_fails_again_and_again_ends_the_run(part: str, stage: str, pixels: Pixels) -> None:
    green = GreenShow(pixels)
    green.camera.rgb = room_with(MIDDLE_PX)
    with green.loop as live:
        live.start()
        green.wait_for_face()
        getattr(green.faults, part).strike(RuntimeError(f"{part} told to fail"), times=10**9)
        with pytest.raises(StageError, match=f"RuntimeError in stage {stage}"):
            live.run(seconds=PATIENCE_S)
    green.assert_safe()
