"""Blind search for the marked canvas: every place at once by FFT, scale by scale, mirrored or not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log

import numpy as np

from facepuppet.watermark.carrier import C64, TORUS_CELLS, Carrier
from facepuppet.watermark.correlate import Geometry, displaced, statistic, surface
from facepuppet.watermark.zoom import Zoom

# From a tile in a gallery of five by five to a third cut out of a canvas, whichever way it is cut.
SCALES = tuple(float(scale) for scale in np.exp(np.arange(np.log(0.19), np.log(3.1), 0.01)))
_SCALE_OFFSETS = (-0.005, -0.0025, 0.0, 0.0025)  # in log scale, within one step of SCALES
_CELL_OFFSETS = (-0.5, -0.25, 0.0, 0.25)
_REFINED = 4

# Everything that could have been returned, for the union bound.
LOG_N_HYPOTHESES = log(
    2 * len(SCALES) * len(_SCALE_OFFSETS) * TORUS_CELLS[0] * TORUS_CELLS[1] * len(_CELL_OFFSETS) ** 2
)


@dataclass(frozen=True, slots=True)
class Match:
    """A geometry and the pilot's statistic under it."""

    geometry: Geometry
    score: float


def blind_search(evidence: C64, carriers: tuple[Carrier, ...]) -> tuple[Match, ...]:
    """Return each key's best match over all scales, places and both mirrors.

    Args:
        evidence: (h, w) complex64 from the lock-in.
        carriers: the keys' carriers (they share their frequencies, so one transform serves all).
    """
    coarse: list[list[Match]] = [[] for _ in carriers]
    zoom = Zoom(evidence)
    for scale in SCALES:
        for mirrored, values in zip((False, True), zoom.at(scale), strict=True):
            geometry = Geometry(scale, mirrored=mirrored)
            for found, carrier in zip(coarse, carriers, strict=True):
                found.append(_best_place(values, carrier, geometry))
    return tuple(
        max((_refine(zoom, carrier, match) for match in _strongest(found)), key=lambda match: match.score)
        for found, carrier in zip(coarse, carriers, strict=True)
    )


def _strongest(matches: list[Match]) -> list[Match]:
    return sorted(matches, key=lambda match: -match.score)[:_REFINED]


def _best_place(values: C64, carrier: Carrier, geometry: Geometry) -> Match:
    scores = surface(values, carrier.pilot, carrier)
    row, column = np.unravel_index(scores.argmax(), scores.shape)
    return Match(replace(geometry, row=float(row), column=float(column)), float(scores[row, column]))


def _refine(zoom: Zoom, carrier: Carrier, match: Match) -> Match:
    """Return the best of the fine grid around a coarse match."""
    candidates = []
    for scale_offset in _SCALE_OFFSETS:
        scaled = replace(match.geometry, scale=match.geometry.scale * float(np.exp(scale_offset)))
        values = zoom.at(scaled.scale)[scaled.mirrored]
        values = displaced(values, carrier, scaled.row, scaled.column)
        for row_offset in _CELL_OFFSETS:
            for column_offset in _CELL_OFFSETS:
                moved = displaced(values, carrier, row_offset, column_offset)
                score = statistic(moved, carrier.pilot)
                shifted = replace(scaled, row=scaled.row + row_offset, column=scaled.column + column_offset)
                candidates.append(Match(shifted, score))
    return max(candidates, key=lambda candidate: candidate.score)
