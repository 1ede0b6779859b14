"""Public-domain faces, of the package and of scikit-image, and canvases to put them on."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data

from facepuppet.core.types import U8
from facepuppet.portrait.load import sample_portrait_path


@cache
def hopper_rgb() -> U8:
    """Rear Admiral Grace Hopper, US Navy photo: (600, 512, 3), one face of about 180 px."""
    bgr = cv2.imdecode(np.fromfile(sample_portrait_path(), np.uint8), cv2.IMREAD_COLOR)
    return np.ascontiguousarray(bgr[:, :, ::-1])


@cache
def astronaut_rgb() -> U8:
    """Eileen Collins, NASA photo: (300, 260, 3), cropped to head and shoulders."""
    return np.ascontiguousarray(skimage.data.astronaut()[:300, 90:350])


def nearest(rgb: U8, colour: npt.ArrayLike) -> int:
    """How near any pixel of a picture comes to a colour, in levels of the channel that differs most."""
    return int(np.abs(rgb.astype(np.int16) - np.asarray(colour, np.int16)).max(-1).min())


def canvas(*placed: tuple[U8, tuple[float, float], float, float]) -> U8:
    """A grey (720, 1280, 3) picture with pictures on it: (rgb, centre_px, scale, roll_rad clockwise)."""
    out = np.full((720, 1280, 3), 110, np.uint8)
    for rgb, (x, y), scale, roll in placed:
        height, width = rgb.shape[:2]
        c, s = scale * np.cos(roll), scale * np.sin(roll)
        matrix = np.array([[c, -s, 0.0], [s, c, 0.0]])
        matrix[:, 2] = (x, y) - matrix[:, :2] @ (width / 2, height / 2)
        cv2.warpAffine(
            rgb, matrix, (1280, 720), dst=out, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_TRANSPARENT
        )
    return out
