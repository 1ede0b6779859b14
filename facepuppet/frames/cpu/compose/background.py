"""What stands behind the puppet: computed once, never per frame."""

from __future__ import annotations

import os
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import ImageColor

from facepuppet.core.errors import ImageUnreadableError
from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, U8
from facepuppet.frames.cpu.compose.framing import Placement
from facepuppet.media.pictures import load_picture
from facepuppet.portrait.avatar import Avatar

_RIM = 0.02  # of the plate's shorter side
SOFT_FROM = 0.06  # of the canvas height: so far inside the portrait's borders its plate begins to get soft


@dataclass(frozen=True, slots=True)
class Backdrop:
    """Which background to use.

    Attributes:
        kind: "portrait" (the portrait's own, extended), "blur" (the same, out of focus),
            "colour" or "image".
        rgb: the colour, for "colour".
        image_rgb: (H, W, 3) uint8 picture of any size, for "image".
        word: what the user calls it, to be shown and kept; of `parse`, what it read.
    """

    kind: str = "portrait"
    rgb: tuple[int, int, int] | None = None
    image_rgb: U8 | None = None
    word: str = "portrait"

    @property
    def is_own(self) -> bool:
        """Whether it is the portrait's own, as sharp as it is."""
        return self.kind == "portrait"

    @classmethod
    def parse(cls, text: str) -> Backdrop:
        """Read "portrait", "blur", a colour ("#00ff00", "green") or the name of an image file.

        Raises:
            ImageUnreadableError: neither a known word or colour nor a readable picture.
        """
        if text in ("portrait", "blur"):
            return cls(text, word=text)
        if os.path.isfile(text):  # noqa: PTH113 - unlike Path's, it takes words too long for a name
            return cls("image", image_rgb=load_picture(text), word=text)
        try:
            red, green, blue, *_ = ImageColor.getrgb(text)
        except ValueError as error:
            raise ImageUnreadableError(
                f"background '{text[:160]}'",
                "'portrait', 'blur', a colour such as '#00ff00', or an image file",
                "Check the spelling of the file or colour.",
            ) from error
        return cls("colour", rgb=(min(red, 255), min(green, 255), min(blue, 255)), word=text)


def canvas_background(
    avatar: Avatar, placement: Placement, canvas_px: tuple[int, int], backdrop: Backdrop
) -> U8:
    """Return the (H, W, 3) canvas that the puppet is laid over."""
    width, height = canvas_px
    if backdrop.rgb is not None:
        return np.full((height, width, 3), backdrop.rgb, dtype=np.uint8)
    if backdrop.image_rgb is not None:
        return _cover(backdrop.image_rgb, canvas_px)
    if avatar.whole is None:
        extended = _extend(avatar.background_rgb, placement, canvas_px)
    else:
        x, y, width, height = placement.target_px
        extended = avatar.whole.rgb.copy()
        extended[y : y + height, x : x + width] = placement.show(avatar.background_rgb)
    if backdrop.kind == "blur":
        return _blur(extended, 0.045 * height)
    return extended


def _extend(plate: U8, placement: Placement, canvas_px: tuple[int, int]) -> U8:
    """Continue the portrait's plate over the canvas, ever softer away from it, with no seam."""
    outside = outside_px(placement, canvas_px)
    if outside.max() <= 0:
        return placement.spread(plate, canvas_px, cv2.BORDER_REFLECT)
    mirrored = placement.spread(_without_rim(plate), canvas_px, cv2.BORDER_REFLECT)
    height = canvas_px[1]
    picture = mirrored.astype(np.float32)
    # Two blurs, crossed over: light near the portrait (starting inside it), heavy far away.
    for sigma, start, stop in ((0.02, -SOFT_FROM, 0.02), (0.10, -0.02, 0.22)):
        soft = _blur(mirrored, sigma * height).astype(np.float32)
        weight = smoothstep((outside / height - start) / (stop - start))[..., None]
        picture += weight * (soft - picture)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _without_rim(plate: U8) -> U8:
    """Replace the outermost pixels by their inner neighbours: scans and paintings often end in a line."""
    rim = max(1, round(_RIM * min(plate.shape[:2])))
    inner = plate[rim:-rim, rim:-rim]
    return np.asarray(cv2.copyMakeBorder(inner, rim, rim, rim, rim, cv2.BORDER_REFLECT), dtype=np.uint8)


def outside_px(placement: Placement, canvas_px: tuple[int, int]) -> F32:
    """Signed distance (H, W) of each canvas pixel to the portrait's rectangle; negative inside.

    Borders that lie on or beyond the canvas edge do not count.
    """
    x, y, w, h = placement.target_px
    width, height = canvas_px
    ys, xs = np.mgrid[0.5:height, 0.5:width].astype(np.float32)
    far = np.full((height, width), -float(width + height), dtype=np.float32)
    across = np.maximum(x - xs if x > 0 else far, xs - (x + w) if x + w < width else far)
    down = np.maximum(y - ys if y > 0 else far, ys - (y + h) if y + h < height else far)
    both = np.hypot(np.maximum(across, 0), np.maximum(down, 0))
    distance: F32 = np.where(both > 0, both, np.maximum(across, down)).astype(np.float32)
    return distance


def _blur(rgb: U8, sigma_px: float) -> U8:
    """Gaussian blur; a wide one on a small copy, where it costs little and shows no difference."""
    height, width = rgb.shape[:2]
    step = max(1, int(sigma_px / 4))
    small = cv2.resize(rgb, (max(1, width // step), max(1, height // step)), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), max(sigma_px / step, 0.1), borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _cover(rgb: U8, canvas_px: tuple[int, int]) -> U8:
    """Scale and crop a picture so that it fills the canvas."""
    width, height = canvas_px
    scale = max(width / rgb.shape[1], height / rgb.shape[0])
    # Cropped before it is scaled: a strip of a picture would grow past any memory.
    shown = max(1, round(width / scale)), max(1, round(height / scale))
    left, top = (rgb.shape[1] - shown[0]) // 2, (rgb.shape[0] - shown[1]) // 2
    cropped = rgb[top : top + shown[1], left : left + shown[0]]
    scaled = cv2.resize(cropped, canvas_px, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return np.asarray(scaled, dtype=np.uint8)
