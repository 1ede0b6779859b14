"""The watch beside a live run: what it counts, whom it tells, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from avatars import hopper
from fakes import FakeClock, ListDriver, MemorySink, wait_until
from silhouette_maker import SilhouetteMaker

from facepuppet import Composer, LivePipeline, Puppet, SetQuality, ShowPuppet
from facepuppet.core import hardware
from facepuppet.core.errors import ControlError
from facepuppet.core.types import Motion, Quality
from facepuppet.drivers.scripted import ScriptedDriver
from facepuppet.session.control import Control
from facepuppet.session.governor import LOOK_S, PATIENCE_S
from facepuppet.session.ladder import LADDER
from facepuppet.session.quality_watch import POWER_S, Counts, QualityWatch
from facepuppet.watermark import Marked, Marker

CANVAS = (256, 144)


class Choosy(SilhouetteMaker):
    """A maker that takes as long as it is told, and notes what qualities it was told."""

    adapts = True

    def __init__(self, work: Callable[[Quality], None] = lambda quality: None) -> None:
        super().__init__(hopper(), Composer(hopper(), CANVAS), Marker(size_px=CANVAS))
        self.told: list[Quality] = []
        self._work = work

    def set_quality(self, quality: Quality) -> None:
        self.told.append(quality)

    def make(self, motion: Motion) -> Marked:
        self._work(self.told[-1])
        return super().make(motion)


def puppet(maker: SilhouetteMaker) -> Puppet:
    return Puppet(hopper(), Composer(hopper(), CANVAS), maker=maker)


class Watched:
    """A watch over a run that somebody made up, on a clock of its own."""

    def __init__(self, maker: SilhouetteMaker | None = None, quality: str = "auto", battery: bool = False):
        self.maker = maker or Choosy()
        self.control = Control(ListDriver(()), {"one": puppet(self.maker)}, quality)
        self.clock, self.on_battery, self.asked = FakeClock(), battery, 0
        self._n, self._busy_ns = 0, 0
        self.watch = QualityWatch(self.control, self._counts, 30.0, self.clock, self._battery)
        self.watch.look()

    def for_s(self, seconds: float, busy: float, made: float = 1.0) -> Watched:
        for _ in range(round(seconds / LOOK_S)):
            self.clock.advance_s(LOOK_S)
            self._n += 15
            self._made = made
            self._busy_ns += round(busy * LOOK_S * 1e9)
            self.watch.look()
            self.control.obey()
        return self

    def _counts(self) -> Counts:
        return Counts(self._n, round(self._n * getattr(self, "_made", 1.0)), (self._busy_ns, 0))

    def _battery(self) -> bool:
        self.asked += 1
        return self.on_battery


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "quality" in record.name]


def test_a_slow_machine_is_told_once_a_change_and_once_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    run = Watched().for_s(30, busy=1.0)
    assert run.maker.told == [step.quality for step in LADDER]
    assert told(caplog) == [*run.watch.changes, told(caplog)[-1]]
    assert len(run.watch.changes) == 3 and "every 2nd frame" in run.watch.changes[0]
    assert "'low'" in told(caplog)[-1] and "repeated" in told(caplog)[-1]
    run.for_s(PATIENCE_S + 2, busy=0.1).for_s(30, busy=1.0)
    assert sum("Even at" in line for line in told(caplog)) == 1


def test_the_quality_comes_between_two_frames() -> None:
    """The watch asks; the thread that makes pictures does it."""
    run = Watched()
    run.control.obey = lambda: None  # type: ignore[method-assign]
    run.for_s(10, busy=1.0)
    assert run.maker.told == [LADDER[0].quality] and run.control.step is LADDER[0]


@pytest.mark.parametrize("fixed", [step.name for step in LADDER])
def test_a_quality_that_was_asked_for_stays(fixed: str, caplog: pytest.LogCaptureFixture) -> None:
    run = Watched(quality=fixed, battery=True).for_s(60, busy=1.0).for_s(60, busy=0.1)
    assert run.control.state.quality == fixed == run.control.state.asked_quality
    assert len(run.maker.told) == 1 and not told(caplog)


def test_a_user_may_fix_it_and_let_it_go_again() -> None:
    run = Watched()
    run.control.send(SetQuality("fair"))
    run.for_s(20, busy=0.1)
    assert run.control.state.quality == "fair"
    run.control.send(SetQuality("auto"))
    run.for_s(PATIENCE_S + 4, busy=0.1)
    assert run.control.state.quality == "good"


def test_an_unknown_quality_is_refused() -> None:
    run = Watched()
    run.control.send(SetQuality("superb"))
    run.control.obey()
    assert "superb" in run.control.state.refused and run.control.state.quality == "best"
    with pytest.raises(ControlError, match="low"):
        Watched(quality="superb")


def test_another_puppet_gets_the_quality_too() -> None:
    other = Choosy()
    control = Control(ListDriver(()), {"one": puppet(Choosy()), "two": puppet(other)}, "low")
    control.send(ShowPuppet("two"))
    control.obey()
    assert other.told == [LADDER[-1].quality]


def test_a_maker_that_cannot_choose_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    maker = SilhouetteMaker(hopper(), Composer(hopper(), CANVAS), Marker(size_px=CANVAS))
    run = Watched(maker).for_s(60, busy=1.0)
    assert run.control.step is LADDER[0] and not told(caplog)


def test_a_battery_is_told_once_and_asked_about_rarely(caplog: pytest.LogCaptureFixture) -> None:
    run = Watched(battery=True).for_s(2 * POWER_S, busy=0.1)
    assert run.control.state.quality == "good" and run.asked == 3
    assert len(told(caplog)) == 1 and "battery" in told(caplog)[0] and "--quality best" in told(caplog)[0]
    run.on_battery = False
    run.for_s(POWER_S + PATIENCE_S + 1, busy=0.1)
    assert run.control.state.quality == "best"


@pytest.mark.parametrize(
    ("battery", "answer"),
    [
        (lambda: None, False),
        (lambda: type("B", (), {"power_plugged": False})(), True),
        (lambda: type("B", (), {"power_plugged": True})(), False),
        (lambda: type("B", (), {"power_plugged": None})(), False),
        (lambda: (_ for _ in ()).throw(OSError("gone")), False),
        (lambda: int("full"), False),
    ],
)
def test_whatever_a_battery_reports_has_an_answer(
    battery: Callable[[], Any], answer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "sensors_battery", battery, raising=False)
    assert hardware.on_battery() is answer
    monkeypatch.delattr(psutil, "sensors_battery")
    assert hardware.on_battery() is False


def test_a_live_run_steps_down_and_says_so(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real loop with a maker that is too slow but for the third step; looked at twice as often."""
    monkeypatch.setattr("facepuppet.session.quality_watch.LOOK_S", LOOK_S / 2)
    monkeypatch.setattr("facepuppet.session.governor.WARM_UP_S", LOOK_S)
    maker = Choosy(lambda quality: time.sleep(0.06 / (quality.painters_every or 6)))
    sink = MemorySink(CANVAS)
    with LivePipeline(ScriptedDriver(60.0), puppet(maker), [sink]) as live:
        live.start()
        wait_until(lambda: live.control.step is LADDER[2])
        snapshot = live.snapshot()
    assert snapshot.state.quality == "fair" == snapshot.stats.quality
    assert list(snapshot.stats.quality_changes) == told(caplog) and len(told(caplog)) == 2
    assert snapshot.to_json()["stats"]["quality"] == "fair"


@pytest.mark.slow
def test_at_sixty_the_loop_shows_more_than_thirty_new_pictures() -> None:
    """A maker that takes 8 ms has room for that; how much more depends on who else runs."""
    maker = Choosy(lambda quality: time.sleep(0.008))
    sink = MemorySink(CANVAS)
    live = LivePipeline(ScriptedDriver(4.0, fps=60.0), puppet(maker), [sink], fps=60.0)
    live.run()
    stats = live.stats()
    assert stats.frames_in == 240
    assert len({id(frame) for frame in sink.frames}) == stats.frames_out > 4 * 30 + 10


def test_a_live_run_keeps_what_it_is_told() -> None:
    maker = Choosy()
    live = LivePipeline(ScriptedDriver(1.0), puppet(maker), [MemorySink(CANVAS)], quality="low")
    live.run()
    assert maker.told == [LADDER[-1].quality] and live.stats().quality == "low"
