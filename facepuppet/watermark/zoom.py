"""The transform of one evidence field at any scale, from a single FFT.

Sampling a field at every scale and transforming each time costs most at small scales, where a canvas has
few pixels and the torus repeats often. But the transform at a scale is nothing else than the field's
Fourier transform read at frequencies that shrink with the scale: one padded FFT, interpolated, holds all
of them.
"""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import F32
from facepuppet.watermark.carrier import C64, CELLS_PER_SIDE, TORUS_CELLS, band_bins
from facepuppet.watermark.correlate import whitened
from facepuppet.watermark.lockin import ANALYSIS_SIDE_PX

_PADDING = 2.0  # the least: interpolation between finer bins errs less
_NYQUIST = 0.5  # cycles a pixel


class Zoom:
    """Reads the whitened values of a field under any scale.

    Args:
        evidence: (h, w) complex64 from the lock-in.
    """

    def __init__(self, evidence: C64) -> None:
        rows, columns = band_bins()
        self._rows, self._columns = rows / TORUS_CELLS[0], columns / TORUS_CELLS[1]  # cycles a cell
        self._planes = _transform(evidence)

    def at(self, scale: float) -> tuple[C64, C64]:
        """Return (K,) whitened values seen plain and mirrored, for a canvas of that scale in the middle.

        Frequencies finer than the field's pixels are zero.
        """
        cell_px = scale * ANALYSIS_SIDE_PX / CELLS_PER_SIDE
        fy, fx = self._rows / cell_px, self._columns / cell_px
        height, width = self._planes.shape[:2]
        y, x = fy * height + height // 2, fx * width
        maps = (
            np.stack([width // 2 + x, width // 2 - x]).astype(np.float32),
            np.stack([y, y]).astype(np.float32),
        )
        read = np.asarray(cv2.remap(self._planes, *maps, cv2.INTER_LINEAR), np.float32)
        values = np.ascontiguousarray(read).view(np.complex64)[..., 0]
        values[:, np.maximum(abs(fy), abs(fx)) >= _NYQUIST] = 0
        return whitened(values[0]), whitened(values[1])


def _transform(evidence: C64) -> F32:
    """Return the field's transform about its middle, (H, W, 2) with frequency 0 at (H // 2, W // 2)."""
    height, width = evidence.shape
    tall, wide = (2 * cv2.getOptimalDFTSize(int(np.ceil(n * _PADDING / 2))) for n in (height, width))
    # Interpolating the transform multiplies the field by a squared sinc, which is undone beforehand.
    rows, columns = ((np.arange(n) - n / 2 + 0.5) for n in (height, width))
    even = np.outer(np.sinc(rows / tall) ** -2, np.sinc(columns / wide) ** -2)
    # Signs that alternate shift the transform by half its size; the field starts at index 0, so its
    # middle is brought to the origin by phases.
    signs = np.outer((-1.0) ** np.arange(height), (-1.0) ** np.arange(width))
    padded = np.zeros((tall, wide), np.complex64)
    padded[:height, :width] = evidence * (even * signs)
    planes = np.asarray(
        cv2.dft(padded.view(np.float32).reshape(tall, wide, 2), nonzeroRows=height), np.float32
    )
    fy = (np.arange(tall) - tall // 2) / tall
    fx = (np.arange(wide) - wide // 2) / wide
    turn_y = np.exp(2j * np.pi * fy * (height / 2 - 0.5)).astype(np.complex64)
    turn_x = np.exp(2j * np.pi * fx * (width / 2 - 0.5)).astype(np.complex64)
    centred = planes.view(np.complex64)[..., 0] * turn_y[:, None] * turn_x
    return np.ascontiguousarray(centred).view(np.float32).reshape(tall, wide, 2)
