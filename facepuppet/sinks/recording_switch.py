"""A recording that starts and ends in mid-run, while the other outputs go on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from facepuppet.core.errors import FacepuppetError
from facepuppet.sinks.sink import Sink
from facepuppet.watermark import Marked

log = logging.getLogger(__name__)


class RecordingSwitch(Sink):
    """Hands frames to a recording while one is on; else costs nothing.

    Args:
        size_px: width and height of the frames.
        open_recording: opens one under a new name; returns it and its path. Called by whoever switches.

    Attributes:
        path: of the recording that is on, or the newest that was; None before the first.
        problem: what ended the newest recording early, in one line; empty if nothing did.
    """

    pixels = None

    def __init__(self, size_px: tuple[int, int], open_recording: Callable[[], tuple[Sink, Path]]) -> None:
        self.size_px, self.description = size_px, "recordings"
        self.path: Path | None = None
        self.problem = ""
        self._open_recording = open_recording
        self._recording: Sink | None = None
        self._switching = threading.Lock()

    @property
    def on(self) -> bool:
        """Whether frames are recorded now."""
        return self._recording is not None

    def switch(self, on: bool | None) -> None:
        """Start or end a recording, in the caller's thread; None turns it over.

        Raises:
            SinkError: it cannot be opened, or finished.
        """
        with self._switching:
            wanted = not self.on if on is None else on
            if wanted and self._recording is None:
                self.problem = ""
                self._recording, self.path = self._open_recording()
            elif not wanted and self._recording is not None:
                recording, self._recording = self._recording, None
                recording.close()

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        recording = self._recording
        if recording is None:
            return
        try:
            recording.send(frame, pts_s)
        except Exception as error:  # a full disk ends the recording, not the show
            if self._recording is recording:
                self._recording = None
                self.problem = str(error)
                log.error("%s failed and is dropped: %s", recording.description, error)
                recording.abort()

    def close(self) -> None:
        """Finish the recording that is on."""
        self.switch(False)

    def abort(self) -> None:
        """Finish it all the same: what was recorded so far is whole."""
        try:
            self.switch(False)
        except FacepuppetError as error:
            log.error("%s", error)
