"""Where the irises lie between the eye corners, as the camera sees it.

Gaze is carried over in the picture plane: what tells an onlooker where eyes look is how the iris
divides the visible eye, and the tracker's depth of the iris is too poor to go through space.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from facepuppet.core.types import F32, F64, Floats
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.gaze import IRIS_ORBIT
from facepuppet.face.topology import EYES

_POINTS = np.array([(eye.iris_centre, eye.outer, eye.inner) for eye in EYES]).ravel()
_IRISES = [slice(eye.iris_centre, eye.iris_centre + 5) for eye in EYES]  # centre and rim


def iris_position(landmarks_px: Floats) -> F64:
    """Position (2, 2) of each iris, image-left eye first: to the right and down from mid-eye, in eye widths.

    Both eyes look at one thing, so their mean is the gaze, with half the tracker's noise.

    Args:
        landmarks_px: (478, 2 or 3) in the image or portrait frame.
    """
    return np.array(_positions(landmarks_px))


def eye_widths_from_angles(angles_rad: Floats) -> F64:
    """Shift (..., 2) of an iris in eye widths, as a viewer before the face sees it.

    Args:
        angles_rad: (..., 2) yaw and pitch of the eye from straight ahead, signs as in the head pose.
    """
    yaw, pitch = np.moveaxis(np.asarray(angles_rad, np.float64), -1, 0)
    mean = canonical_landmarks()
    width = float(np.mean([np.linalg.norm(mean[eye.outer] - mean[eye.inner]) for eye in EYES]))
    across = np.stack([np.sin(yaw) * np.cos(pitch), np.sin(pitch)], axis=-1)
    return np.asarray(IRIS_ORBIT / width * across)


class Irises:
    """The irises of one portrait, placed anew in every frame.

    Args:
        rest_px: (478, 3) the portrait's own landmarks.
    """

    def __init__(self, rest_px: Floats) -> None:
        self._rest = _positions(rest_px)

    def move(self, landmarks_px: F32, gaze: Sequence[tuple[float, float]], steady: Sequence[float]) -> None:
        """Place the irises of the moved portrait, in place.

        Args:
            landmarks_px: (478, 3) moved landmarks; only the irises are written to.
            gaze: of each eye, image-left first, shift from the portrait's own iris position, as in
                `iris_position`.
            steady: for each eye, how much of the vertical shift to follow (0..1).
        """
        for eye, rest, shift, share in zip(_eyes(landmarks_px), self._rest, gaze, steady, strict=True):
            right, down = rest[0] + shift[0], rest[1] + share * shift[1]
            x_px = eye.middle[0] + right * eye.along[0] - down * eye.along[1]
            y_px = eye.middle[1] + right * eye.along[1] + down * eye.along[0]
            landmarks_px[eye.iris, :2] += np.array([x_px - eye.centre[0], y_px - eye.centre[1]], np.float32)


def move_irises(landmarks_px: F32, rest_px: Floats, gaze: Floats, steady: Floats) -> None:
    """Place the irises of a moved portrait once, in place, as `Irises` does.

    Args:
        landmarks_px: (478, 3) moved landmarks; only the irises are written to.
        rest_px: (478, 3) the portrait's own landmarks.
        gaze: (2,) shift of both from the portrait's own iris position, as in `iris_position`.
        steady: (2,) for each eye, image-left first, how much of the vertical shift to follow (0..1).
    """
    x, y = np.asarray(gaze).tolist()
    Irises(rest_px).move(landmarks_px, [(x, y), (x, y)], np.asarray(steady).tolist())


class _Eye(NamedTuple):
    """One eye in a picture: numbers of Python, for arrays of 2 cost more than the sums."""

    centre: tuple[float, float]  # of the iris
    middle: tuple[float, float]  # between the corners
    along: tuple[float, float]  # from the image-left to the image-right corner
    iris: slice


def _eyes(landmarks_px: Floats) -> list[_Eye]:
    points = landmarks_px.take(_POINTS, axis=0)[:, :2].tolist()
    found = []
    for (x, y), (x0, y0), (x1, y1), iris in zip(
        points[::3], points[1::3], points[2::3], _IRISES, strict=True
    ):
        sign = 1.0 if x0 <= x1 else -1.0
        along = sign * (x1 - x0), sign * (y1 - y0)
        found.append(_Eye((x, y), ((x0 + x1) / 2, (y0 + y1) / 2), along, iris))
    return found


def _positions(landmarks_px: Floats) -> list[tuple[float, float]]:
    found = []
    for (x, y), (x_middle, y_middle), (ax, ay), _ in _eyes(landmarks_px):
        dx, dy = x - x_middle, y - y_middle
        width2 = max(ax * ax + ay * ay, 1e-6)
        found.append(((dx * ax + dy * ay) / width2, (dy * ax - dx * ay) / width2))
    return found
