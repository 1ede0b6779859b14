"""How a puppet follows its driver, as its user set it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace

from facepuppet.retarget.gains import Gains

REGIONS = tuple(part.name for part in fields(Gains))
SLOWEST_RAD_S = math.radians(5.0)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a puppet follows its driver.

    Attributes:
        gains: how much of the motion of each region is taken over.
        still: names of the regions that keep still, whatever their gain.
        head_speed_rad_s: the head turns no faster than this; None lets it go as it comes.

    Raises:
        ValueError: an unknown region, or a head that may hardly move.
    """

    gains: Gains = field(default_factory=Gains)
    still: frozenset[str] = frozenset()
    head_speed_rad_s: float | None = None

    def __post_init__(self) -> None:
        if unknown := self.still - set(REGIONS):
            raise ValueError(f"got regions {sorted(unknown)}, expected some of {', '.join(REGIONS)}")
        speed = self.head_speed_rad_s
        if speed is not None and not (math.isfinite(speed) and speed >= SLOWEST_RAD_S):
            raise ValueError(f"got a head speed of {speed} rad/s, expected at least {SLOWEST_RAD_S:.3f}")

    @property
    def effective(self) -> Gains:
        """The gains, 0 for regions that keep still."""
        return replace(self.gains, **dict.fromkeys(self.still, 0.0)) if self.still else self.gains
