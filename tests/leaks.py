"""How near any part of an outgoing picture comes to the driver's camera, which sees in a colour of its own.

Everything before that camera is in green light: chroma (Cr, Cb) is TINT in each of its pixels, brightness is
as it was. In the portrait of the tests, and in whatever it performs, nothing is green.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.watermark import Marked, detect

TINT = np.array(
    [-60.0, -35.0], np.float32
)  # (Cr, Cb) of 8 bits, from grey; any stronger, and no face is found
_DARKEST, _BRIGHTEST = 86.0, 198.0  # luma that RGB can show in this tint
FINE_PX, COARSE_PX = 8, 64  # sides of the blocks that are looked at
# Shares of the tint that no block of the puppet reaches: 0.09 and 0.03 are the most in the whole piece.
FINE_BAR, COARSE_BAR = 0.18, 0.06
UNLIKE_BAR = 15.0  # levels: the puppet in motion is up to 6 from itself at rest, the card 39, black 96
A_TURN = 30  # frames at 30 a second: a whole turn of the mark
LOOKED_AT = 3  # every so many-th of them suffices to read it


def in_green_light(rgb: U8) -> U8:
    """Return a picture (H, W, 3) as the driver's camera sees it."""
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    luma = _DARKEST + (_BRIGHTEST - _DARKEST) / 255.0 * luma
    chroma = np.broadcast_to(128.0 + TINT, (*luma.shape, 2))
    ycrcb = np.rint(np.dstack([luma, chroma])).astype(np.uint8)
    return np.asarray(cv2.cvtColor(ycrcb, cv2.COLOR_YCrCb2RGB), np.uint8)


def green_share(rgb: U8, block_px: int = FINE_PX) -> float:
    """How much of the camera's tint the most tinted block of a picture has: 1 is all of it, 0 none."""
    chroma = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)[..., 1:]
    size = rgb.shape[1] // block_px, rgb.shape[0] // block_px
    blocks = cv2.resize(chroma, size, interpolation=cv2.INTER_AREA).astype(np.float32) - 128.0
    return float((blocks @ TINT).max() / (TINT @ TINT))


def unlike(rgb: U8, puppet: U8) -> float:
    """How far a picture is from the puppet at rest, in levels of its coarse blocks in the mean."""
    return float(np.abs(_coarse(rgb) - _coarse(puppet)).mean())


def assert_nothing_of_the_camera(pictures: Sequence[U8]) -> None:
    """Neither in a small place, nor faintly in a large one."""
    assert pictures
    for number, rgb in enumerate(pictures):
        for block_px, bar in ((FINE_PX, FINE_BAR), (COARSE_PX, COARSE_BAR)):
            share = green_share(rgb, block_px)
            assert share < bar, f"picture {number}: a block of {block_px} px has {share:.2f} of the tint"


def assert_only_the_puppet(pictures: Sequence[U8], puppet: U8) -> None:
    """Each picture is the puppet's, and nothing of the camera's is in it."""
    assert_nothing_of_the_camera(pictures)
    furthest = max(unlike(rgb, puppet) for rgb in pictures)
    assert furthest < UNLIKE_BAR, f"something else than the puppet: {furthest:.0f} levels from it"


def assert_marked(pictures: Sequence[U8], sent_ns: Sequence[int]) -> None:
    """Every stretch of a second carries a mark that can be read; shorter runs have to be Marked alone."""
    for start in range(0, len(pictures) - A_TURN + 1, A_TURN):
        turn = slice(start, start + A_TURN, LOOKED_AT)
        looks = [(rgb, ns * 1e-9) for rgb, ns in zip(pictures[turn], sent_ns[turn], strict=True)]
        assert detect(looks).marked, f"pictures {start} to {start + A_TURN} carry no mark"


def assert_frames_safe(frames: Sequence[Marked], sent_ns: Sequence[int], puppet: U8) -> None:
    """Of frames that a sink took: marked, the puppet's, and nothing of the camera's."""
    assert all(isinstance(frame, Marked) for frame in frames)
    pictures = [frame.rgb for frame in frames]
    assert_only_the_puppet(pictures, puppet)
    assert_marked(pictures, sent_ns)


def _coarse(rgb: U8) -> F32:
    size = max(1, rgb.shape[1] // COARSE_PX), max(1, rgb.shape[0] // COARSE_PX)
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32)
