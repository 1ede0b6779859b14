"""A contact sheet: the portrait, and beside each drawn driver pose what became of it."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.geometry import F64
from facepuppet.core.types import F32, U8, Tracking
from facepuppet.face.topology import EYES, FACE_OVAL, LIPS_INNER, LIPS_OUTER, N_MESH
from facepuppet.portrait.avatar import Avatar
from facepuppet.watermark import Marked

_ROW_PX = 216
_GAP_PX = 6
_VIEW = 2.6  # side of the driver's drawing, in face heights
_COLUMNS = 2  # pairs beside each other
_PAPER, _INK, _SKIN, _IRIS, _BODY = 24, (150, 156, 170), (236, 238, 244), (96, 190, 255), (255, 170, 90)


class ContactSheet:
    """Collects moments of a performance.

    Args:
        avatar: its portrait stands first, large, on the left.
    """

    def __init__(self, avatar: Avatar) -> None:
        self._portrait = avatar.portrait_rgb
        self._view: tuple[float, float, float] | None = None  # centre and size of the first face
        self._cells: list[U8] = []

    def add(self, caption: str, tracking: Tracking, picture: Marked) -> None:
        """Append one moment: what the driver does, and the outgoing picture."""
        driver = self._close_up(tracking)
        cv2.putText(driver, caption, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)
        self._cells.append(np.hstack([driver, _scaled(picture.rgb, _ROW_PX)]))

    def _close_up(self, tracking: Tracking) -> U8:
        """The driver's drawing around where the face first was, as a square."""
        if self._view is None and tracking.face is not None:
            low, high = (
                tracking.face.landmarks_px[:, :2].min(axis=0),
                tracking.face.landmarks_px[:, :2].max(axis=0),
            )
            self._view = (*((low + high) / 2).tolist(), float(high[1] - low[1]))
        x, y, size = self._view or (
            *(side / 2 for side in tracking.image_size_px),
            tracking.image_size_px[1] / 3,
        )
        scale = _ROW_PX / (_VIEW * size)
        crop = np.array([[scale, 0, _ROW_PX / 2 - scale * x], [0, scale, 0.38 * _ROW_PX - scale * y]])
        return draw_driver(tracking, crop, (_ROW_PX, _ROW_PX))

    def to_png(self) -> bytes:
        """Return the sheet as a PNG file's content."""
        rows = [self._cells[i : i + _COLUMNS] for i in range(0, len(self._cells), _COLUMNS)]
        width = max((sum(c.shape[1] + _GAP_PX for c in row) for row in rows), default=_GAP_PX)
        height = max(len(rows), 1) * (_ROW_PX + _GAP_PX) + _GAP_PX
        portrait = _scaled(self._portrait, height - 2 * _GAP_PX)
        left = portrait.shape[1] + 2 * _GAP_PX
        sheet = np.full((height, left + width, 3), _PAPER, dtype=np.uint8)
        sheet[_GAP_PX : _GAP_PX + portrait.shape[0], _GAP_PX : _GAP_PX + portrait.shape[1]] = portrait
        for r, row in enumerate(rows):
            x, y = left, _GAP_PX + r * (_ROW_PX + _GAP_PX)
            for cell in row:
                sheet[y : y + _ROW_PX, x : x + cell.shape[1]] = cell
                x += cell.shape[1] + _GAP_PX
        return cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))[1].tobytes()


def draw_driver(tracking: Tracking, view_from_image: F64, size_px: tuple[int, int]) -> U8:
    """Draw landmarks and shoulders on an empty picture; no camera pixel is used.

    Args:
        tracking: what to draw.
        view_from_image: (2, 3) affine map.
        size_px: width and height of the picture.
    """
    picture = np.full((size_px[1], size_px[0], 3), _PAPER, dtype=np.uint8)
    if tracking.torso is not None:
        _lines(picture, _mapped(tracking.torso.shoulders_px, view_from_image), _BODY, closed=False)
    if tracking.face is None:
        return picture
    points = _mapped(tracking.face.landmarks_px[:, :2], view_from_image)
    for x, y in points[:N_MESH]:
        cv2.circle(picture, (round(float(x)), round(float(y))), 1, _INK, -1, cv2.LINE_AA)
    for ring in (FACE_OVAL, LIPS_OUTER, LIPS_INNER, *(eye.ring for eye in EYES)):
        _lines(picture, points[ring], _SKIN, closed=True)
    for eye in EYES:
        _lines(picture, points[eye.iris_ring], _IRIS, closed=True)
        _lines(picture, points[eye.brow_upper], _SKIN, closed=False)
    return picture


def _mapped(points_px: F32, view_from_image: F64) -> F64:
    return np.asarray(points_px @ view_from_image[:, :2].T + view_from_image[:, 2])


def _lines(picture: U8, points_px: F64, colour: tuple[int, int, int], *, closed: bool) -> None:
    corners = np.rint(points_px).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(picture, [corners], closed, colour, 1, cv2.LINE_AA)


def _scaled(picture: U8, height_px: int) -> U8:
    width = round(picture.shape[1] * height_px / picture.shape[0])
    how = cv2.INTER_AREA if height_px < picture.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height_px), interpolation=how), dtype=np.uint8)
