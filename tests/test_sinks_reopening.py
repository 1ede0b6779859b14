"""A camera that comes late, goes and comes back: nobody waits for it, and nothing unmarked leaves."""

from __future__ import annotations

import logging
import threading
import time

import pytest
from fakes import MemorySink, marked, wait_until

from facepuppet.core.clock import SystemClock
from facepuppet.core.errors import VirtualCameraMissingError
from facepuppet.core.slot import LatestSlot
from facepuppet.core.types import Pixels
from facepuppet.sinks import Fanout, open_sink, pacer, reopening
from facepuppet.sinks.pacer import Pacer
from facepuppet.sinks.reopening import Reopening
from facepuppet.sinks.sink import Sink
from facepuppet.watermark import Marked

SIZE_PX = (160, 128)
HELD_S = 30.0  # how long a stuck driver would hold whoever waits for it


class Driver:
    """A virtual camera's driver: `there` or not; a frame it shows may be `held` by it for a while."""

    def __init__(self, *, there: bool = True) -> None:
        self.there = there
        self.held = threading.Event()
        self.held.set()  # not held
        self.opened: list[Plugged] = []

    def open(self) -> Sink:
        if not self.there:
            raise VirtualCameraMissingError("no driver", "one", "Run `modprobe it`.")
        self.opened.append(Plugged(self))
        return self.opened[-1]

    @property
    def shown(self) -> list[Marked]:
        return [frame for camera in self.opened for frame in camera.frames]


