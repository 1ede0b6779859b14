"""A contact sheet: the portrait, and beside each drawn driver pose what became of it."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.avatar.model import Avatar
from facepuppet.topology import EYES, FACE_OVAL, LIPS_INNER, LIPS_OUTER
from facepuppet.types import F32, U8, Tracking
from facepuppet.watermark import Marked

_ROW_PX = 270
_GAP_PX = 6
_COLUMNS = 2  # pairs beside each other
_PAPER, _INK, _SKIN, _IRIS, _BODY = 24, (150, 156, 170), (236, 238, 244), (96, 190, 255), (255, 170, 90)


class ContactSheet:
    """Collects moments of a performance.

    Args:
        avatar: its portrait stands first, large, on the left.
    """

    def __init__(self, avatar: Avatar) -> None:
        self._portrait = avatar.portrait_rgb
        self._cells: list[U8] = []

    def add(self, caption: str, tracking: Tracking, picture: Marked) -> None:
        """Append one moment: what the driver does, and the outgoing picture."""
        driver = _scaled(draw_driver(tracking), _ROW_PX)
        cv2.putText(driver, caption, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)
        self._cells.append(np.hstack([driver, _scaled(picture.rgb, _ROW_PX)]))

    def to_png(self) -> bytes:
        """Return the sheet as a PNG file's content."""
        rows = [self._cells[i : i + _COLUMNS] for i in range(0, len(self._cells), _COLUMNS)]
        width = max((sum(c.shape[1] + _GAP_PX for c in row) for row in rows), default=_GAP_PX)
        height = max(len(rows), 1) * (_ROW_PX + _GAP_PX) + _GAP_PX
        portrait = _scaled(self._portrait, min(height - 2 * _GAP_PX, 2 * _ROW_PX + _GAP_PX))
        left = portrait.shape[1] + 2 * _GAP_PX
        sheet = np.full((height, left + width, 3), _PAPER, dtype=np.uint8)
        sheet[_GAP_PX : _GAP_PX + portrait.shape[0], _GAP_PX : _GAP_PX + portrait.shape[1]] = portrait
        for r, row in enumerate(rows):
            x, y = left, _GAP_PX + r * (_ROW_PX + _GAP_PX)
            for cell in row:
                sheet[y : y + _ROW_PX, x : x + cell.shape[1]] = cell
                x += cell.shape[1] + _GAP_PX
        return cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))[1].tobytes()


def draw_driver(tracking: Tracking) -> U8:
    """Draw landmarks and shoulders on an empty picture of the driver's size; no camera pixel is used."""
    width, height = tracking.image_size_px
    picture = np.full((height, width, 3), _PAPER, dtype=np.uint8)
    thickness = max(1, round(height / 240))
    if tracking.torso is not None:
        _lines(picture, tracking.torso.shoulders_px, _BODY, thickness, closed=False)
    if tracking.face is None:
        return picture
    points = tracking.face.landmarks_px[:, :2]
    for x, y in points[:468]:
        cv2.circle(picture, (round(float(x)), round(float(y))), max(1, thickness // 2), _INK, -1, cv2.LINE_AA)
    for ring in (FACE_OVAL, LIPS_OUTER, LIPS_INNER, *(eye.ring for eye in EYES)):
        _lines(picture, points[ring], _SKIN, thickness, closed=True)
    for eye in EYES:
        _lines(picture, points[eye.iris_ring], _IRIS, thickness, closed=True)
        _lines(picture, points[eye.brow_upper], _SKIN, thickness, closed=False)
    return picture


def _lines(
    picture: U8, points_px: F32, colour: tuple[int, int, int], thickness: int, *, closed: bool
) -> None:
    corners = np.rint(points_px).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(picture, [corners], closed, colour, thickness, cv2.LINE_AA)


def _scaled(picture: U8, height_px: int) -> U8:
    width = round(picture.shape[1] * height_px / picture.shape[0])
    how = cv2.INTER_AREA if height_px < picture.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height_px), interpolation=how), dtype=np.uint8)
