"""What goes out, kept for who looks at the page; nobody looking costs nothing."""

from __future__ import annotations

import threading

from facepuppet.control_room.stage_feed import StageFeed
from facepuppet.sinks.sink import Sink
from facepuppet.watermark.marked import Marked


class PagePreview(Sink):
    """Keeps the newest frame while somebody watches; converts and copies nothing.

    Args:
        size_px: width and height of the frames.

    Attributes:
        begun: set once the first frame was out.
        stage: gets every frame, too.
    """

    pixels = None

    def __init__(self, size_px: tuple[int, int]) -> None:
        self.size_px, self.description = size_px, "the control room"
        self.begun = threading.Event()
        self.stage = StageFeed(size_px)
        self._newest: Marked | None = None
        self._n_watching = 0
        self._counting = threading.Lock()

    @property
    def wants_matte(self) -> bool:
        """Whether a stage is watched."""
        return self.stage.wants_matte

    @property
    def newest(self) -> Marked | None:
        """The newest frame; None while nobody watches, and until the next one is out."""
        return self._newest

    def watch(self) -> None:
        """Count one more who watches."""
        with self._counting:
            self._n_watching += 1

    def leave(self) -> None:
        """Count one fewer; nothing is kept for nobody."""
        with self._counting:
            self._n_watching -= 1
            if self._n_watching == 0:
                self._newest = None

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        if not self.begun.is_set():
            self.begun.set()
        self.stage.send(frame, pts_s)
        if self._n_watching:
            with self._counting:  # the last may have left in this moment
                self._newest = frame if self._n_watching else None

    def close(self) -> None:
        """Keep nothing."""
        self._newest = None
        self.stage.close()
