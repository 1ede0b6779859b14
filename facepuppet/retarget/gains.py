"""How much of a driver's motion a puppet takes over, region by region."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

MOST = 4.0  # more is no gain but noise


@dataclass(frozen=True, slots=True)
class Gains:
    """Factors on the driver's motion; 1 is as the driver moves, 0 keeps that part of the portrait still.

    Attributes:
        head: turn, shift and nearness of the head.
        gaze: of the irises.
        mouth: the lips and what moves with them.
        brows: the brows and the forehead.
        lids: opening of the eyes against rest.
        torso: lean, roll and nearness of the shoulders.

    Raises:
        ValueError: a factor that is no number from 0 to 4.
    """

    head: float = 1.0
    gaze: float = 1.0
    mouth: float = 1.0
    brows: float = 1.0
    lids: float = 1.0
    torso: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (math.isfinite(value) and 0.0 <= value <= MOST):
                raise ValueError(f"got gain {field.name} = {value}, expected a number from 0 to {MOST:g}")
