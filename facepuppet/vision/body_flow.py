"""Where shoulders went since a picture in which they were found, by the flow of a few points around them."""

from __future__ import annotations

from statistics import median

import cv2
import numpy as np

from facepuppet.core.types import F32, U8, Floats

_SHOULDER_PX = 60.0  # from shoulder to shoulder in the crop
_REACH = (0.65, 0.4, 0.65)  # of the crop from their middle, in widths: to either side, up and down
# Surely body, in widths from their middle, to the right one and down: chest, neck and the slopes of both.
_BODY = np.array([(-0.12, -0.2), (0.12, -0.2), (0.47, 0.02), (0.47, 0.6), (-0.47, 0.6), (-0.47, 0.02)])
_NARROWEST_PX = 16  # shoulders closer together are not followed, nor in a crop less wide or high
_MARGIN_PX = 3  # of the crop, that points keep from its border
_MOST_POINTS, _QUALITY, _APART_PX = 40, 0.005, 3.0
_LEAST_POINTS = 6
_OFF_PX = 0.75  # of the crop, how far a point may lie from where most of them went
_SIGHT_PX = (11, 11)  # what the flow compares around a point
_STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.03)


class BodyFlow:
    """Follows shoulders from the picture in which they were found; about 0.2 ms a picture.

    Up to 40 points on neck and chest, by pyramidal Lucas-Kanade in a crop some 80 pixels wide, always from
    the first picture, so that errors do not add up. What most of them agree on is a shift: turn and scale of
    so few points are no nearer to the next pose than those of the last.
    """

    def __init__(self) -> None:
        self._shoulders_px = np.zeros((2, 2), np.float32)
        self._box, self._size, self._scale = (slice(0), slice(0)), (0, 0), 1.0
        self._shape: tuple[int, ...] = ()
        self._first: U8 = np.zeros((0, 0), np.uint8)
        self._points: F32 | None = None

    def start(self, rgb: U8, shoulders_px: F32) -> None:
        """Take in an (H, W, 3) uint8 RGB picture and the (2, 2) shoulders in it, image-left first."""
        self._shoulders_px, self._shape, self._points = shoulders_px, rgb.shape, None
        middle, across = shoulders_px.mean(axis=0), shoulders_px[1] - shoulders_px[0]
        width_px = float(np.hypot(*across))
        if width_px < _NARROWEST_PX:
            return
        (x, y), (side, up, down) = middle.tolist(), (reach * width_px for reach in _REACH)
        left, right = (min(max(round(x + by), 0), rgb.shape[1]) for by in (-side, side))
        top, bottom = (min(max(round(y + by), 0), rgb.shape[0]) for by in (-up, down))
        self._scale = _SHOULDER_PX / width_px
        self._box = (slice(top, bottom), slice(left, right))
        self._size = (round((right - left) * self._scale), round((bottom - top) * self._scale))
        if min(self._size) < _NARROWEST_PX:
            return
        body_px = middle + _BODY[:, :1] * across + _BODY[:, 1:] * (-across[1], across[0]) - (left, top)
        mask = self._mask(body_px * self._scale)
        self._first = self._seen(rgb)
        self._points = cv2.goodFeaturesToTrack(
            self._first, _MOST_POINTS, _QUALITY, _APART_PX, mask=mask, blockSize=5
        )

    def follow(self, rgb: U8) -> F32 | None:
        """Return the (2, 2) float32 shoulders in a later picture; None if too few points agree on them."""
        if self._points is None or len(self._points) < _LEAST_POINTS or rgb.shape != self._shape:
            return None
        found, status, _ = cv2.calcOpticalFlowPyrLK(
            self._first, self._seen(rgb), self._points, None, winSize=_SIGHT_PX, maxLevel=2, criteria=_STOP
        )
        shift = _common((found - self._points)[:, 0].tolist(), status[:, 0].tolist())
        if shift is None:
            return None
        return self._shoulders_px + np.float32(1.0 / self._scale) * np.array(shift, np.float32)

    def _seen(self, rgb: U8) -> U8:
        crop = cv2.resize(rgb[self._box], self._size, interpolation=cv2.INTER_LINEAR)
        grey: U8 = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        return grey

    def _mask(self, body: Floats) -> U8:
        mask = np.zeros(self._size[::-1], np.uint8)
        cv2.fillConvexPoly(mask, body.round().astype(np.int32), 255)
        inner = slice(_MARGIN_PX, -_MARGIN_PX)
        kept: U8 = np.zeros_like(mask)
        kept[inner, inner] = mask[inner, inner]
        return kept


def _common(shifts: list[list[float]], found: list[int]) -> tuple[float, float] | None:
    """The shift that most of the points found agree on; in plain numbers, NumPy takes longer for so few."""
    known = [(x, y) for (x, y), is_found in zip(shifts, found, strict=True) if is_found]
    if len(known) < _LEAST_POINTS:
        return None
    x, y = median(x for x, _ in known), median(y for _, y in known)
    agree = sum(abs(each_x - x) < _OFF_PX and abs(each_y - y) < _OFF_PX for each_x, each_y in known)
    return (x, y) if agree >= max(_LEAST_POINTS, len(known) / 2) else None
