"""Every frame that goes out, for pages that show the puppet alone; nobody there costs nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from facepuppet.sinks.sink import Sink
from facepuppet.watermark.marked import Marked

_MOST_WITHOUT = 30  # frames without a matte, after which none is waited for; the first few are under way

log = logging.getLogger(__name__)


class StageFeed(Sink):
    """Keeps the newest frame while somebody watches, and wants frames with a matte only then.

    Args:
        size_px: width and height of the frames.
    """

    pixels = None

    def __init__(self, size_px: tuple[int, int]) -> None:
        self.size_px, self.description = size_px, "the stage"
        self._watching: tuple[Callable[[], None], ...] = ()
        self._newest: Marked | None = None
        self._n_without = 0
        self._told = False
        self._changing = threading.Lock()

    @property
    def wants_matte(self) -> bool:
        """Whether somebody watches."""
        return bool(self._watching)

    @property
    def newest(self) -> Marked | None:
        """The newest frame that may be shown; None while nobody watches, and until one is out."""
        return self._newest

    def watch(self, told: Callable[[], None]) -> None:
        """Call something for each new frame, from the thread that sends it; it must not wait nor fail."""
        with self._changing:
            self._watching = (*self._watching, told)

    def leave(self, told: Callable[[], None]) -> None:
        """Call it no longer; nothing is kept for nobody."""
        with self._changing:
            self._watching = tuple(one for one in self._watching if one != told)
            if not self._watching:
                self._newest, self._n_without = None, 0

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        if not self._watching:
            return
        with self._changing:  # the last may have left in this moment
            if not self._watching or frame is self._newest or not self._may_be_shown(frame):
                return
            self._newest = frame
        for told in self._watching:
            told()

    def _may_be_shown(self, frame: Marked) -> bool:
        """Let none flash up with its background that was begun before anybody watched."""
        if frame.matte is not None:
            self._n_without = 0
            return True
        self._n_without += 1
        if self._n_without <= _MOST_WITHOUT:
            return False
        if not self._told:
            log.warning("The stage shows the background, too: frames are made where it cannot be left out.")
            self._told = True
        return True

    def close(self) -> None:
        """Keep nothing."""
        self._newest = None
