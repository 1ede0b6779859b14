"""Correlation of an evidence field with a key's carrier, at any scale, place and mirror."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32
from facepuppet.watermark.carrier import C64, CELLS_PER_SIDE, TORUS_CELLS, Carrier, band_bins
from facepuppet.watermark.lockin import ANALYSIS_SIDE_PX

_OVERSAMPLE = 2
_RADIAL_BINS = 24


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where the marked canvas lies in the picture examined.

    Attributes:
        scale: shorter side of the canvas over the shorter side of the picture.
        row, column: position of the canvas's centre from the picture's, in cells, modulo the torus,
            seen after the mirror.
        mirrored: the picture was flipped left to right.
    """

    scale: float = 1.0
    row: float = 0.0
    column: float = 0.0
    mirrored: bool = False


def spectrum(evidence: C64, carrier: Carrier, geometry: Geometry) -> C64:
    """Return the (K,) whitened evidence at the carrier's frequencies, seen under the geometry."""
    return picked(torus_transform(evidence, geometry.scale), carrier, geometry)


def torus_transform(evidence: C64, scale: float) -> C64:
    """Return the transform of the evidence sampled twice a cell and folded onto the torus, (256, 384)."""
    planes = np.ascontiguousarray(evidence).view(np.float32).reshape(*evidence.shape, 2)
    return np.asarray(cv2.dft(_fold(_sample(planes, scale))), np.float32).view(np.complex64)[..., 0]


def picked(transform: C64, carrier: Carrier, geometry: Geometry) -> C64:
    """Return the (K,) whitened values of a transform at the carrier's frequencies, mirrored and displaced."""
    height, width = transform.shape
    columns = -carrier.columns if geometry.mirrored else carrier.columns
    values = whitened(transform[carrier.rows % height, columns % width])
    if geometry.row == geometry.column == 0:
        return values
    return displaced(values, carrier, geometry.row, geometry.column)


def displaced(values: C64, carrier: Carrier, row: float, column: float) -> C64:
    """Return the spectrum as seen from a centre moved by so many cells."""
    turns = carrier.rows * (row / TORUS_CELLS[0]) + carrier.columns * (column / TORUS_CELLS[1])
    return np.asarray(values * np.exp(2j * np.pi * turns), np.complex64)


def _sample(planes: F32, scale: float) -> F32:
    """Return (h, w, 2) planes sampled twice a cell of a canvas of that scale, their centre in the middle."""
    height, width = planes.shape[:2]
    step = scale * ANALYSIS_SIDE_PX / CELLS_PER_SIDE / _OVERSAMPLE
    n_rows, n_columns = (int(np.ceil(n / step / 2)) * 2 for n in (height, width))
    if step > 1.5:
        planes = np.asarray(cv2.GaussianBlur(planes, (0, 0), 0.4 * step), np.float32)
    source_from_sample = np.array(
        [
            [step, 0, width / 2 - 0.5 - step * n_columns / 2],
            [0, step, height / 2 - 0.5 - step * n_rows / 2],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(planes, source_from_sample, (n_columns, n_rows), flags=flags), np.float32
    )


def _fold(samples: F32) -> F32:
    """Return the samples summed onto the torus, whose origin is their middle."""
    height, width = (n * _OVERSAMPLE for n in TORUS_CELLS)
    torus = np.zeros((height, width, 2), np.float32)
    n_rows, n_columns = samples.shape[:2]
    row0, column0 = -(n_rows // 2), -(n_columns // 2)
    for top, rows in _pieces(row0, n_rows, height):
        for left, columns in _pieces(column0, n_columns, width):
            piece = samples[rows, columns]
            torus[top : top + piece.shape[0], left : left + piece.shape[1]] += piece
    return torus


def _pieces(start: int, length: int, period: int) -> list[tuple[int, slice]]:
    """Cut a run of samples at multiples of the period; return where each piece goes and what it is."""
    pieces, done = [], 0
    while done < length:
        at = (start + done) % period
        n = min(length - done, period - at)
        pieces.append((at, slice(done, done + n)))
        done += n
    return pieces


def whitened(values: C64) -> C64:
    """Divide by the rms of each ring of spatial frequency."""
    ring, count = _rings()
    energy = np.bincount(ring, np.abs(values) ** 2, _RADIAL_BINS) / count
    return np.asarray(values / np.sqrt(energy + 1e-30)[ring], np.complex64)


@lru_cache(maxsize=1)
def _rings() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return which of 24 rings each bin of the band lies in, and how many bins each ring has."""
    rows, columns = band_bins()
    radius = np.hypot(rows / TORUS_CELLS[0], columns / TORUS_CELLS[1])
    low, high = radius.min(), radius.max()
    ring = np.minimum((radius - low) / (high - low) * _RADIAL_BINS, _RADIAL_BINS - 1).astype(np.int64)
    return ring, np.bincount(ring, minlength=_RADIAL_BINS)


def surface(values: C64, phasors: C64, carrier: Carrier) -> F32:
    """Return `statistic` at every whole-cell displacement, (128, 192) float32."""
    product = np.zeros(TORUS_CELLS, np.complex64)
    product[carrier.rows, carrier.columns] = values * phasors.conj()
    planes = product.view(np.float32).reshape(*TORUS_CELLS, 2)
    out = cv2.dft(planes, flags=cv2.DFT_INVERSE)
    energy = float((np.abs(values[phasors != 0]) ** 2).sum())
    return np.asarray((out[..., 0] ** 2 + out[..., 1] ** 2) / max(energy, 1e-30), np.float32)


def statistic(values: C64, phasors: C64) -> float:
    """Return |Σ F P*|² / Σ |F|² over the support of P."""
    energy = float((np.abs(values[phasors != 0]) ** 2).sum())
    return float(abs(np.vdot(phasors, values)) ** 2 / max(energy, 1e-30))
