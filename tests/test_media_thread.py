"""The capture thread: paced files, errors handed to the owner, a clean stop."""

from __future__ import annotations

import threading

import pytest
from fakes import FakeClock, ListSource, picture

from facepuppet.core.clock import SystemClock
from facepuppet.core.errors import MediaUnreadableError
from facepuppet.core.slot import LatestSlot
from facepuppet.core.types import Frame
from facepuppet.media import CaptureThread

PICTURES = [picture((16, 16), level=level) for level in (10, 20, 30, 40)]


class KeepingSlot(LatestSlot[Frame]):
    """A slot that also remembers everything it was offered."""

    def __init__(self) -> None:
        super().__init__()
        self.offered: list[Frame] = []

    def put(self, item: Frame) -> None:
        self.offered.append(item)
        super().put(item)


def run_to_the_end(source: ListSource, clock: FakeClock) -> tuple[CaptureThread, KeepingSlot]:
    slot = KeepingSlot()
    thread = CaptureThread(source, slot, clock)
    thread.start()
    while not slot.closed:
        slot.take(timeout_s=0.01)
    thread.stop()
    return thread, slot


def test_a_file_is_paced_as_if_it_were_a_camera() -> None:
    clock = FakeClock()
    thread, slot = run_to_the_end(ListSource(PICTURES, fps=10, live=False, clock=clock), clock)
    start_ns = slot.offered[0].captured_ns
    assert [(f.captured_ns - start_ns) * 1e-9 for f in slot.offered] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert thread.captured == 4
    assert thread.error is None
    assert not thread.running


def test_live_frames_pass_untouched() -> None:
    clock = FakeClock(now_ns=0)
    _, slot = run_to_the_end(ListSource(PICTURES, fps=20, clock=clock), clock)
    assert [f.captured_ns * 1e-9 for f in slot.offered] == pytest.approx([0.05, 0.1, 0.15, 0.2])


def test_the_newest_frame_wins_when_nobody_takes() -> None:
    slot: LatestSlot[Frame] = LatestSlot()
    thread = CaptureThread(ListSource(PICTURES), slot, FakeClock())
    thread.start()
    while thread.running:
        threading.Event().wait(0.01)
    newest = slot.take()
    assert newest is not None
    assert newest.frame_id == 3
    assert slot.dropped == 3


def test_an_error_reaches_the_owner_and_closes_the_slot() -> None:
    class Failing(ListSource):
        def read(self) -> Frame | None:
            raise MediaUnreadableError("nonsense", "sense", "Try again.")

    thread, slot = run_to_the_end(Failing(PICTURES), FakeClock())
    assert slot.closed
    with pytest.raises(MediaUnreadableError, match="nonsense"):
        thread.raise_if_failed()


def test_stop_ends_a_long_pause_and_closes_the_source() -> None:
    source = ListSource(PICTURES, fps=0.001, live=False)  # the second frame is due in 1000 s
    slot: LatestSlot[Frame] = LatestSlot()
    thread = CaptureThread(source, slot, SystemClock())
    thread.start()
    assert slot.take(timeout_s=10) is not None
    thread.stop()
    assert not thread.running
    assert source.closed
    assert thread.error is None
