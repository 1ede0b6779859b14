"""What each view brings: how much better it lets the others be shown.

Each picture is rendered from the portrait and all other views (its own face tracked, itself left out)
and compared with what it really shows; then once more without one of those views. No picture ever
helps to render itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from calibrate.views.align import motion_to
from facepuppet.core import F32, U8
from facepuppet.face import EYES, FACE_OVAL, LIPS_OUTER
from facepuppet.frames import Renderer, polygon_mask
from facepuppet.portrait import Avatar, View

PARTS = ("face", "mouth", "lids")
_LIPS_MARGIN, _RIM = 0.07, 0.04  # inter-ocular distances around the lips, and inside the face oval

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ViewGain:
    """What one view brings.

    Attributes:
        missed: mean absolute error (of 255) of its face when rendered from everything but itself.
        gain: by part (face, mouth, lids), the share of the other views' error that this one removes,
            negative when it adds some; empty when there is no other view to judge by.
    """

    missed: float
    gain: dict[str, float]


def measure_gains(avatar: Avatar) -> tuple[ViewGain, ...]:
    """Measure every view of an avatar; n views take n² pictures to render."""
    count = len(avatar.views)
    if count == 0:
        return ()
    renderer = Renderer(avatar)
    motions = [motion_to(avatar, view.landmarks_px) for view in avatar.views]
    errors = np.zeros((count, count, len(PARTS)))  # of view j without k (and itself); k = j is without j only
    for j, (view, motion) in enumerate(zip(avatar.views, motions, strict=True)):
        for k in range(count):
            rendered = renderer.render(motion, left_out={j, k}).rgba
            errors[j, k] = part_errors(rendered[..., :3], view, avatar)
    return tuple(_gain(errors, k) for k in range(count))


def _gain(errors: npt.NDArray[np.float64], k: int) -> ViewGain:
    others = [j for j in range(len(errors)) if j != k]
    gain = {}
    if others:
        without = errors[others, k].mean(0)
        with_it = np.mean([errors[j, j] for j in others], axis=0)
        shares = (without - with_it) / np.maximum(without, 1e-6)
        gain = {part: round(float(share), 4) for part, share in zip(PARTS, shares, strict=True)}
    return ViewGain(round(float(errors[k, k, 0]), 2), gain)


def part_errors(rendered: U8, view: View, avatar: Avatar) -> list[float]:
    """Mean absolute error of each part between a rendered portrait frame (H, W, 3) and what a view shows."""
    (x, y), (height, width) = view.origin_px, rendered.shape[:2]
    truth = np.zeros_like(rendered)
    x0, y0 = max(x, 0), max(y, 0)
    seen = view.rgb[y0 - y : max(height - y, 0), x0 - x : max(width - x, 0)]
    truth[y0 : y0 + seen.shape[0], x0 : x0 + seen.shape[1]] = seen
    error = cv2.absdiff(rendered, truth).mean(-1)
    masks = part_masks(view.landmarks_px, avatar)
    return [float(error[masks[part]].mean()) if masks[part].any() else 0.0 for part in PARTS]


def part_masks(landmarks_px: F32, avatar: Avatar) -> dict[str, Mask]:
    """Where the parts are, (H, W) bool each, for (478, 3) landmarks in the portrait frame."""
    points, unit = landmarks_px[:, :2], avatar.inter_ocular_px
    lids = np.zeros(avatar.portrait_rgb.shape[:2], np.uint8)
    for eye in EYES:
        around = np.concatenate([points[eye.upper_fold], points[eye.lower_fold], points[eye.ring]])
        lids |= polygon_mask(cv2.convexHull(around)[:, 0], (0, 0), avatar.size_px)
    lips = polygon_mask(points[LIPS_OUTER], (0, 0), avatar.size_px)
    oval = polygon_mask(points[FACE_OVAL], (0, 0), avatar.size_px)
    return {
        "face": cv2.erode(oval, _disc(_RIM * unit)) > 127,
        "mouth": cv2.dilate(lips, _disc(_LIPS_MARGIN * unit)) > 127,
        "lids": lids > 127,
    }


def _disc(radius_px: float) -> U8:
    side = 2 * max(1, round(radius_px)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
