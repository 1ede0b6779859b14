"""Fine texture for a hole, copied in large pieces from around it.

A shift map (Pritch, Kav-Venaki and Peleg, "Shift-Map Image Editing", ICCV 2009) over few coarse
shifts; windowed costs instead of a graph cut keep the pieces large.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32

Mask = npt.NDArray[np.bool_]

_SIDE_CELLS = 96  # shifts are chosen per cell of a grid this long
_STEP_CELLS = 6  # shifts are multiples of this
_WINDOW_CELLS = 13
_MOST_SHIFTS = 8
_FARNESS_COST = 1500.0  # squared colour levels a shift loses for being a picture's length long
_ALIKE = 40.0  # colour levels between which a piece still fits
_IMPOSSIBLE = 3e4  # costs no texture at all


def copy_texture(detail: F32, known: Mask, guide: F32) -> F32:
    """Fill a hole in a zero-mean texture.

    Args:
        detail: (H, W, 3) float32 texture; only its known part is read.
        known: (H, W), false in the hole.
        guide: (H, W, 3) float32 broad colours, hole included: pieces come from places of like colour.

    Returns:
        (H, W, 3) float32, zero where known and where nothing could be copied. Pieces are blended
        so that the texture keeps its strength across seams.
    """
    shifts, choice = _choose_shifts(known, guide)
    height, width = known.shape
    cell = max(height / choice.shape[0], width / choice.shape[1])
    total = np.zeros_like(detail)
    energy = np.full((height, width), 1e-6, np.float32)
    for index, (down, right) in enumerate(shifts):
        share = cv2.resize(
            (choice == index).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR
        )
        to, source = _overlap(known.shape, round(down * cell), round(right * cell))
        weight = share[to] * known[source]
        # Where colours differ after all, a piece would bring foreign things: it fades out there.
        unlike = ((guide[to] - guide[source]) ** 2).sum(axis=-1)
        likeness = np.exp(-unlike / (2 * _ALIKE**2))
        total[to] += (weight * likeness)[..., None] * detail[source]
        energy[to] += weight**2
    return np.where(known[..., None], 0, total / np.sqrt(energy)[..., None]).astype(np.float32)


def _choose_shifts(known: Mask, guide: F32) -> tuple[list[tuple[int, int]], npt.NDArray[np.intp]]:
    """Return the shifts used (down, right; in cells) and for each cell which of them."""
    scale = min(1.0, _SIDE_CELLS / max(known.shape))
    size = (max(1, round(known.shape[1] * scale)), max(1, round(known.shape[0] * scale)))
    colours = cv2.resize(guide, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    usable = np.asarray(cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99)
    spans = [range(-(n // _STEP_CELLS) * _STEP_CELLS, n, _STEP_CELLS) for n in size[::-1]]
    shifts = [(down, right) for down in spans[0] for right in spans[1] if (down, right) != (0, 0)]
    if not shifts:
        return [], np.zeros(size[::-1], np.intp)
    costs = np.stack([_cost(colours, usable, *shift) for shift in shifts])
    chosen = _pick(costs[:, ~usable])
    return [shifts[i] for i in chosen], costs[chosen].argmin(axis=0)


def _pick(costs: F32) -> list[int]:
    """Pick the few shifts of (S, cells) that together serve the cells best, greedily."""
    best = np.full(costs.shape[1], _IMPOSSIBLE, np.float32)
    chosen: list[int] = []
    for _ in range(_MOST_SHIFTS):
        chosen.append(int(np.minimum(costs, best).sum(axis=1).argmin()))
        best = np.minimum(best, costs[chosen[-1]])
    return chosen


def _cost(colours: F32, usable: Mask, down: int, right: int) -> F32:
    """How badly each cell is served by the cell `down` and `right` of it, its surroundings likewise."""
    cost = np.full(usable.shape, _IMPOSSIBLE, np.float32)
    to, source = _overlap(usable.shape, down, right)
    farness = _FARNESS_COST * (down**2 + right**2) / max(usable.shape) ** 2
    unlike = ((colours[to] - colours[source]) ** 2).sum(axis=-1) + farness
    cost[to] = np.where(usable[source], unlike, _IMPOSSIBLE)
    around = cv2.blur(cost, (_WINDOW_CELLS, _WINDOW_CELLS))
    return np.where(cost < _IMPOSSIBLE, around, _IMPOSSIBLE).astype(np.float32)


def _overlap(
    shape: tuple[int, ...], down: int, right: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return where the shifted picture overlaps itself: target slices and source slices."""
    rows, columns = (
        (slice(max(0, -shift), max(0, min(length, length - shift))), shift)
        for shift, length in zip((down, right), shape[:2], strict=True)
    )
    target = (rows[0], columns[0])
    source = tuple(slice(s.start + shift, s.stop + shift) for s, shift in (rows, columns))
    return target, (source[0], source[1])
