"""How a picture differs from the true one, as a whole and in mouth and eyes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from skimage.metrics import structural_similarity

from facepuppet.core import F32, U8
from reenactment.close_ups import CloseUp, eyes, mouth

COMPARED_PX = 256
REGION_PX = 128  # side of the window in which mouth and eyes are compared
MOUTH_REACH, EYE_REACH = 1.0, 2.0  # sides of the windows in inter-ocular distances and eye widths
DILATION = {"mouth": 0.06, "eye": 0.25}  # of the outlines, in the same units
STILL_LEVELS, STILL_BLUR_PX = 2.0, 1.5  # what may change from the frame before to the one after


def regions_of(part: str, landmarks_px: F32) -> list[tuple[CloseUp, F32]]:
    """The "mouth" (inside the outer lip contour, dilated) or both of "eye" (the lids' opening, dilated).

    Returns:
        Windows of 128², placed by the true frame's landmarks for all pictures alike, and their masks.
    """
    if part == "mouth":
        windows: tuple[CloseUp, ...] = (mouth(landmarks_px, REGION_PX, MOUTH_REACH),)
    else:
        windows = eyes(landmarks_px, REGION_PX, EYE_REACH)
    return [(window, window.mask(DILATION[part])) for window in windows]


def reduced(rgb: U8) -> U8:
    """The picture at 256²."""
    size = (COMPARED_PX, COMPARED_PX)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def whole_frame(truth: U8, output: U8) -> dict[str, float]:
    """L1 (of full scale), PSNR (dB) and SSIM (mean over RGB) of two equally large RGB pictures.

    SSIM: Wang et al., "Image quality assessment", TIP 2004, scikit-image's defaults (7² windows).
    """
    difference = truth.astype(np.float64) - output
    mse = max(float((difference**2).mean()), 1e-6)
    return {
        "l1": float(np.abs(difference).mean() / 255),
        "psnr": float(10 * np.log10(255**2 / mse)),
        "ssim": float(structural_similarity(truth, output, channel_axis=2, data_range=255)),
    }


def masked_l1(truth: U8, output: U8, mask: F32) -> float:
    """Mean absolute difference of full scale under a mask."""
    difference = np.abs(truth.astype(np.float32) - output).mean(-1)
    return float((difference * mask).sum() / max(float(mask.sum()), 1e-6) / 255)


def sharpness(rgb: U8, mask: F32 | None = None) -> float:
    """Mean absolute Laplacian of the luma, in levels, under a mask."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    return float(detail.mean() if mask is None else (detail * mask).sum() / max(float(mask.sum()), 1e-6))


def face_sharpness(rgb: U8, landmarks_px: F32) -> float:
    """Sharpness of the face's bounding box at 256²."""
    low = np.maximum(landmarks_px[:, :2].min(0), 0).astype(int)
    high = np.minimum(landmarks_px[:, :2].max(0), rgb.shape[1::-1]).astype(int)
    return sharpness(reduced(rgb[low[1] : high[1], low[0] : high[0]]))


def flicker(truths: Sequence[U8], outputs: Sequence[U8]) -> dict[str, float]:
    """How much output and truth come and go where both are still, in levels of the luma at 256².

    A pixel is still around a frame when frames before and after it agree, |f(t+1) − f(t−1)| blurred over
    noise under STILL_LEVELS, in truth and output: edges that move are not. There flicker is the second
    difference |2·f(t) − f(t−1) − f(t+1)| / 2.

    Returns:
        `flicker`, the mean, and `flicker_worst`, the 99th percentile, so that a mouth that flickers shows in
        a picture that does not; with `_truth`, the same of the truth.
    """
    lumas = [_luma(rgbs) for rgbs in (truths, outputs)]
    still = np.logical_and(*(_still(luma) for luma in lumas))
    metrics = {}
    for name, luma in zip(("_truth", ""), lumas, strict=True):
        values = np.abs(2 * luma[1:-1] - luma[:-2] - luma[2:])[still] / 2
        metrics[f"flicker{name}"] = float(values.mean()) if len(values) else float("nan")
        metrics[f"flicker_worst{name}"] = float(np.percentile(values, 99)) if len(values) else float("nan")
    return metrics


def _luma(pictures: Sequence[U8]) -> F32:
    planes = [cv2.cvtColor(reduced(rgb), cv2.COLOR_RGB2GRAY) for rgb in pictures]
    return np.asarray(planes, dtype=np.float32)


def _still(luma: F32) -> np.ndarray[Any, np.dtype[np.bool_]]:
    change = np.abs(luma[2:] - luma[:-2])
    blurred = [cv2.GaussianBlur(plane, (0, 0), STILL_BLUR_PX) for plane in change]
    return np.asarray(np.stack(blurred) < STILL_LEVELS)