class Plugged(MemorySink):
    """The camera while it is there."""

    def __init__(self, driver: Driver) -> None:
        super().__init__(SIZE_PX, pixels=Pixels.I420)
        self.description = "virtual camera 'test'"
        self._driver = driver

    def seen_by(self) -> tuple[str, ...]:
        return ("zoom",)

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        if not self._driver.there:
            raise VirtualCameraMissingError("a camera that is gone", "one that stays", "Load it again.")
        self._driver.held.wait(HELD_S)
        super()._write(frame, pts_s)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for the camera more often than in a run."""
    monkeypatch.setattr(reopening, "RETRY_S", 0.01)


def send_until(sink: Sink, driver: Driver, n: int) -> None:
    """Send until the camera has shown so many frames more."""
    goal = len(driver.shown) + n

    def once() -> bool:
        sink.send(marked(size_px=SIZE_PX))
        return len(driver.shown) >= goal

    wait_until(once)


def test_frames_pass_while_the_camera_is_there() -> None:
    driver = Driver()
    with Reopening(driver.open, SIZE_PX) as sink:
        assert (sink.pixels, sink.description, sink.away) == (Pixels.I420, "virtual camera 'test'", None)
        assert sink.seen_by() == ("zoom",)
        frames = [marked(frame_id=number, size_px=SIZE_PX) for number in range(5)]
        for frame in frames:
            sink.send(frame)
            wait_until(lambda frame=frame: driver.shown[-1:] == [frame])
    assert driver.shown == frames
    assert driver.opened[0].closed
    with pytest.raises(ValueError, match="closed"):
        sink.send(frames[0])


def test_without_it_nothing_starts_unless_that_is_wanted(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(VirtualCameraMissingError, match="modprobe it"):
        Reopening(Driver(there=False).open, SIZE_PX)
    assert not caplog.records


def test_a_camera_that_comes_late_joins_and_the_command_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    driver = Driver(there=False)
    looks = 0

    def opens() -> Sink:
        nonlocal looks
        looks += 1
        return driver.open()

    with Reopening(opens, SIZE_PX, waits=True) as sink:
        assert isinstance(sink.away, VirtualCameraMissingError) and sink.seen_by() == ()
        for _ in range(3):
            sink.send(marked(size_px=SIZE_PX))  # nobody's, and nobody is held up
        wait_until(lambda: looks > 3)
        driver.there = True
        send_until(sink, driver, 3)
        assert sink.away is None
        assert sink.description == "virtual camera 'test'"
    assert [("modprobe it" in line, "is there" in line) for line in caplog.messages] == [
        (True, False),
        (False, True),
    ]


def test_a_camera_that_goes_comes_back_without_an_unmarked_or_stale_frame(
    caplog: pytest.LogCaptureFixture,
) -> None:
    driver = Driver()
    with Reopening(driver.open, SIZE_PX) as sink:
        send_until(sink, driver, 2)
        driver.there = False
        wait_until(lambda: sink.send(marked(size_px=SIZE_PX)) or sink.away is not None)
        assert driver.opened[0].closed or driver.opened[0].aborted
        newest = marked(frame_id=77, size_px=SIZE_PX)
        sink.send(marked(frame_id=76, size_px=SIZE_PX))
        sink.send(newest)
        driver.there = True
        wait_until(lambda: len(driver.opened) == 2 and driver.opened[1].frames != [])
        assert driver.opened[1].frames[0] is newest
    assert all(isinstance(frame, Marked) for frame in driver.shown)
    gone, why, there = caplog.messages
    assert "Load it again" in gone and "modprobe it" in why and "is there" in there


def test_a_camera_that_comes_and_goes_for_ever_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    driver = Driver()
    with Reopening(driver.open, SIZE_PX) as sink:
        for n in range(reopening.MOST_TOLD):
            driver.there = False
            wait_until(lambda: sink.send(marked(size_px=SIZE_PX)) or sink.away is not None)
            driver.there = True
            wait_until(lambda n=n: len(driver.opened) == n + 2)
    assert len(caplog.messages) == reopening.MOST_TOLD
    assert "not told any more" in caplog.messages[-1]


def test_only_marked_frames_of_its_size_are_taken_even_while_it_is_away() -> None:
    with Reopening(Driver(there=False).open, SIZE_PX, waits=True) as sink:
        with pytest.raises(TypeError, match="Marked"):
            sink.send(marked(size_px=SIZE_PX).rgb)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="takes frames of"):
            sink.send(marked(size_px=(320, 240)))


def test_a_driver_that_holds_a_frame_holds_up_neither_others_nor_the_end(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reopening, "GIVE_UP_S", 0.1)
    driver, other = Driver(), MemorySink(SIZE_PX)
    sink = Reopening(driver.open, SIZE_PX)
    both = Fanout([sink, other])
    driver.held.clear()
    begun_s = time.monotonic()
    frames = [marked(frame_id=number, size_px=SIZE_PX) for number in range(20)]
    for frame in frames:
        both.send(frame)
    assert other.frames == frames and driver.shown == []
    both.close()
    assert time.monotonic() - begun_s < HELD_S / 2
    assert "does not answer" in caplog.text
    driver.held.set()
    wait_until(lambda: driver.opened[0].closed)


def test_what_the_driver_catches_up_with_is_the_newest() -> None:
    driver = Driver()
    with Reopening(driver.open, SIZE_PX) as sink:
        driver.held.clear()
        frames = [marked(frame_id=number, size_px=SIZE_PX) for number in range(9)]
        for frame in frames:
            sink.send(frame)
        driver.held.set()
        wait_until(lambda: driver.shown[-1:] == frames[-1:])
        assert driver.shown == [frames[0], frames[-1]]


def test_a_camera_that_never_came_counts_as_failed_in_the_end() -> None:
    away, other = Reopening(Driver(there=False).open, SIZE_PX, waits=True), MemorySink(SIZE_PX)
    with Fanout([away, other]) as both:
        both.send(marked(size_px=SIZE_PX))
        assert both.failures == []
    assert [str(error) for _, error in both.failures] == ["Got no driver; expected one. Run `modprobe it`."]
    assert other.closed and len(other.frames) == 1


def test_who_sees_them_is_told_for_all_together() -> None:
    with Reopening(Driver().open, SIZE_PX) as sink:
        both = Fanout([sink, MemorySink(SIZE_PX)])
        assert (both.seen_by(), both.missing()) == (("zoom",), ())


def test_what_is_missing_is_told_for_all_together_as_long_as_it_is() -> None:
    driver = Driver(there=False)
    with Reopening(driver.open, SIZE_PX, waits=True) as sink:
        both = Fanout([MemorySink(SIZE_PX), sink])
        assert both.missing() == ("Got no driver; expected one. Run `modprobe it`.",)
        driver.there = True
        send_until(sink, driver, 1)
        assert both.missing() == ()


def test_the_word_virtual_opens_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facepuppet.sinks.virtual_camera.list_virtual_cameras", lambda: ())
    with pytest.raises(VirtualCameraMissingError):
        open_sink("virtual", SIZE_PX, 30)
    with open_sink("virtual:/dev/video10", SIZE_PX, 30, waits=True) as sink:
        assert isinstance(sink, Reopening) and sink.away is not None


def test_the_pacer_does_not_wait_for_ever_for_a_sink_that_does_not_return(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacer, "GIVE_UP_S", 0.1)
    driver = Driver()
    driver.held.clear()
    slot: LatestSlot[Marked] = LatestSlot()
    stuck = Pacer(driver.open(), slot, 30.0, SystemClock())
    stuck.start()
    slot.put(marked(size_px=SIZE_PX))
    wait_until(lambda: not slot.full)
    begun_s = time.monotonic()
    with caplog.at_level(logging.CRITICAL, "facepuppet.sinks.pacer"):  # as the command line leaves it
        stuck.stop()
    assert time.monotonic() - begun_s < HELD_S / 2
    assert "does not take its last frame" in caplog.text
    driver.held.set()
    wait_until(lambda: not stuck.running)
