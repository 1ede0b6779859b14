"""From a handful of hand-placed points to all 478 landmarks.

The mean face is laid over the points in the pose that fits them best, then bent smoothly so that it
passes through each of them (`thin_plate`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from calibrate.landmarks.points import LEFT_TO_RIGHT, POINTS, TOP_TO_BOTTOM
from calibrate.landmarks.thin_plate import thin_plate_spline
from facepuppet.core import F32, F64, N_BLENDSHAPES, Floats, LandmarksError
from facepuppet.face import (
    ARKIT_INDEX,
    EYES,
    canonical_landmarks,
    compose_landmarks,
    face_triangles,
    is_face,
    mouth_gap,
    mouth_width,
)

# How hard the pose resists being turned out of the picture's plane: points of a drawing are no
# projection of a head, and a large nose must not pass for a turn.
_FLATNESS = 0.15
_MOST_FOLDED = 0.05  # of the mesh's area may be bent inside out, beside what a turned head hides


def fit_landmarks(points: Mapping[str, tuple[float, float]]) -> F32:
    """Return the (478, 3) landmarks in pixels, z away from the viewer, that pass through the points.

    Args:
        points: pixels by name; all that are required.

    Raises:
        LandmarksError: they contradict each other, or form no face.
    """
    _check_order(points)
    mean = _with_mouth_as_placed(points)
    held = [name for name in points if not name.endswith("_rim")]
    indices = [POINTS[name] for name in held]
    placed = np.array([points[name] for name in held], dtype=np.float64)
    posed = _pose(mean, indices, placed)
    # Where points are, for the spline, is told on a face whose lips are apart: it cannot part what touches.
    where = compose_landmarks(canonical_landmarks(), _jaw(0.4))[:, :2].astype(np.float64)
    landmarks = posed.copy()
    landmarks[:, :2] += thin_plate_spline(where[indices], placed - posed[indices, :2], where)
    _round_irises(landmarks, mean, posed, points)
    fitted = landmarks.astype(np.float32)
    if not is_face(fitted) or _folded_share(fitted) > _folded_share(posed) + _MOST_FOLDED:
        raise LandmarksError(
            "landmarks that bend the mean face until it folds",
            "points of one face",
            "Look for points that were swapped or misplaced.",
        )
    return fitted


def _check_order(points: Mapping[str, tuple[float, float]]) -> None:
    """Refuse swapped points by name, in a frame whose x axis runs through the eyes."""
    left, right = (np.array(points[f"{side}_eye_outer"]) for side in ("left", "right"))
    along = right - left
    if float(np.linalg.norm(along)) < 1.0:
        raise _contradiction("left_eye_outer", "right_eye_outer", "apart from")
    across = np.array([-along[1], along[0]])
    for pairs, axis, word in ((LEFT_TO_RIGHT, along, "left of"), (TOP_TO_BOTTOM, across, "above")):
        for first, second in pairs:
            if not np.subtract(points[second], points[first]) @ axis > 0:
                raise _contradiction(first, second, word)


def _contradiction(first: str, second: str, word: str) -> LandmarksError:
    return LandmarksError(
        f"landmarks in which {first} is not {word} {second}",
        "the points of an upright face, left and right being the picture's",
        "Check these two points.",
    )


def _pose(mean: F64, indices: list[int], placed: F64) -> F64:
    """Lay the mean face (478, 3) over points (N, 2): scaled orthographic projection, least squares."""
    model = mean[indices] - mean[indices].mean(axis=0)
    target = placed - placed.mean(axis=0)
    resistance = np.diag([0.0, 0.0, _FLATNESS * len(indices)])
    affine = np.linalg.solve(model.T @ model + resistance, model.T @ target).T  # (2, 3)
    u, stretch, vt = np.linalg.svd(affine, full_matrices=False)
    across, down = u @ vt
    rotation = np.stack([across, down, np.cross(across, down)])
    posed: F64 = stretch.mean() * (mean - mean[indices].mean(axis=0)) @ rotation.T
    posed[:, :2] += placed.mean(axis=0)
    return posed


def _with_mouth_as_placed(points: Mapping[str, tuple[float, float]]) -> F64:
    """Open the mean face's mouth as far as the points say, relative to its width."""
    mean = canonical_landmarks()
    if not {"mouth_opening_top", "mouth_opening_bottom"} <= set(points):
        return mean.astype(np.float64)
    gap = math.dist(points["mouth_opening_top"], points["mouth_opening_bottom"])
    wanted = gap / math.dist(points["mouth_left"], points["mouth_right"])
    faces = [compose_landmarks(mean, _jaw(share)) for share in np.linspace(0.0, 1.0, 21).tolist()]
    nearest = min(faces, key=lambda face: abs(mouth_gap(face) / mouth_width(face) - wanted))
    return nearest.astype(np.float64)


def _jaw(open_by: float) -> F32:
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    weights[ARKIT_INDEX["jawOpen"]] = open_by
    return weights


def _round_irises(landmarks: F64, mean: F64, posed: F64, points: Mapping[str, tuple[float, float]]) -> None:
    """Make irises round, in place: as large as their rim was put, else as the mean face's."""
    scale = np.linalg.norm(np.ptp(posed[:, :2], axis=0)) / np.linalg.norm(np.ptp(mean[:, :2], axis=0))
    for side, eye in zip(("left", "right"), EYES, strict=True):
        if (rim := points.get(f"{side}_iris_rim")) is not None:
            radius = math.dist(rim, points[f"{side}_iris"])
        else:
            ring = mean[eye.iris_ring, :2] - mean[eye.iris_centre, :2]
            radius = float(scale * np.linalg.norm(ring, axis=1).mean())
        spokes = radius * np.array([[1.0, 0.0], [0.0, -1.0], [-1.0, 0.0], [0.0, 1.0]])
        landmarks[eye.iris_ring, :2] = landmarks[eye.iris_centre, :2] + spokes


def _folded_share(landmarks: Floats) -> float:
    """Share of the face's area whose triangles are turned inside out."""
    a, b, c = (landmarks[face_triangles()[:, k], :2] for k in range(3))
    (abx, aby), (acx, acy) = (b - a).T, (c - a).T
    area = abx * acy - aby * acx
    facing = np.sign(np.median(area))
    return float(np.abs(area[area * facing < 0]).sum() / np.abs(area).sum())
