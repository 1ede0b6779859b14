"""Faces laid out on the mean face, so that pictures of different poses compare pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core import F32, U8
from facepuppet.face import FACE_OVAL, LIPS, N_MESH, canonical_landmarks, face_triangles
from facepuppet.frames import affine_table, draw_numbers, sample_affine

WIDTH_PX = 96
_LIPS_REACH_PX, _RIM_PX = 5.0, 4.0  # left out of comparisons: lips move, the rim is seen from the side


@dataclass(frozen=True, slots=True)
class Layout:
    """The mean face as a picture.

    Attributes:
        vertices: (T, 3, 2) float32 corners of the skin's triangles.
        numbers: (h, w) int32 picture of triangle numbers + 1.
        compared: (h, w) bool, skin that tells people apart.
    """

    vertices: F32
    numbers: npt.NDArray[np.int32]
    compared: npt.NDArray[np.bool_]


@cache
def mean_layout() -> Layout:
    """Return the one layout that everything here uses, WIDTH_PX wide."""
    mean = canonical_landmarks()[:N_MESH]
    low, width = mean[:, :2].min(0), float(np.ptp(mean[:, 0]))
    places = ((mean[:, :2] - low) / width * (WIDTH_PX - 1)).astype(np.float32)
    size = (WIDTH_PX, int(places[:, 1].max()) + 1)
    vertices = places[face_triangles()]
    numbers = draw_numbers(vertices, np.argsort(-mean[face_triangles(), 2].mean(1)), size)
    away = (_distance(places[LIPS], size) > _LIPS_REACH_PX) & (_distance(places[FACE_OVAL], size) > _RIM_PX)
    return Layout(vertices, numbers, (numbers > 0) & away)


def lay_out(rgb: U8, landmarks_px: F32) -> U8:
    """Return the face of an (H, W, 3) picture on the mean layout, (h, w, 3) uint8."""
    layout = mean_layout()
    source = landmarks_px[:N_MESH][face_triangles()].astype(np.float32)
    place = sample_affine(affine_table(layout.vertices, source[..., :2]), layout.numbers)
    shrink = float(np.ptp(landmarks_px[:N_MESH, 0])) / WIDTH_PX
    if shrink > 1.5:  # else fine texture would alias
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), shrink / 2), dtype=np.uint8)
    laid: U8 = cv2.remap(rgb, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return laid


def _distance(points: F32, size: tuple[int, int]) -> F32:
    """Distance of every pixel to the nearest of some points: (h, w)."""
    x, y = np.meshgrid(np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32))
    gaps = np.hypot(x[..., None] - points[:, 0], y[..., None] - points[:, 1])
    return np.asarray(gaps.min(-1), np.float32)
