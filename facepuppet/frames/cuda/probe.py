"""Whether a GPU shows what the CPU would: tried before the first frame leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facepuppet.core.types import U8, Motion
from facepuppet.drivers.scripted import Performance
from facepuppet.portrait.avatar import Avatar
from facepuppet.retarget import Retargeter

# Edges may fall a fraction of a pixel aside, so a few pixels may be far off; the rest may not.
MEAN_LEVELS, FAR_LEVELS, FAR_SHARE = 0.5, 24, 0.002
LEAST_MARK = 0.9  # of the mark's own strength
_MOMENTS_S = (0.0, 1.5, 3.45, 8.25)  # of the built-in piece: at rest, turned, blinking, speaking
_CLIP = 4  # levels; the mark is smaller, edges are not


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like one marked picture is to another of the same frame.

    Attributes:
        mean: difference in levels.
        far: share of values that are FAR_LEVELS or more apart.
        mark: strength of the other's mark in it; 1 is the same, 0 is none.
    """

    mean: float
    far: float
    mark: float

    @property
    def passes(self) -> bool:
        """Whether no one will see it, and the mark is there; NaN does not pass."""
        return self.mean <= MEAN_LEVELS and self.far <= FAR_SHARE and self.mark >= LEAST_MARK

    def __str__(self) -> str:
        return f"mean {self.mean:.2g} levels, {100 * self.far:.2g} % far off, mark {self.mark:.2f}"


def likeness(given_rgb: U8, marked_rgb: U8, unmarked_rgb: U8) -> Likeness:
    """Compare a marked picture (H, W, 3) with the CPU's, and with the CPU's before it was marked."""
    given, unmarked = given_rgb.astype(np.int16), unmarked_rgb.astype(np.int16)
    mark = marked_rgb.astype(np.int16) - unmarked
    off = np.abs(given - marked_rgb)
    added = np.clip(given - unmarked, -_CLIP, _CLIP)
    return Likeness(
        float(off.mean()),
        float((off >= FAR_LEVELS).mean()),
        float((added * mark).sum(dtype=np.int64) / max(int((mark * mark).sum(dtype=np.int64)), 1)),
    )


def probe_motions(avatar: Avatar) -> tuple[Motion, ...]:
    """Return motions that use every part of the frame path."""
    retargeter, piece = Retargeter(avatar), Performance()
    return tuple(retargeter.update(piece.expression(t_s, i)) for i, t_s in enumerate(_MOMENTS_S))
