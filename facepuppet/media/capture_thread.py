"""Reading a source beside the rest of the pipeline: newest frame wins."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

from facepuppet.core.clock import Clock
from facepuppet.core.slot import LatestSlot
from facepuppet.core.types import Frame
from facepuppet.media.source import Source

SLICE_S = 0.05  # stop() never waits longer than this for a pause to end

log = logging.getLogger(__name__)


class CaptureThread:
    """Reads a source into a slot until it ends, fails, or stop() is called; then closes the slot.

    A source that is not live is paced by its own presentation times, as if it were a camera. The
    thread reads the source but does not own it: whoever opened it closes it, after stop().
    """

    def __init__(self, source: Source, slot: LatestSlot[Frame], clock: Clock) -> None:
        self._source = source
        self._slot = slot
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._start_ns: int | None = None
        self.captured = 0
        self.error: Exception | None = None

    def start(self) -> None:
        """Start reading."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading and wait for the thread; closes the source, the only way to wake a blocked read."""
        self._stopping.set()
        self._source.close()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def running(self) -> bool:
        """True while frames may still come."""
        return self._thread.is_alive()

    def raise_if_failed(self) -> None:
        """Raise what ended the thread, if an error did."""
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                frame = self._source.read()
                if frame is None:
                    break
                self._slot.put(frame if self._source.live else self._paced(frame))
                self.captured += 1
        except Exception as error:  # whatever it is belongs to the owner, not to this thread
            self.error = error
            log.info("capture ended: %s", error)
        finally:
            self._slot.close()

    def _paced(self, frame: Frame) -> Frame:
        """Wait until a file's frame is due and stamp it with that moment."""
        pts_ns = round((frame.pts_s or 0.0) * 1e9)
        if self._start_ns is None:
            self._start_ns = self._clock.now_ns() - pts_ns
        due_ns = self._start_ns + pts_ns
        while not self._stopping.is_set() and (left_ns := due_ns - self._clock.now_ns()) > 0:
            self._clock.sleep_s(min(SLICE_S, left_ns * 1e-9))
        return replace(frame, captured_ns=self._clock.now_ns())
