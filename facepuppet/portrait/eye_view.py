"""One eye, seen upright and at one size, whatever the portrait."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32, F64, U8
from facepuppet.face.topology import EyeTopology

WIDTH = 100  # of an eye from corner to corner, in pixels of the view
MARGIN = 50  # beside the corners
HEIGHT = 200  # of the view; the line between the corners is its middle
COLUMNS = np.arange(MARGIN, MARGIN + WIDTH + 1)  # from corner to corner

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Disc:
    """A disc in the view."""

    centre: F64  # (2,)
    radius: float


@dataclass(frozen=True, slots=True)
class EyeView:
    """An eye with its corners on the middle row, WIDTH apart; x runs to the image right, y down.

    Attributes:
        eye: which eye.
        lab: (HEIGHT, WIDTH + 2·MARGIN, 3) float32 CIE L*a*b*.
        points: (478, 2) the portrait's landmarks in the view.
        portrait_from_view: (2, 2) carries displacements back.
        upper, lower: (WIDTH + 1,) heights of the lids' rims at COLUMNS.
        iris: as tracked.
    """

    eye: EyeTopology
    lab: F32
    points: F64
    portrait_from_view: F64
    upper: F64
    lower: F64
    iris: Disc

    @classmethod
    def of(cls, rgb: U8, landmarks_px: F32, eye: EyeTopology) -> EyeView:
        """Look at one eye of an (H, W, 3) uint8 RGB portrait."""
        left, right = sorted(landmarks_px[[eye.outer, eye.inner], :2].astype(np.float64).tolist())
        along = np.subtract(right, left)
        portrait_from_view = np.array([[along[0], -along[1]], [along[1], along[0]]]) / WIDTH
        view_from_portrait = np.linalg.inv(portrait_from_view)
        offset = np.array([MARGIN, HEIGHT / 2]) - view_from_portrait @ left
        shrink = float(np.linalg.norm(along)) / WIDTH
        fine = cv2.GaussianBlur(rgb, (0, 0), 0.5 * shrink) if shrink > 1.0 else rgb
        seen = cv2.warpAffine(
            fine,
            np.column_stack([view_from_portrait, offset]),
            (WIDTH + 2 * MARGIN, HEIGHT),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        seen = cv2.GaussianBlur(seen, (0, 0), 1.0)  # single lashes and grain
        lab = cv2.cvtColor(seen.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        points = landmarks_px[:, :2] @ view_from_portrait.T + offset
        centre = points[eye.iris_centre]
        radius = float(np.linalg.norm(points[eye.iris_ring] - centre, axis=1).mean())
        return cls(
            eye,
            lab.astype(np.float32),
            points,
            portrait_from_view,
            _height(points[eye.upper_lid]),
            _height(points[eye.lower_lid]),
            Disc(centre, radius),
        )

    def opening(self) -> Mask:
        """Where the view shows the inside of the lids' rims."""
        rows = np.arange(HEIGHT)[:, None]
        inside = np.zeros(self.lab.shape[:2], bool)
        inside[:, COLUMNS] = (rows > self.upper + 1) & (rows < self.lower - 1)
        return inside

    def within(self, disc: Disc, share: float = 1.0) -> Mask:
        """Where the view is inside a disc, its radius multiplied by a share."""
        x, y = np.arange(self.lab.shape[1]), np.arange(HEIGHT)[:, None]
        inside: Mask = np.hypot(x - disc.centre[0], y - disc.centre[1]) < share * disc.radius
        return inside


def _height(line: F64) -> F64:
    line = line[np.argsort(line[:, 0])]
    height: F64 = np.interp(COLUMNS, line[:, 0], line[:, 1])
    return height
