"""Eyes larger than a human's: where the painted eye ends.

The face mesh knows human eyes only. On cartoons and paintings with large eyes its rims of the lids lie
inside the painted eye: a blink would leave a rest of the eye uncovered, and the iris is taken for smaller
than it is. Both are set right here, where the picture shows beyond doubt that they are wrong.
"""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import F32, F64, U8
from facepuppet.face.topology import EYES, N_MESH
from facepuppet.portrait.eye_colours import EyeColours
from facepuppet.portrait.eye_view import COLUMNS, HEIGHT, WIDTH, Disc, EyeView, Mask
from facepuppet.portrait.iris import fit_iris
from facepuppet.portrait.morphology import disc

# Lengths are shares of the eye's width.
REACH = 0.35  # how far outside the rims is looked
GRAIN = 0.05  # what is narrower is not looked at
EDGE = 0.015  # softness of the eye's edge, given to the eye
SETTLE = 0.5  # how far from the eye the skin makes room

# Eye found outside the rims, over eye inside, that is no error of the mesh. Over 372 photos the lesser
# of a face's two is at most 0.10; it is 0.20 in a cartoon whose eyes did not close.
EVIDENT = 0.15


def fit_eyes(rgb: U8, landmarks_px: F32) -> F32:
    """Return the landmarks with the lids' rims where the eyes end, and the irises as large as painted.

    Ordinary eyes come back unchanged. Skin makes room smoothly; the brows stay.

    Args:
        rgb: (H, W, 3) uint8 portrait.
        landmarks_px: (478, 3) float32 as tracked on it; not written to.
    """
    fitted = landmarks_px.copy()
    for eye in EYES:
        view = EyeView.of(rgb, landmarks_px, eye)
        colours = EyeColours.of(view)
        whole = None if colours is None else _whole_eye(view, colours.surely_eye(view))
        if colours is None or whole is None:
            return landmarks_px  # a face's eyes are alike: both are large, or none is
        iris = fit_iris(view, whole, colours.white)
        if iris is not None:
            whole = _grown(view, whole | (view.within(iris) & colours.perhaps_iris(view)))
            offset = _ring(iris) - view.points[eye.iris]
            fitted[eye.iris, :2] += (offset @ view.portrait_from_view.T).astype(np.float32)
        fitted[:N_MESH, :2] += (_make_room(view, whole) @ view.portrait_from_view.T).astype(np.float32)
    return fitted


def _whole_eye(view: EyeView, found: Mask) -> Mask | None:
    """Where the eye is; None when that is not evidently more than the mesh says."""
    whole = _grown(view, found)
    return whole if whole.sum() >= (1.0 + EVIDENT) * view.opening().sum() else None


def _grown(view: EyeView, found: Mask) -> Mask:
    """The opening and what was found joined to it, without dents (dark iris, lashes)."""
    opening = view.opening()
    near = cv2.dilate(opening.astype(np.uint8), _disc(REACH))
    grains = cv2.morphologyEx((found | opening).astype(np.uint8) & near, cv2.MORPH_OPEN, _disc(GRAIN / 2))
    _, labels = cv2.connectedComponents(grains | opening)
    ours = np.unique(labels[opening])
    eye = np.isin(labels, ours[ours > 0]).astype(np.uint8)
    points = np.argwhere(eye)[:, ::-1].astype(np.int32)
    whole: U8 = cv2.fillConvexPoly(np.zeros_like(eye), cv2.convexHull(points), 1)
    return whole > 0


def _make_room(view: EyeView, whole: Mask) -> F64:
    """Offsets (468, 2) in view pixels that move the rims to the edge of the whole eye.

    Skin around is squeezed the less the farther it is, never so much that one point overtakes another.
    """
    whole = cv2.dilate(whole.astype(np.uint8), _disc(EDGE)) > 0
    columns = np.flatnonzero(whole.any(axis=0))
    top, bottom = whole.argmax(axis=0)[columns], HEIGHT - 1 - whole[::-1].argmax(axis=0)[columns]
    x, y = view.points[:N_MESH].T
    within = np.clip(x, COLUMNS[0], COLUMNS[-1])
    target = np.interp(within, COLUMNS[[0, -1]], columns[[0, -1]])
    upper, lower = np.interp(within, COLUMNS, view.upper), np.interp(within, COLUMNS, view.lower)
    rise, drop = np.interp(target, columns, top) - upper, np.interp(target, columns, bottom) - lower
    below = y > (upper + lower) / 2
    brow = view.points[view.eye.brow_lower]
    to_brow = float((np.interp(brow[:, 0], COLUMNS, view.upper) - brow[:, 1]).min())
    room = np.where(below, _room(SETTLE * WIDTH, drop), _room(to_brow, rise))
    away = np.abs(y - np.where(below, lower, upper)) / room + np.abs(x - within) / (SETTLE * WIDTH)
    offset: F64 = np.column_stack([target - within, np.where(below, drop, rise)])
    offset *= np.clip(1.0 - away, 0.0, 1.0)[:, None]
    return offset


def _room(wanted: float, move: F64) -> float:
    """How far a move spreads over the skin: as wanted, or as it must lest the skin folds."""
    return max(wanted, 2.0 * float(np.abs(move).max()), 1.0)


def _ring(iris: Disc) -> F64:
    """Centre, image right, top, left and bottom (5, 2), as the landmarks of an iris."""
    return iris.centre + iris.radius * np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]])


def _disc(radius: float) -> U8:
    """A brush whose radius is given in eye widths."""
    return disc(round(radius * WIDTH))
