"""What is measured on one moved picture; all of it grows as the picture gets worse."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core import F32, U8, head_from_image
from facepuppet.face import EYES, FACE_OVAL, N_MESH, eye_openings, fit_head, mouth_gap

Mask: TypeAlias = npt.NDArray[np.bool_]

# How much of each is tolerated. tools/validate_safe_range.py compares the limits that come out with an
# identity network that the product does not have.
TOLERATED: Mapping[str, float] = MappingProxyType(
    {
        "strayed": 0.028,  # re-tracked landmarks from where the motion put them, inter-ocular distances
        "torn": 0.11,  # share of the face drawn out to more than three times its size in the portrait
        "folded": 0.030,  # share of the face where the picture lies over itself
        "body": 0.010,  # share of hair, neck and torso torn or folded, above what rest shows
        "profile": 0.70,  # radians the face looks aside in all, beyond what another picture of it shows
        "blurred": 0.15,  # share of the face's fine detail lost
        "iris_hidden": 0.45,  # share of the visible irises that goes behind lids and corners
        "mouth_short": 0.22,  # share of the asked-for opening that a tracker does not see
        "aperture": 0.56,  # of the lids over the eye's width; wider than any person's
    }
)
_STRETCH = 3.0
_STEP = 2  # pixels between samples of the flow


def badness(measures: Mapping[str, float]) -> float:
    """Return the worst measure as a share of what is tolerated; up to 1 is good."""
    return max((value / TOLERATED[name] for name, value in measures.items()), default=0.0)


def tears(flow: F32, alpha: U8, landmarks_px: F32) -> dict[str, float]:
    """Look for places that the flow tears or lays over each other.

    Args:
        flow: (H, W, 2) float32 backward map in pixels of the portrait.
        alpha: (H, W) uint8 coverage of the moved person.
        landmarks_px: (478, 3) of the moved face.
    """
    coarse = flow[::_STEP, ::_STEP] / _STEP
    du_dy, du_dx = np.gradient(coarse[..., 0])
    dv_dy, dv_dx = np.gradient(coarse[..., 1])
    area = du_dx * dv_dy - du_dy * dv_dx
    squares = du_dx**2 + du_dy**2 + dv_dx**2 + dv_dy**2
    # The smaller singular value of the 2x2 Jacobian, in closed form: its inverse is the largest stretch.
    least = np.sqrt(np.maximum(squares - np.sqrt(np.maximum(squares**2 - 4 * area**2, 0.0)), 0.0) / 2)
    torn, folded = np.asarray(least < 1.0 / _STRETCH), np.asarray(area <= 0.0)
    person = alpha[::_STEP, ::_STEP] > 127
    face = face_mask(alpha.shape, landmarks_px)[::_STEP, ::_STEP] & person
    body = person & ~face
    return {
        "torn": _share(torn, face),
        "folded": _share(folded, face),
        "body": _share(torn | folded, body),
    }


def face_mask(shape: tuple[int, ...], landmarks_px: F32) -> Mask:
    """Return (H, W) bool, the hull of the face oval."""
    mask = np.zeros(shape[:2], np.uint8)
    hull = cv2.convexHull(np.rint(landmarks_px[FACE_OVAL, :2]).astype(np.int32))
    return np.asarray(cv2.fillConvexPoly(mask, hull, 255) > 0)


def detail(rgb: U8, landmarks_px: F32) -> float:
    """Return the mean magnitude of the Laplacian in the face, in grey levels."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    inside = cv2.erode(face_mask(rgb.shape, landmarks_px).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    edges = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    return float(edges[inside].mean()) if inside.any() else 0.0


def visible_iris(landmarks_px: F32) -> float:
    """Return the area of both irises between the lids, over the squared eye width."""
    shares = []
    for eye in EYES:
        centre, ring = landmarks_px[eye.iris_centre, :2], landmarks_px[eye.iris_ring, :2]
        radius = float(np.linalg.norm(ring - centre, axis=1).mean())
        angles = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
        disc = centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        opening = cv2.convexHull(landmarks_px[eye.ring, :2].astype(np.float32))
        area, _ = cv2.intersectConvexConvex(disc.astype(np.float32), opening)
        width = float(np.linalg.norm(landmarks_px[eye.outer, :2] - landmarks_px[eye.inner, :2]))
        shares.append(area / max(width, 1.0) ** 2)
    return float(np.mean(shares))


def aperture(landmarks_px: F32) -> float:
    """Return the wider eye's lid aperture over its width."""
    return float(eye_openings(_in_head(landmarks_px)).max())


def gap(landmarks_px: F32) -> float:
    """Return the inner-lip gap in inter-ocular distances."""
    return mouth_gap(_in_head(landmarks_px))


def strayed(seen_px: F32, placed_px: F32, bias_px: F32, unit_px: float) -> float:
    """Return the mean distance (in units) of seen landmarks from placed ones, but for the bias at rest."""
    off = (seen_px - placed_px - bias_px)[:N_MESH, :2]
    return float(np.linalg.norm(off, axis=1).mean() / unit_px)


def _in_head(landmarks_px: F32) -> F32:
    return head_from_image(landmarks_px, fit_head(landmarks_px)).astype(np.float32)


def _share(mask: Mask, of: Mask) -> float:
    return float(mask[of].mean()) if of.any() else 0.0
