"""From frames to evidence: a lock-in amplifier for every pixel of a reduced picture.

Each block of one second is fitted, pixel by pixel, with a constant, a slope and a sinusoid at the
mark's rate (least squares on the frames' own times, so drops and odd rates do not matter). The
sinusoid is the mark plus whatever moves: the turning evidence. The constant is the still picture,
plus the mark wherever a codec froze it: VP8's denoiser lets calm places stand still at the phase
they had when last coded. That is the still evidence, as is all of a single frame.

Each field is split into sub-bands and each divided by its local energy, so that moving heads and
texture count little and calm walls count much; blocks then add up.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.watermark.carrier import C64, RATE_HZ

ANALYSIS_SIDE_PX = 270  # shorter side of the reduced picture: three pixels a cell at full frame
_MIN_SPAN = 0.9  # of a turn: below it the sinusoid cannot be told from constant and slope
_SIGMAS_PX = (0.8, 1.6, 3.2, 6.0)  # differences of neighbours are the sub-bands
_LOCAL_PX = 7
_FLOOR = 0.3  # grey levels: evidence of a perfectly calm place is not infinite


def reduce_luma(luma: U8) -> F32:
    """Return the (h, w) float32 analysis picture whose shorter side is 270 pixels."""
    height, width = luma.shape
    ratio = ANALYSIS_SIDE_PX / min(height, width)
    size_px = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    method = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(luma.astype(np.float32), size_px, interpolation=method), np.float32)


class Block:
    """Sums for the fit of one stretch of frames, all of one size."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.n_frames = 0
        self.start_s = self.end_s = 0.0
        self._gram = np.zeros((4, 4))
        self._sums = np.zeros((4, *shape), np.float32)

    def add(self, picture: F32, t_s: float) -> None:
        """Add one analysis picture shown at t_s."""
        if self.n_frames == 0:
            self.start_s = t_s
        self.end_s = t_s
        angle = 2 * np.pi * RATE_HZ * t_s
        basis = np.array([1.0, np.cos(angle), np.sin(angle), t_s - self.start_s])
        self._gram += np.outer(basis, basis)
        for plane, weight in zip(self._sums, basis, strict=True):
            cv2.scaleAdd(picture, float(weight), plane, plane)
        self.n_frames += 1

    def evidence(self) -> C64:
        """Return (2, h, w): turning and still evidence, carrier times local reliability up to a phase.

        A block too short to tell them apart has all of it in the still field.
        """
        return np.stack([_weigh(field) for field in self._fields()])

    def _fields(self) -> tuple[C64, C64]:
        if self.n_frames < 6 or (self.end_s - self.start_s) * RATE_HZ < _MIN_SPAN:
            mean = np.asarray((self._sums[1] - 1j * self._sums[2]) / self.n_frames, np.complex64)
            return np.zeros_like(mean), mean
        gram = self._gram + 1e-6 * np.eye(4)
        _, cosine, sine, _ = np.tensordot(np.linalg.inv(gram), self._sums, axes=1)
        mean = np.asarray(self._sums[0] / self.n_frames, np.complex64)
        return np.asarray(cosine - 1j * sine, np.complex64), mean


def _weigh(field: C64) -> C64:
    """Split the field into sub-bands, each divided by its local energy, so that what is quiet counts most."""
    planes = np.ascontiguousarray(field).view(np.float32).reshape(*field.shape, 2)
    blurred = [cv2.GaussianBlur(planes, (0, 0), sigma) for sigma in _SIGMAS_PX]
    weighted = np.zeros_like(planes)
    for fine, coarse in pairwise(blurred):
        band = fine - coarse
        energy = cv2.blur((band**2).sum(axis=2), (_LOCAL_PX, _LOCAL_PX))
        weighted += band / (energy + _FLOOR**2)[..., None]
    return weighted.view(np.complex64)[..., 0]
