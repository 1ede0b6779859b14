"""How sharp a face is, whatever surrounds it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32, U8
from facepuppet.face.topology import FACE_OVAL
from facepuppet.portrait.face_view import face_width_px

STRONGEST_EDGES = 0.03  # of the face's pixels, where the blur is measured
DETAILS_PX = 480  # faces wider than this are judged at this width: the show needs no more


def face_blur(rgb: U8, landmarks_px: F32) -> float:
    """Return the blur of a face's strongest edges (standard deviation) over the face's width.

    Args:
        rgb: (H, W, 3) uint8 picture.
        landmarks_px: (478, 3) the face in it.
    """
    face, inside = cut_face(rgb, landmarks_px)
    return edge_blur_px(face, inside) / min(face_width_px(landmarks_px), DETAILS_PX)


def edge_blur_px(rgb: U8, inside: npt.NDArray[np.bool_]) -> float:
    """Return the standard deviation, in pixels, of the blur of the strongest edges.

    A picture blurred once more by a known Gaussian loses the less gradient the softer its edges are;
    the ratio of the gradients gives the blur (Zhuo and Sim, "Defocus map estimation from a single
    image", Pattern Recognition 2011).

    Args:
        rgb: (H, W, 3) uint8.
        inside: (H, W), where to look.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    known = 1.0
    # Grain is no edge: both are looked at through a slight blur, whose part is taken off in the end.
    quiet = cv2.GaussianBlur(grey, (0, 0), known)
    once, twice = _steepness(quiet), _steepness(cv2.GaussianBlur(quiet, (0, 0), known))
    edges = inside & (once >= np.quantile(once[inside], 1.0 - STRONGEST_EDGES)) & (twice > 0)
    if not edges.any():
        return float(max(rgb.shape[:2]))  # nothing but one colour
    ratio = np.maximum(once[edges] / twice[edges], 1.0 + 1e-4)
    variance = known**2 / (float(np.median(ratio)) ** 2 - 1.0) - known**2
    return float(np.sqrt(max(variance, 0.0)))


def _steepness(grey: F32) -> F32:
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    steepness: F32 = np.hypot(across, down)
    return steepness


def cut_face(rgb: U8, landmarks_px: F32) -> tuple[U8, npt.NDArray[np.bool_]]:
    """Cut the face out, reduced if it is wider than DETAILS_PX.

    Returns:
        Its picture (h, w, 3) uint8, and where in it the face is (h, w); at least one pixel is.
    """
    oval = landmarks_px[FACE_OVAL, :2]
    low = np.maximum(np.floor(oval.min(axis=0)).astype(int) - 4, 0)
    high = np.minimum(np.ceil(oval.max(axis=0)).astype(int) + 4, rgb.shape[1::-1])
    face = rgb[low[1] : max(high[1], low[1] + 1), low[0] : max(high[0], low[0] + 1)]
    area = np.zeros(face.shape[:2], np.uint8)
    centre = oval.mean(axis=0)
    inner = centre + 0.94 * (oval - centre) - low  # the background's edge is not the face's
    cv2.fillPoly(area, [np.rint(inner).astype(np.int32)], 1)
    scale = min(1.0, DETAILS_PX / face_width_px(landmarks_px))
    if scale < 1.0:
        size = tuple(max(1, round(scale * side)) for side in face.shape[1::-1])
        face = cv2.resize(face, size, interpolation=cv2.INTER_AREA)
        area = cv2.resize(area, size, interpolation=cv2.INTER_NEAREST)
    inside = area > 0
    return np.ascontiguousarray(face), inside if inside.any() else np.ones_like(inside)
