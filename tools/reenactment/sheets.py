"""Contact sheets: truth above what was made of it, at the moments that are hard, mouth and eyes enlarged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from facepuppet.core import F32, U8
from reenactment import close_ups
from reenactment.motion_series import Series, find_blinks

CELL_PX = 176
MOUTH_REACH, EYE_REACH = 1.0, 1.6
_GAP_PX = 3
_PAPER = 245
_INK = (20, 20, 20)


def hard_moments(driver: Series, source: int, count: int = 10) -> list[int]:
    """Frames worth looking at: blinks, gaze to every side, open and wide mouths, turns; in time order."""
    wanted = list(find_blinks(driver, driver).frames[:2])
    for name in ("mouth_open", "gaze_x", "gaze_y", "yaw", "mouth_width", "eye_left", "pitch", "brow"):
        values = driver[name]
        if np.isfinite(values).any():
            away = values - values[source]
            wanted += [int(np.nanargmax(away)), int(np.nanargmin(away))]
    chosen: list[int] = []
    for frame in wanted:
        if all(abs(frame - other) > 2 for other in (*chosen, source)):
            chosen.append(frame)
    return sorted(chosen[:count])


def contact_sheet(
    source: U8, rows: Mapping[str, Sequence[U8]], landmarks_px: F32, moments: Sequence[int]
) -> U8:
    """Whole frames, then mouths, then both eyes, a row for each of `rows`.

    Args:
        source: (H, W, 3) RGB, shown first.
        rows: name to pictures of all frames; the first is the truth.
        landmarks_px: (N, 478, 3) of the truth, which place the close-ups in every row.
        moments: which frames to show.
    """
    bands = []
    for view in (_whole, _mouth, _eyes):
        for name, pictures in rows.items():
            cells = [view(pictures[n], landmarks_px[n]) for n in moments]
            first = _whole(source, landmarks_px[0]) if view is _whole else np.full_like(cells[0], _PAPER)
            bands.append(_band(name, [first, *cells]))
    return np.vstack(bands)


def strip(name: str, pictures: Sequence[U8]) -> U8:
    """One row of whole pictures."""
    return _band(name, [_fit(rgb) for rgb in pictures])


def stacked(bands: Sequence[U8]) -> U8:
    """Rows of unequal width, one above the other."""
    width = max(band.shape[1] for band in bands)
    return np.vstack(
        [np.pad(b, ((0, 0), (0, width - b.shape[1]), (0, 0)), constant_values=_PAPER) for b in bands]
    )


def _band(name: str, cells: Sequence[U8]) -> U8:
    height = cells[0].shape[0]
    gap = np.full((height, _GAP_PX, 3), _PAPER, np.uint8)
    row = np.hstack([piece for cell in cells for piece in (cell, gap)])
    band = np.vstack([row, np.full((_GAP_PX, row.shape[1], 3), _PAPER, np.uint8)])
    for colour, thickness in (((255, 255, 255), 3), (_INK, 1)):
        cv2.putText(band, name, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thickness, cv2.LINE_AA)
    return band


def _whole(rgb: U8, landmarks_px: F32) -> U8:
    return _fit(rgb)


def _mouth(rgb: U8, landmarks_px: F32) -> U8:
    cut = close_ups.mouth(landmarks_px, CELL_PX, MOUTH_REACH).cut(rgb)
    return cut[CELL_PX // 8 : -CELL_PX // 8]


def _eyes(rgb: U8, landmarks_px: F32) -> U8:
    return np.hstack([eye.cut(rgb) for eye in close_ups.eyes(landmarks_px, CELL_PX // 2, EYE_REACH)])


def _fit(rgb: U8) -> U8:
    height, width = rgb.shape[:2]
    scale = CELL_PX / max(height, width)
    small = cv2.resize(rgb, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    cell = np.full((CELL_PX, CELL_PX, 3), _PAPER, np.uint8)
    top, left = (CELL_PX - small.shape[0]) // 2, (CELL_PX - small.shape[1]) // 2
    cell[top : top + small.shape[0], left : left + small.shape[1]] = small
    return cell
