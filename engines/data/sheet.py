"""A contact sheet of samples, to look at before training on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from engines.data.samples import Sample
from facepuppet.core import U8

COLUMNS, ROWS = 5, 12


def save_sheet(samples: Sequence[Sample], path: Path, seed: int = 1) -> None:
    """Write a picture of random samples: source, warped, target and contours side by side."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(samples), min(COLUMNS * ROWS, len(samples)), replace=False)
    tiles = [_tile(samples[int(i)]) for i in chosen]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack(rows)).save(path)


def _tile(sample: Sample) -> U8:
    shown = [sample.source, sample.warped, sample.target]
    if len(sample.contours):
        outer, inner, rest = sample.contours[0], sample.contours[1], sample.contours[2]
        shown.append(np.stack([outer, inner, rest], -1))
    return np.pad(np.hstack(shown), ((0, 4), (0, 6), (0, 0)))
