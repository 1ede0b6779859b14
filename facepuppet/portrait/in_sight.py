"""What is in sight: eyes and mouth, or what covers them.

An eye in sight has an iris darker than its white; a mouth in sight has lips of another colour than the
skin around. Sunglasses, masks, scarves and hands of one colour have neither. Not caught: mirrored glasses
with a bright reflection just beside where the iris would be, masks with a printed mouth, and a hand whose
edge runs just along the lips. In monochrome pictures lips may be as light as skin; there the line between
them counts too, hands make such lines as well, and a miss only warns.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32, U8, Floats
from facepuppet.face.topology import (
    EYES,
    FACE_OVAL,
    LIPS_INNER,
    LIPS_OUTER,
    LOWER_LIP_INNER,
    UPPER_LIP_INNER,
    EyeTopology,
)
from facepuppet.portrait.face_view import face_width_px

_UPPER_OUTER = LIPS_OUTER[:11]  # image-left to image-right, level with the inner edges
_LOWER_OUTER = np.concatenate([LIPS_OUTER[:1], LIPS_OUTER[:9:-1]])

Mask = npt.NDArray[np.bool_]

WIDTH_PX = 160  # of a face as it is looked at here: pores, grain and single lashes are gone
# Of 106 portraits the better eye has 8 (a terracotta statue) and the next 17; behind painted sunglasses 0.3.
GOOD_EYE, NEEDED_EYE = 8.0, 4.0
# Of 106 portraits lips have 6.6 and more; painted masks and hands at most 3.4.
GOOD_LIPS, NEEDED_LIPS = 5.5, 4.0
MISPLACED_PX = 1.0  # what readings of one mouth differ by, in a face of WIDTH_PX
# Colour (a*, b*) that does not follow from lightness, RMS: 0.7 in sepia, 2.3 in a tinted photo of 1921, 3.6
# and more in 104 colour pictures.
TINTED = 1.5


@dataclass(frozen=True, slots=True)
class InSight:
    """How well eyes and mouth stand out.

    Attributes:
        eyes: of each, by how much its white is lighter than its iris, in CIE L*; image-left first.
        lips: difference of the lips and the skin around, in colour, or in lightness where there is none.
        coloured: whether the face has colours.
    """

    eyes: tuple[float, float]
    lips: float
    coloured: bool

    @classmethod
    def of(cls, rgb: U8, landmarks_px: F32) -> InSight:
        """Look at an (H, W, 3) uint8 RGB picture."""
        lab, points = _look(rgb, landmarks_px)
        left, right = (_eye_contrast(lab, points, eye) for eye in EYES)
        coloured, lips = _tint(lab, points) >= TINTED, _lip_contrast(lab, points)
        return cls((left, right), lips if coloured else max(lips, _line_contrast(lab, points)), coloured)


def _eye_contrast(lab: F32, points: F32, eye: EyeTopology) -> float:
    """Return by how much an eye's white is lighter than its iris, in CIE L*; 0 where there is neither."""
    opening = _polygon(lab, points[eye.ring])
    centre = points[eye.iris_centre]
    radius = float(np.linalg.norm(points[eye.iris_ring] - centre, axis=1).mean())
    rows, columns = np.indices(lab.shape[:2])
    from_centre = np.hypot(columns - centre[0], rows - centre[1])
    iris, white = opening & (from_centre < radius), opening & (from_centre > 1.15 * radius)
    if min(iris.sum(), white.sum()) < 4:
        return 0.0
    return float(np.percentile(lab[white][:, 0], 75) - np.median(lab[iris][:, 0]))


def _lip_contrast(lab: F32, points: F32) -> float:
    """Return the CIE 1976 colour difference of the lips and the skin around them."""
    outer = points[LIPS_OUTER]
    centre = outer.mean(axis=0)
    lips = _polygon(lab, outer) & ~_polygon(lab, points[LIPS_INNER])
    skin = _polygon(lab, centre + 1.5 * (outer - centre)) & ~_polygon(lab, centre + 1.2 * (outer - centre))
    if not (lips.any() and skin.any()):
        return 0.0
    return float(np.linalg.norm(np.median(lab[lips], axis=0) - np.median(lab[skin], axis=0)))


def _line_contrast(lab: F32, points: F32) -> float:
    """Return by how much the line between the lips is darker or lighter than the lips, in CIE L*.

    It is thin, and landmarks are not exact: it is looked for as far above and below as they may err.
    """
    upper, lower = points[UPPER_LIP_INNER], points[LOWER_LIP_INNER]
    outer = points[_UPPER_OUTER], points[_LOWER_OUTER]
    down = (outer[1] - outer[0]).mean(axis=0)
    down /= max(float(np.linalg.norm(down)), 1e-6)
    above, below = (
        _lightness_at(lab, where[2:-2]) for where in ((upper + outer[0]) / 2, (lower + outer[1]) / 2)
    )
    middle = ((upper + lower) / 2)[2:-2]
    lines = (_lightness_at(lab, middle + shift * down) for shift in (-MISPLACED_PX, 0, MISPLACED_PX))
    return max(float(abs(np.median(line - (above + below) / 2))) for line in lines)


def _tint(lab: F32, points: F32) -> float:
    """Return the RMS colour of the face that does not follow from its lightness; near 0 in monochrome."""
    face = lab[_polygon(lab, points[FACE_OVAL])].astype(np.float64)
    if len(face) < 4:
        return 0.0
    lightness = np.column_stack([np.ones(len(face)), face[:, 0], face[:, 0] ** 2])
    told, *_ = np.linalg.lstsq(lightness, face[:, 1:], rcond=None)
    return float(np.sqrt(((face[:, 1:] - lightness @ told) ** 2).sum(axis=1).mean()))


def _lightness_at(lab: F32, points: Floats) -> F32:
    x, y = np.ascontiguousarray(points.T[:, :, None], dtype=np.float32)
    return np.asarray(cv2.remap(lab[..., 0], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _look(rgb: U8, landmarks_px: F32) -> tuple[F32, F32]:
    """Bring the face to one size: CIE L*a*b* (H, W, 3), and the landmarks (478, 2) in it."""
    scale = WIDTH_PX / face_width_px(landmarks_px)
    low = np.maximum(landmarks_px[:, :2].min(axis=0).astype(int) - 2, 0)
    high = np.maximum(landmarks_px[:, :2].max(axis=0).astype(int) + 3, low + 2)
    face = rgb[low[1] : high[1], low[0] : high[0]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    size = tuple(max(1, round(scale * side)) for side in face.shape[1::-1])
    small = cv2.GaussianBlur(cv2.resize(face, size, interpolation=how), (0, 0), 1.0)
    lab: F32 = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return lab, ((landmarks_px[:, :2] - low + 0.5) * scale - 0.5).astype(np.float32)


def _polygon(lab: F32, outline: F32) -> Mask:
    area = np.zeros(lab.shape[:2], np.uint8)
    cv2.fillPoly(area, [np.rint(outline).astype(np.int32)], 1)
    inside: Mask = area > 0
    return inside
