"""Lines across the forehead and between the brows, which some skin draws when brows go up or down.

Drawn, not learnt: of the clips only two show them, each its own. They follow the brows' arch.
"""

from __future__ import annotations

import numpy as np

from facepuppet.core import F32, N_BLENDSHAPES
from facepuppet.face import ARKIT_INDEX, EYES, FOREHEAD, unwrapped_points

DEPTH = 0.045  # logarithm of the luma in the middle of a line; in the clips .04 to .09
WIDTH = 0.011  # of a line, in sides
ACROSS = (0.30, 0.50, 0.68)  # where lines lie, from the brows (0) to the hair (1)
FROWN_APART, FROWN_LEAN = 0.030, 0.12  # of the two lines between the brows, in sides; they part upwards


def drawn_lines(side: int) -> tuple[F32, F32]:
    """Return two pictures (2, S, S), of logarithms, and how ARKit's weights drive them (52, 2)."""
    points = unwrapped_points(side) / side
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    brows = np.concatenate([points[eye.brow_upper] for eye in EYES])
    arch = np.polynomial.Polynomial.fit(np.abs(brows[:, 0] - 0.5), brows[:, 1], 2)
    off = np.abs(x - 0.5)
    top, foot = points[FOREHEAD, 1], arch(np.minimum(off, np.abs(brows[:, 0] - 0.5).max()))
    reach = np.abs(brows[:, 0] - 0.5).max()
    across = np.zeros((side, side))
    for number, share in enumerate(ACROSS):
        wave = 0.004 * np.cos(2 * np.pi * (3 + number) * off + number)  # no line is a curve of compasses
        height = foot + (top - foot) * share + 0.35 * (arch(0.0) - foot) * share + wave
        fade = np.clip((0.85 * reach - off) / (0.4 * reach), 0, 1)
        across += _line(y - height) * fade * (1.0, 0.85, 0.6)[number]
    middle = brows[:, 1].mean()
    lean = FROWN_APART + FROWN_LEAN * np.clip(middle - y, 0, None)
    along = np.clip(1 - np.abs(y - (middle + 0.01)) / 0.085, 0, 1)
    between = _line(off - lean) * along
    mixing = np.zeros((N_BLENDSHAPES, 2), np.float32)
    for name in ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"):
        mixing[ARKIT_INDEX[name], 0] = 0.4
    for name in ("browDownLeft", "browDownRight"):
        mixing[ARKIT_INDEX[name], 1] = 0.5
    return np.asarray([across, between], np.float32), mixing


def _line(distance: F32) -> F32:
    """A dark line with a light flank on either side, in sum neither darker nor lighter."""
    narrow = np.exp(-0.5 * (distance / WIDTH) ** 2)
    wide = np.exp(-0.5 * (distance / (2 * WIDTH)) ** 2)
    line: F32 = -DEPTH * (2.0 * narrow - wide)
    return line
