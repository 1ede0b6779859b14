"""Rims and bars around a picture: scanned borders, frames, letterboxes. They are no part of the portrait."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facepuppet.core.types import U8, Floats

_SAME_LEVELS = 12  # of 255, in the channel that differs most: noise of JPEGs around one colour
_STRAYS = 0.05  # share of a rim's line that may differ all the same: ringing beside the edge
_ACROSS = 0.7  # share of the line past the edge that must differ
_AT_ONCE = 0.5  # share of the line that must change from one line to the next but one
_OUTER = 0.5  # the same, of its first and last eighth: a flat hat before a backdrop is no edge of the picture
_DRIFT_LEVELS = 4  # more, from first line to last, is the shade of a wall
_EDGE_PX = 10  # over which the blocks of a JPEG may smear the edge
_NARROWEST_PX = 16
_MOST = 0.45  # of a side's length; two bars of a third each leave an upright picture in a wide one
_ROUNDS = 3  # rims within rims


def without_rims(rgb: U8) -> tuple[U8, tuple[int, int]]:
    """Cut off uniform rims and bars of an (H, W, 3) RGB picture.

    A rim has one colour and ends in a straight edge over the whole width (or height). A plain backdrop
    does not: where it ends, a head begins.

    Returns:
        The picture, itself where there is no rim, and how many pixels were cut off on the left and on top.
    """
    left = top = 0
    for _ in range(_ROUNDS):
        height, width = rgb.shape[:2]
        y0, x0 = _rim_px(rgb), _rim_px(rgb.transpose(1, 0, 2))
        y1, x1 = height - _rim_px(rgb[::-1]), width - _rim_px(rgb[:, ::-1].transpose(1, 0, 2))
        if (x0, y0, x1, y1) == (0, 0, width, height):
            break
        rgb, left, top = np.ascontiguousarray(rgb[y0:y1, x0:x1]), left + x0, top + y0
    return rgb, (left, top)


def _rim_px(lines: U8) -> int:
    """Return how many of the first lines, (N, L, 3), are a rim."""
    most = int(_MOST * len(lines))
    if most < 1 or lines.shape[1] < _NARROWEST_PX:
        return 0
    colour = np.median(lines[0], axis=0)
    if _differs(lines[0], colour).mean() > _STRAYS:
        return 0
    end = next((n for n in range(1, most + 1) if _differs(lines[n], colour).mean() > _STRAYS), None)
    if end is None or abs(float((np.median(lines[end - 1], axis=0) - colour).mean())) > _DRIFT_LEVELS:
        return 0
    beyond = lines[end : end + _EDGE_PX]
    sharp = _steps(lines[max(0, end - 2) : end + _EDGE_PX])
    return (
        end + _smeared(beyond, colour) if sharp and any(_lies_across(line, colour) for line in beyond) else 0
    )


def _steps(lines: U8) -> bool:
    """Tell whether at least half of a line changes within two; the shade of a wall takes more."""
    pairs = zip(lines[2:].astype(np.float32), lines[:-2], strict=True)
    return any(_differs(line, before).mean() >= _AT_ONCE for line, before in pairs)


def _lies_across(line: U8, colour: Floats) -> bool:
    """Tell whether a line is no rim over its whole length."""
    differs = _differs(line, colour)
    eighth = len(differs) // 8
    outer = min(differs[:eighth].mean(), differs[-eighth:].mean())
    return bool(differs.mean() >= _ACROSS and outer >= _OUTER)


def _differs(line: U8 | Floats, colour: U8 | Floats) -> npt.NDArray[np.bool_]:
    return np.asarray(np.abs(line - colour).max(axis=-1) > _SAME_LEVELS)


def _smeared(beyond: U8, colour: Floats) -> int:
    """Return how many lines past the rim are more rim than picture."""
    apart = np.abs(beyond - colour).mean(axis=(1, 2))
    return int(np.argmax(apart > 0.6 * apart.max()))
