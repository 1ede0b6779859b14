"""Correlation of an evidence field with a key's carrier, at any scale, place and mirror."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.types import F32
from facepuppet.watermark.carrier import C64, CELLS_PER_SIDE, TORUS_CELLS, Carrier
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
    folded = _fold(_sample(evidence, geometry))
    height, width = folded.shape[:2]
    transformed = cv2.dft(folded).view(np.complex64)[..., 0]
    values = transformed[carrier.rows % height, carrier.columns % width]
    return displaced(_whiten(values, carrier), carrier, geometry.row, geometry.column)


def displaced(values: C64, carrier: Carrier, row: float, column: float) -> C64:
    """Return the spectrum as seen from a centre moved by so many cells."""
    turns = carrier.rows * (row / TORUS_CELLS[0]) + carrier.columns * (column / TORUS_CELLS[1])
    return np.asarray(values * np.exp(2j * np.pi * turns), np.complex64)


def _sample(evidence: C64, geometry: Geometry) -> F32:
    """Return the evidence sampled twice a cell, (rows, columns, 2), the canvas's centre in the middle."""
    planes = np.ascontiguousarray(evidence).view(np.float32).reshape(*evidence.shape, 2)
    height, width = planes.shape[:2]
    if geometry.mirrored:
        planes = np.ascontiguousarray(planes[:, ::-1])
    px_per_cell = geometry.scale * ANALYSIS_SIDE_PX / CELLS_PER_SIDE
    step = px_per_cell / _OVERSAMPLE
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


def _whiten(values: C64, carrier: Carrier) -> C64:
    """Divide by the mean energy of each ring of spatial frequency."""
    ring = _rings(carrier)
    energy = np.bincount(ring, np.abs(values) ** 2, _RADIAL_BINS) / np.maximum(
        np.bincount(ring, None, _RADIAL_BINS), 1
    )
    return np.asarray(values / np.sqrt(energy + 1e-30)[ring], np.complex64)


def _rings(carrier: Carrier) -> npt.NDArray[np.int64]:
    height, width = TORUS_CELLS
    radius = np.hypot(carrier.rows / height, carrier.columns / width)
    low, high = radius.min(), radius.max()
    return np.asarray(np.minimum((radius - low) / (high - low) * _RADIAL_BINS, _RADIAL_BINS - 1), np.int64)


def surface(values: C64, phasors: C64, carrier: Carrier) -> F32:
    """Return `statistic` at every whole-cell displacement, (128, 192) float32."""
    product = np.zeros(TORUS_CELLS, np.complex64)
    product[carrier.rows, carrier.columns] = values * phasors.conj()
    planes = product.view(np.float32).reshape(*TORUS_CELLS, 2)
    out = cv2.dft(planes, flags=cv2.DFT_INVERSE)
    energy = float((np.abs(values[phasors != 0]) ** 2).sum())
    return np.asarray((out**2).sum(axis=2) / max(energy, 1e-30), np.float32)


def statistic(values: C64, phasors: C64) -> float:
    """Return |Σ F P*|² / Σ |F|² over the support of P."""
    energy = float((np.abs(values[phasors != 0]) ** 2).sum())
    return float(abs(np.vdot(phasors, values)) ** 2 / max(energy, 1e-30))
