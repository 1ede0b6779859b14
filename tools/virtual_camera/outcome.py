"""What a round found, and where it was done."""

from __future__ import annotations

from dataclasses import dataclass, replace

from virtual_camera.driver_module import DriverModule
from virtual_camera.opencv_reading import Read


@dataclass(frozen=True)
class Place:
    """The device and how long each round takes."""

    node: str
    label: str
    size_px: tuple[int, int]
    seconds: float
    chromium_s: float
    chromium_patience_s: float
    driver: DriverModule


@dataclass(frozen=True)
class Outcome:
    """A round's name, whether all was well (None: it could not be done here), and figures for people."""

    name: str
    good: bool | None
    told: str

    def but(self, more: str) -> Outcome:
        """Return it with more to say."""
        return replace(self, told=f"{self.told}; {more}")


def judged_read(
    name: str, read: Read, size_px: tuple[int, int], *, p95_ms: float | None = None, fps: float | None = None
) -> Outcome:
    """Hold what was read against what it should be."""
    steady = p95_ms is None or (read.p95_ms <= p95_ms and abs(read.fps / 30.0 - 1.0) < 0.05)
    fast = fps is None or read.fps >= fps
    return Outcome(name, read.size_px == size_px and read.mark_found and steady and fast, str(read))
