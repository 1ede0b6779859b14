"""Things painted over a face, by its landmarks: sunglasses, masks, hands, ordinary spectacles."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.face.topology import CHIN, EYES, FACE_OVAL, LIPS, MOUTH_CORNERS

_UNDER_EYES_TO_JAW = (
    *(118, 101, 36, 203, 98, 97, 2, 326, 327, 423, 266, 330, 347),
    *(454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234),
)


def with_sunglasses(rgb: U8, landmarks_px: F32, colour: tuple[int, int, int] = (22, 20, 24)) -> U8:
    """Two dark lenses with a faint sheen, and a bridge."""
    out = rgb.copy()
    centres = [landmarks_px[eye.ring, :2].mean(axis=0) for eye in EYES]
    unit = float(np.linalg.norm(centres[1] - centres[0]))
    tilt = float(np.degrees(np.arctan2(*(centres[1] - centres[0])[::-1])))
    lens = np.zeros(rgb.shape[:2], np.uint8)
    for centre in centres:
        box = (tuple(np.add(centre, (0, 0.06 * unit)).tolist()), (0.86 * unit, 0.62 * unit), tilt)
        cv2.ellipse(lens, box, 255, -1, cv2.LINE_AA)
    bridge = np.rint(np.array(centres)).astype(int)
    cv2.line(lens, bridge[0].tolist(), bridge[1].tolist(), 255, max(2, round(0.07 * unit)), cv2.LINE_AA)
    sheen = np.linspace(18, 0, rgb.shape[0])[:, None, None]
    return _laid_over(out, np.array(colour) + sheen, lens)


def with_mask(rgb: U8, landmarks_px: F32, colour: tuple[int, int, int] = (150, 190, 215)) -> U8:
    """A cloth mask from the nose to under the chin, with pleats."""
    points = landmarks_px[list(_UNDER_EYES_TO_JAW), :2]
    area = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(area, [cv2.convexHull(np.rint(points).astype(np.int32))], 255, cv2.LINE_AA)
    rows = np.arange(rgb.shape[0])[:, None, None]
    width = float(np.ptp(landmarks_px[FACE_OVAL, 0]))
    pleats = 7.0 * np.sin(2 * np.pi * rows / (0.12 * width))
    return _laid_over(rgb, np.array(colour) + pleats, area)


def with_hand(rgb: U8, landmarks_px: F32) -> U8:
    """Four fingers of the face's own colour across the mouth, with the shadows between them."""
    skin = np.median(rgb[tuple(np.rint(landmarks_px[[50, 280, 205, 425], :2]).astype(int).T[::-1])], axis=0)
    left, right = landmarks_px[MOUTH_CORNERS, :2]
    along = right - left
    width = float(np.linalg.norm(along))
    down = landmarks_px[CHIN, :2] - landmarks_px[LIPS, :2].mean(axis=0)
    out = rgb.copy()
    for k, share in enumerate((-0.55, -0.15, 0.25, 0.65)):
        start, end = (left - 0.9 * along + share * down), (right + (0.5 - 0.1 * k) * along + share * down)
        thick = max(4, round(0.5 * np.linalg.norm(down)))
        for shade, size in ((0.62, thick), (1.0 - 0.05 * k, max(2, thick - max(2, round(0.05 * width))))):
            finger = np.zeros(rgb.shape[:2], np.uint8)
            a, b = np.rint(start).astype(int).tolist(), np.rint(end).astype(int).tolist()
            cv2.line(finger, a, b, 255, size, cv2.LINE_AA)
            finger = cv2.GaussianBlur(finger, (0, 0), 0.01 * width + 0.3)
            out = _laid_over(out, shade * skin, finger)
    return out


def with_spectacles(rgb: U8, landmarks_px: F32) -> U8:
    """Thin dark rims around eyes that stay in sight."""
    out = rgb.copy()
    centres = [landmarks_px[eye.ring, :2].mean(axis=0) for eye in EYES]
    unit = float(np.linalg.norm(centres[1] - centres[0]))
    for centre in centres:
        box = (tuple(np.add(centre, (0, 0.06 * unit)).tolist()), (0.8 * unit, 0.58 * unit), 0.0)
        cv2.ellipse(out, box, (40, 32, 30), max(2, round(0.03 * unit)), cv2.LINE_AA)
    return out


def _laid_over(rgb: U8, colour: np.ndarray, coverage: U8) -> U8:
    share = coverage[..., None] / 255.0
    noise = np.random.default_rng(0).normal(0, 2.0, rgb.shape)
    return np.clip((1 - share) * rgb + share * (colour + noise), 0, 255).astype(np.uint8)
