"""What every source of driver pictures offers, whatever it reads from."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, TypeVar

from facepuppet.core.types import Frame

S = TypeVar("S", bound="Source")


class Source(Protocol):
    """A stream of frames, read by one thread; close() may be called from another.

    Attributes:
        fps: nominal frames a second; None when unknown.
        size_px: width and height of the first frame, upright.
        live: True when frames arrive in real time and cannot wait.
        n_frames: how many frames there will be, perhaps estimated; None when unknown or endless.
        description: what is read, in words for a person.
    """

    fps: float | None
    size_px: tuple[int, int]
    live: bool
    n_frames: int | None
    description: str

    def read(self) -> Frame | None:
        """Block for the next frame; None at the end and after close().

        Raises:
            CaptureError: the source cannot go on.
        """

    def close(self) -> None:
        """Release the device or file; safe to call twice."""

    def __enter__(self: S) -> S:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
