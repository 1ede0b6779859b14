"""What every output offers, and the one gate that all of them share: only marked frames pass."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

from facepuppet.core.types import Pixels
from facepuppet.watermark import Marked

S = TypeVar("S", bound="Sink")


class Sink(ABC):
    """Takes marked frames, from one thread.

    Attributes:
        size_px: width and height of the frames it takes.
        description: where they go, in words for a person.
        pixels: as what it wants pictures, so that none need be converted; it takes them all. None: it does
            not care.
        away: why it shows nothing at present, though it takes frames; None while it does.
    """

    size_px: tuple[int, int]
    description: str
    pixels: Pixels | None = Pixels.RGB
    away: Exception | None = None

    @property
    def wants_matte(self) -> bool:
        """Whether pictures should come with a matte at present; may change, and be asked by any thread."""
        return False

    def send(self, frame: Marked, pts_s: float | None = None) -> None:
        """Deliver a frame.

        Args:
            frame: nothing but a Marked passes.
            pts_s: presentation time, for outputs that keep one; others show the frame at once.

        Raises:
            TypeError: the frame is not marked.
            ValueError: its size is not the sink's.
            SinkError: it cannot be delivered; the sink is spent.
        """
        if not isinstance(frame, Marked):
            raise TypeError(f"sinks take only Marked frames, got {type(frame).__name__}")
        if frame.size_px != self.size_px:
            raise ValueError(f"{self.description} takes frames of {self.size_px}, got {frame.size_px}")
        self._write(frame, pts_s)

    @abstractmethod
    def _write(self, frame: Marked, pts_s: float | None) -> None:
        """Deliver a frame that has passed the gate."""

    def seen_by(self) -> tuple[str, ...]:
        """Return the names of programs that show it now, from any thread; empty where that cannot be told."""
        return ()

    def missing(self) -> tuple[str, ...]:
        """Return sentences that say what shows nothing at present, and what to do; from any thread."""
        return () if self.away is None else (str(self.away),)

    @abstractmethod
    def close(self) -> None:
        """Finish the output and release it; safe to call twice."""

    def abort(self) -> None:
        """Release the output of an interrupted run; where that differs, nothing half-finished stays."""
        self.close()

    def __enter__(self: S) -> S:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()
