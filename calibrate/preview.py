"""A picture that shows what the analysis made of a portrait."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from facepuppet.core import F32, U8, write_whole
from facepuppet.portrait import Avatar

_MAX_SIDE_PX = 1024  # of what a pack holds for people
_CHECK_PX = 16
_LANDMARK_RGB = (0, 220, 255)
_SHOULDER_RGB = (255, 80, 0)


def draw_preview(avatar: Avatar) -> U8:
    """Return (H, 3·W, 3) uint8 RGB: the portrait with its points, the person cut out, the plate behind."""
    points = with_points(avatar.portrait_rgb, avatar.landmarks_px, avatar.shoulders_px)
    return np.hstack([points, cut_out(avatar), avatar.background_rgb])


def pack_preview(avatar: Avatar) -> U8:
    """Return `draw_preview`'s picture, reduced to the size that a pack may hold."""
    drawn = draw_preview(avatar)
    scale = min(1.0, _MAX_SIDE_PX / max(drawn.shape[:2]))
    size = (max(1, int(drawn.shape[1] * scale)), max(1, int(drawn.shape[0] * scale)))
    return np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def save_preview(avatar: Avatar, path: Path) -> None:
    """Write the preview as a PNG file.

    Raises:
        OutputUnwritableError: it cannot be written there.
    """
    png = io.BytesIO()
    Image.fromarray(draw_preview(avatar)).save(png, "PNG")
    write_whole(path, png.getvalue())


def with_points(rgb: U8, landmarks_px: F32, shoulders_px: F32 | None = None) -> U8:
    """Return a copy of an (H, W, 3) RGB picture with (478, 2 or 3) landmarks and (2, 2) shoulders on it."""
    picture = rgb.copy()
    radius = max(1, max(rgb.shape[:2]) // 400)
    shoulders = np.zeros((0, 2), np.float32) if shoulders_px is None else shoulders_px
    for points, colour, size in (
        (landmarks_px[:, :2], _LANDMARK_RGB, radius),
        (shoulders, _SHOULDER_RGB, 5 * radius),
    ):
        for x, y in np.rint(points).astype(int):
            cv2.circle(picture, (int(x), int(y)), size, colour, cv2.FILLED, cv2.LINE_AA)
    return picture


def cut_out(avatar: Avatar) -> U8:
    """Return (H, W, 3) RGB, the person on a checked ground."""
    rows, columns = np.indices(avatar.person_alpha.shape) // _CHECK_PX
    checks = np.where((rows + columns) % 2, 200, 140)[..., None]
    coverage = avatar.person_alpha[..., None] / 255
    return np.asarray(coverage * avatar.foreground_rgb + (1 - coverage) * checks, dtype=np.uint8)
