"""Prompts in a window, over a drawing of the face: no camera picture is shown."""

from __future__ import annotations

from functools import cache
from types import TracebackType

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from calibrate.guide.guide import Prompt
from facepuppet.core import F64, U8, WindowUnavailableError
from facepuppet.drivers import Tracking
from facepuppet.session import draw_driver
from facepuppet.sinks import display_reachable

SIZE_PX = (960, 540)
TITLE = "facepuppet calibration"
_TEXT, _QUIET, _GOOD, _BAD, _GO = (
    (255, 255, 255),
    (150, 156, 170),
    (120, 220, 150),
    (255, 200, 80),
    (120, 200, 255),
)


class WindowView:
    """Shows prompts in a window for as long as it is entered; it may be closed at any time.

    Raises:
        WindowUnavailableError: no display, when entered.
    """

    def __enter__(self) -> WindowView:
        if not display_reachable():
            raise WindowUnavailableError(
                "no display", "a desktop session", "Leave --window out; the terminal tells all."
            )
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        cv2.resizeWindow(TITLE, *SIZE_PX)
        self._open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open:
            cv2.destroyWindow(TITLE)

    def show(self, prompt: Prompt, tracking: Tracking) -> None:
        """Show a prompt and where the face is."""
        if not self._open:
            return
        cv2.imshow(TITLE, cv2.cvtColor(draw_prompt(prompt, tracking), cv2.COLOR_RGB2BGR))
        cv2.waitKey(1)
        self._open = cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1


def draw_prompt(prompt: Prompt, tracking: Tracking) -> U8:
    """Return (540, 960, 3) uint8 RGB: the face as lines, mirrored as in a mirror, and the prompt above it."""
    width, height = SIZE_PX
    scale = min(width / tracking.image_size_px[0], height / tracking.image_size_px[1])
    left = (width + scale * tracking.image_size_px[0]) / 2
    top = (height - scale * tracking.image_size_px[1]) / 2
    mirrored = np.array([[-scale, 0.0, left], [0.0, scale, top]], np.float64)
    picture = Image.fromarray(_lines(tracking, mirrored))
    draw = ImageDraw.Draw(picture)
    colour = _BAD if prompt.blocked else (_GOOD if prompt.reached >= 1.0 else _GO)
    draw.text((24, 20), f"{prompt.number} of {prompt.count} · {prompt.title}", _QUIET, _font(18))
    draw.text((24, 44), prompt.instruction, _TEXT, _font(27))
    draw.text((24, 80), prompt.hint, colour, _font(22))
    for y, share, ink in ((height - 26, prompt.reached, colour), (height - 14, prompt.elapsed, _QUIET)):
        draw.rectangle((24, y, 24 + round(share * (width - 48)), y + 5), fill=ink)
    return np.asarray(picture)


def _lines(tracking: Tracking, view_from_image: F64) -> U8:
    face, torso = tracking.face, tracking.torso
    landmarks = None if face is None else face.landmarks_px
    shoulders = None if torso is None else torso.shoulders_px
    return draw_driver(landmarks, shoulders, view_from_image, SIZE_PX)


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)  # Pillow's own, with ASCII, "°" and "·": the same on every system
