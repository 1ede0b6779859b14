"""A still card that says somebody will be back: nothing of any person is on it."""

from __future__ import annotations

import textwrap

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from facepuppet.core.types import U8
from facepuppet.frames.cpu.compose.label import Corner, Label

TEXT = "Back in a moment"
_ABOVE, _BELOW = (108, 115, 130), (74, 80, 94)  # a quiet wall; in the dark the mark would be weaker
_SMALLEST_PX = 12
_TEXT_HEIGHT, _WIDEST = 0.07, 0.86  # of the canvas's height and width


def draw_card(canvas_px: tuple[int, int], text: str = TEXT) -> U8:
    """Return a card (H, W, 3) for a canvas of (width, height) px, with the visible label on it."""
    width, height = canvas_px
    shade = np.linspace(_ABOVE, _BELOW, height)[:, None]
    wall = np.rint(np.broadcast_to(shade, (height, width, 3))).astype(np.uint8)
    picture = Image.fromarray(wall)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(max(_SMALLEST_PX, round(_TEXT_HEIGHT * height)))
    lines = _wrapped(text, font, _WIDEST * width)
    draw.multiline_text(
        (width / 2, height / 2), lines, font=font, fill=(250, 251, 253), anchor="mm", align="center"
    )
    card = np.array(picture)
    Label(canvas_px, Corner.BOTTOM_RIGHT).stamp(card)
    return card


def fit_card(picture: U8, canvas_px: tuple[int, int]) -> U8:
    """Return a user's own picture (H, W, 3) as a card: all of it, on a dark ground, with the label on it."""
    width, height = canvas_px
    scale = min(width / picture.shape[1], height / picture.shape[0])
    shown = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    scaled = cv2.resize(picture, shown, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    card = np.full((height, width, 3), _BELOW, np.uint8)
    left, top = (width - shown[0]) // 2, (height - shown[1]) // 2
    card[top : top + shown[1], left : left + shown[0]] = scaled
    Label(canvas_px, Corner.BOTTOM_RIGHT).stamp(card)
    return card


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, most_px: float) -> str:
    """Break a text into lines, in as many as it takes; words that are too long are broken, too."""
    letters = len(text)
    while letters > 1:
        lines = textwrap.wrap(text, letters) or [""]
        if max(font.getlength(line) for line in lines) <= most_px:
            return "\n".join(lines)
        letters -= 1
    return text
