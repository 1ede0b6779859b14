"""The visible mark: a small pill that says the picture is synthetic."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from facepuppet.core.types import U8
from facepuppet.frames.cpu.compose.placed import Placed

LABEL_TEXT = "synthetic · facepuppet"
_TEXT_HEIGHT = 0.0235  # of the canvas height
_SMALLEST_TEXT_PX = 12
_SUPERSAMPLING = 4  # Pillow draws round corners without anti-aliasing


class Corner(StrEnum):
    """Where the label stands, or that it does not."""

    TOP_LEFT = "tl"
    TOP_RIGHT = "tr"
    BOTTOM_LEFT = "bl"
    BOTTOM_RIGHT = "br"
    OFF = "off"


class Label:
    """A pill drawn once for a canvas and laid over every picture.

    Args:
        canvas_px: width and height of the canvas.
        corner: any corner but OFF.

    Attributes:
        box_px: x, y, width, height on the canvas.
        ink: (h, w, 3) uint16, the pill's colour times its alpha in bytes.
        clear: (h, w, 3) uint16, 255 less its alpha, for each colour.
        layers: the same picture, from even rows and columns to even ones.
    """

    def __init__(self, canvas_px: tuple[int, int], corner: Corner) -> None:
        pill = draw_pill(canvas_px)
        height, width = pill.shape[:2]
        margin = max(4, round(0.022 * canvas_px[1]))
        left = margin if corner in (Corner.TOP_LEFT, Corner.BOTTOM_LEFT) else canvas_px[0] - margin - width
        top = margin if corner in (Corner.TOP_LEFT, Corner.TOP_RIGHT) else canvas_px[1] - margin - height
        left, top = max(min(left, canvas_px[0] - width), 0), max(min(top, canvas_px[1] - height), 0)
        self.box_px = (left, top, width, height)
        alpha = pill[..., 3:].astype(np.uint16)
        self.ink = (pill[..., :3] * alpha).astype(np.uint16)
        self.clear = np.repeat(255 - alpha, 3, axis=2)
        rgba = np.concatenate([(self.ink + 127) // 255, alpha], axis=2).astype(np.uint8)
        placed = Placed(rgba, slice(top, top + height), slice(left, left + width))
        self.layers = placed.evened().seen(2 * height + 2)

    def stamp(self, rgb: U8) -> None:
        """Lay the pill over a canvas picture (H, W, 3), in place."""
        left, top, width, height = self.box_px
        area = rgb[top : top + height, left : left + width]
        laid = area.astype(np.uint16)
        laid *= self.clear
        laid += self.ink
        laid += np.uint16(127)
        laid //= np.uint16(255)
        area[:] = laid

    def hide(self, seen: U8) -> None:
        """Lower how much of what is behind a whole canvas (H, W) is still seen, 255 for all."""
        for layer in self.layers:
            layer.hide(seen)


def draw_pill(canvas_px: tuple[int, int]) -> U8:
    """Draw the label for a canvas of (width, height) px; returns (h, w, 4) RGBA, not premultiplied."""
    text_px = max(_SMALLEST_TEXT_PX, round(_TEXT_HEIGHT * canvas_px[1])) * _SUPERSAMPLING
    font = ImageFont.load_default(text_px)  # Aileron, which Pillow brings: the same on every system
    ink = font.getbbox(LABEL_TEXT, anchor="ls")
    width, height = round(ink[2] + 1.5 * text_px), round(1.75 * text_px)
    picture = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 0, width - 1, height - 1), radius=height // 2, fill=(16, 18, 24, 150))
    baseline = (0.75 * text_px, height / 2 + 0.36 * text_px)
    draw.text(baseline, LABEL_TEXT, font=font, fill=(255, 255, 255, 235), anchor="ls")
    final = (min(width // _SUPERSAMPLING, canvas_px[0]), min(height // _SUPERSAMPLING, canvas_px[1]))
    return np.asarray(picture.resize(final, Image.Resampling.LANCZOS))
