"""A pattern of light whose film tells how late it is: random flashes, found again by correlation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facepuppet.core.errors import LatencyError
from facepuppet.core.types import U8

FLASH_S = 0.2  # at most 2.5 flashes a second: three and more can bring on seizures (WCAG 2, 2.3.1)
MOST_S = 1.0  # of delay that is looked for
MIN_CERTAINTY = 0.6  # 60 flashes that have nothing to do with a film reach 0.45 by chance
GRID = (6, 8)  # cells of a picture, down and across: the screen need not fill it
_STEP_S = 0.001
_TREND_S = 2.0  # what a camera's exposure control does in longer times is taken out
_MIN_FRAMES = 30

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FlashDelay:
    """From a change on the screen to its frame in this program.

    Attributes:
        delay_s: to the middle of the frame's exposure and on to its arrival.
        certainty: correlation of what was filmed with what was shown, up to 1.
    """

    delay_s: float
    certainty: float


def flash_levels(n: int, seed: int = 0) -> list[bool]:
    """Which of n flashes are bright: at random, as many as are dark, give or take one."""
    levels = np.arange(n) % 2 == 0
    np.random.default_rng(seed).shuffle(levels)
    return [bool(level) for level in levels]


def cell_brightness(rgb: U8) -> F64:
    """Mean brightness of each cell of a picture.

    Args:
        rgb: (H, W, 3).

    Returns:
        (cells,), 0 to 255.
    """
    import cv2

    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, GRID[::-1], interpolation=cv2.INTER_AREA), np.float64).ravel()


def find_delay(shown_s: F64, levels: F64, filmed_s: F64, cells: F64) -> FlashDelay:
    """Find the delay at which a film is most like what was shown.

    Args:
        shown_s: (n,) when each level was shown, rising.
        levels: (n,) what was shown, until the next.
        filmed_s: (m,) when each frame arrived, on the same clock, rising.
        cells: (m, cells) brightness of the frames (`cell_brightness`).

    Raises:
        LatencyError: the film does not show the flashes.
    """
    if len(filmed_s) < _MIN_FRAMES:
        raise LatencyError(
            f"{len(filmed_s)} frames",
            "a film of the flashes",
            "See whether another program slows the camera.",
        )
    delays_s = np.arange(0.0, MOST_S, _STEP_S)
    frame_s = float(np.median(np.diff(filmed_s)))
    expected = np.stack([_as_filmed(shown_s, levels, filmed_s - d, frame_s) for d in delays_s])
    expected = _normalised(_without_trend(expected, frame_s))  # (delays, m)
    filmed = _normalised(_without_trend(cells.T, frame_s))  # (cells, m)
    alike = filmed @ expected.T  # (cells, delays)
    best = alike.max(axis=1)
    seeing = best >= max(0.8 * best.max(), 0.01)
    together = _normalised((filmed * np.where(seeing, best**2, 0.0)[:, None]).sum(axis=0)[None])[0]
    curve = expected @ together
    top = int(curve.argmax())
    if curve[top] < MIN_CERTAINTY or not 0 < top < len(curve) - 1:
        raise LatencyError(
            f"a film that does not show the flashes (certainty {max(0.0, float(curve[top])):.2f})",
            f"at least {MIN_CERTAINTY}, within {MOST_S:g} s",
            "Point the camera at the window, near enough, and keep other light steady.",
        )
    return FlashDelay(float(delays_s[top] + _STEP_S * _vertex(curve[top - 1 : top + 2])), float(curve[top]))


def _as_filmed(shown_s: F64, levels: F64, at_s: F64, frame_s: float) -> F64:
    """What a camera would see at given times, whose exposure is a frame long, about them."""
    light_s = np.concatenate([[0.0], np.cumsum(np.diff(shown_s) * levels[:-1])])  # light up to each change

    def up_to(t_s: F64) -> F64:
        i = np.clip(np.searchsorted(shown_s, t_s, side="right") - 1, 0, len(levels) - 1)
        return np.asarray(light_s[i] + (t_s - shown_s[i]) * levels[i])

    return np.asarray((up_to(at_s + frame_s / 2) - up_to(at_s - frame_s / 2)) / frame_s)


def _without_trend(rows: F64, frame_s: float) -> F64:
    """Rows, (n, m), less their own running mean."""
    half = max(1, round(_TREND_S / 2 / frame_s))
    sums = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)], axis=1)
    m = rows.shape[1]
    low = np.maximum(np.arange(m) - half, 0)
    high = np.minimum(np.arange(m) + half + 1, m)
    return np.asarray(rows - (sums[:, high] - sums[:, low]) / (high - low))


def _normalised(rows: F64) -> F64:
    centred = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(length, 1e-9))


def _vertex(three: F64) -> float:
    """Where a parabola through three values has its top, from the middle one."""
    bend = three[0] - 2 * three[1] + three[2]
    return 0.0 if bend >= 0 else float(0.5 * (three[0] - three[2]) / bend)
