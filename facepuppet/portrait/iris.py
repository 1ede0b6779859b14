"""The rim of an iris larger than a human's, from where it turns to white."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import F32, F64
from facepuppet.portrait.eye_view import Disc, EyeView, Mask

SEARCH = (0.8, 1.8)  # where the rim is looked for, in radii of the tracked iris
SIDES_RAD = 1.0  # how far from the horizontal: lids cut what is above and below
N_RAYS = 48
FAR = 25.0  # from white, in L*a*b* with half the lightness
MIN_FALL = 6.0  # of that distance from iris to white, over 4 px of the view
MIN_RAYS = 16
CLEARLY_LARGER = 1.08
MAX_MOVE = 0.5  # of the centre, in radii


def fit_iris(view: EyeView, whole: Mask, white: F32) -> Disc | None:
    """The painted iris; None unless it is clearly larger than tracked.

    Args:
        view: the eye.
        whole: where the view shows the eye, lids excluded.
        white: (3,) L*a*b* of the white around the iris.
    """
    tracked = view.iris
    rim = _rim_points(view, whole, white)
    for _ in range(3):
        if len(rim) < MIN_RAYS:
            return None
        fitted = _circle(rim)
        error = np.abs(np.linalg.norm(rim - fitted.centre, axis=1) - fitted.radius)
        rim = rim[error <= max(0.06 * fitted.radius, 1.5 * float(np.median(error)))]
    if not CLEARLY_LARGER < fitted.radius / tracked.radius < SEARCH[1]:
        return None
    moved = float(np.linalg.norm(fitted.centre - tracked.centre))
    return fitted if moved < MAX_MOVE * tracked.radius else None


def _rim_points(view: EyeView, whole: Mask, white: F32) -> F64:
    """Points (N, 2) where rays from the tracked centre turn to white most steeply."""
    centre, radius = view.iris.centre, view.iris.radius
    side = np.linspace(-SIDES_RAD, SIDES_RAD, N_RAYS // 2)
    angles = np.concatenate([side, np.pi + side])
    steps = np.arange(SEARCH[0] * radius - 2.0, SEARCH[1] * radius + 3.0)
    rays = centre + steps[None, :, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)[:, None]
    x, y = rays.astype(np.float32)[..., 0], rays.astype(np.float32)[..., 1]
    # Whatever is far from white is alike: the pupil's rim and rings in the iris are no rim of the iris.
    unlike = np.linalg.norm((view.lab - white) * (0.5, 1.0, 1.0), axis=-1).clip(max=FAR)
    along = cv2.remap(unlike.astype(np.float32), x, y, cv2.INTER_LINEAR)
    inside = cv2.remap(whole.astype(np.uint8), x, y, cv2.INTER_NEAREST) > 0
    fall = np.where(inside[:, 4:], along[:, :-4] - along[:, 4:], 0.0)
    steepest = fall.argmax(axis=1)
    found = fall.max(axis=1) >= MIN_FALL
    points: F64 = rays[found, steepest[found] + 2]
    return points


def _circle(points: F64) -> Disc:
    """Least-squares circle (Kåsa 1976)."""
    matrix = np.column_stack([2.0 * points, np.ones(len(points))])
    x, y, c = np.linalg.lstsq(matrix, (points**2).sum(axis=1), rcond=None)[0]
    return Disc(np.array([x, y]), float(np.sqrt(max(c + x * x + y * y, 0.0))))
