"""The puppet without its background: a marked picture less what is seen of the backdrop.

Where a soft outline lets the backdrop through, a picture is puppet · alpha + backdrop · (1 − alpha). Whoever
lays it over something else wants the first part alone; its colour is premultiplied then. It is taken from the
marked picture, so that the mark stays on it.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from facepuppet.core.i420 import BLACK, GREY, planes_of
from facepuppet.core.types import U8, Matte
from facepuppet.watermark.marked import Marked

_PICTURE_QUALITY = 92  # the mark outlives much less; outlines do not
_MATTE_QUALITY = 90


class CutOut(NamedTuple):
    """What a page needs to lay the puppet over anything.

    Attributes:
        picture: JPEG of the canvas, colour premultiplied by alpha.
        matte: grey JPEG of alpha; empty where all is opaque.
    """

    picture: bytes
    matte: bytes


def cut_out(frame: Marked) -> CutOut:
    """Return a frame's puppet without its background; all of the frame where it has no matte."""
    matte = frame.matte
    if matte is None or matte.alpha.min() == 255:
        return CutOut(_jpeg(_as_bgr(frame), _PICTURE_QUALITY), b"")
    return CutOut(_jpeg(cut_out_bgr(frame, matte), _PICTURE_QUALITY), _jpeg(matte.alpha, _MATTE_QUALITY))


def cut_out_bgr(frame: Marked, matte: Matte) -> U8:
    """Return the puppet on black, (H, W, 3) BGR premultiplied by alpha, which no colour exceeds."""
    if frame.i420 is not None and matte.behind.ndim == 2:
        bgr = cv2.cvtColor(_less_behind_i420(frame.i420, matte), cv2.COLOR_YUV2BGR_I420)
    else:
        bgr = cv2.cvtColor(_less_behind(frame.rgb, matte), cv2.COLOR_RGB2BGR)
    # The mark lightens what the puppet leaves clear, too, and chroma there is a neighbour's: both would glow.
    return np.asarray(cv2.min(bgr, cv2.cvtColor(matte.alpha, cv2.COLOR_GRAY2BGR), dst=bgr), np.uint8)


def _less_behind(rgb: U8, matte: Matte) -> U8:
    behind = cv2.cvtColor(cv2.bitwise_not(matte.alpha), cv2.COLOR_GRAY2RGB)
    cv2.multiply(matte.behind, behind, scale=1 / 255, dst=behind)
    return np.asarray(cv2.subtract(rgb, behind, dst=behind), np.uint8)


def _less_behind_i420(i420: U8, matte: Matte) -> U8:
    """Do so in planes, as they were blended: in RGB a block has one chroma for puppet and backdrop."""
    puppet, seen = i420.copy(), cv2.bitwise_not(matte.alpha)
    (luma, *chroma), (luma_behind, *chroma_behind) = planes_of(puppet), planes_of(matte.behind)
    behind, (height, width) = cv2.subtract(luma_behind, np.full_like(luma, BLACK)), seen.shape
    cv2.subtract(luma, cv2.multiply(behind, seen, scale=1 / 255, dst=behind), dst=luma)
    firsts = cv2.extractChannel(seen.reshape(height // 2, 2, width // 2, 2)[:, 0], 0)
    grey = cv2.convertScaleAbs(firsts, alpha=GREY / 255)
    for plane, plane_behind in zip(chroma, chroma_behind, strict=True):
        # In this order: what is left is the puppet's alone, which with its share of grey fits a byte.
        cv2.subtract(plane, cv2.multiply(plane_behind, firsts, scale=1 / 255), dst=plane)
        cv2.add(plane, grey, dst=plane)
    return puppet


def _as_bgr(frame: Marked) -> U8:
    if frame.i420 is not None:
        return np.asarray(cv2.cvtColor(frame.i420, cv2.COLOR_YUV2BGR_I420), np.uint8)
    return np.asarray(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR), np.uint8)


def _jpeg(picture: U8, quality: int) -> bytes:
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
