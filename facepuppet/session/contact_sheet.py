"""A contact sheet: portraits, and beside each drawn driver pose what became of it."""

from __future__ import annotations

import math

import cv2
import numpy as np

from facepuppet.core.geometry import rotation_from_vector
from facepuppet.core.types import F64, U8, Expression, FacePose, Floats
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.deformation import landmark_offsets
from facepuppet.face.topology import EYES, FACE_OVAL, LIPS_INNER, LIPS_OUTER, N_MESH
from facepuppet.portrait.avatar import Avatar
from facepuppet.retarget.lids import place_lids
from facepuppet.watermark.marked import Marked

_ROW_PX = 216
_GAP_PX = 6
_VIEW, _EYES_HEIGHT = 3.7, 0.30  # side of a drawing in inter-ocular distances; where its eyes are
_SHOULDERS = np.array([[-1.75, 0.0], [1.75, 0.0]])  # about the chest, in inter-ocular distances
_CHEST = np.array([0.0, 2.35])
_COLUMNS = 2  # moments beside each other
_PAPER, _INK, _SKIN, _IRIS, _BODY = 24, (150, 156, 170), (236, 238, 244), (96, 190, 255), (255, 170, 90)


class ContactSheet:
    """Collects moments of a performance.

    Args:
        avatars: their portraits stand first, in the order in which they perform.
    """

    def __init__(self, *avatars: Avatar) -> None:
        portraits = [_scaled(avatar.portrait_rgb, _ROW_PX) for avatar in avatars]
        self._portraits = np.hstack([np.full((_ROW_PX, _ROW_PX, 3), _PAPER, np.uint8), *portraits])
        self._cells: dict[str, U8] = {}

    def add(self, caption: str, expression: Expression, picture: Marked) -> None:
        """Append a moment: what the driver does, and the outgoing picture; or the next portrait's."""
        if caption not in self._cells:
            self._cells[caption] = draw_expression(expression, _ROW_PX)
            where = (self._cells[caption], caption, (8, 20))
            cv2.putText(*where, cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)
        self._cells[caption] = np.hstack([self._cells[caption], _scaled(picture.rgb, _ROW_PX)])

    def to_png(self) -> bytes:
        """Return the sheet as a PNG file's content."""
        cells = [self._portraits, *self._cells.values()]
        width, height = max(cell.shape[1] for cell in cells) + _GAP_PX, _ROW_PX + _GAP_PX
        n_rows = -(-len(cells) // _COLUMNS)
        sheet = np.full((n_rows * height + _GAP_PX, _COLUMNS * width + _GAP_PX, 3), _PAPER, dtype=np.uint8)
        for i, cell in enumerate(cells):
            x, y = _GAP_PX + i % _COLUMNS * width, _GAP_PX + i // _COLUMNS * height
            sheet[y : y + _ROW_PX, x : x + cell.shape[1]] = cell
        return cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))[1].tobytes()


def draw_expression(expression: Expression, side_px: int) -> U8:
    """Draw what a driver does, on the mean face and shoulders of nobody, as a square picture."""
    landmarks, shoulders = expression_in_view(expression, side_px)
    return draw_driver(landmarks, shoulders, np.eye(2, 3), (side_px, side_px))


def expression_in_view(expression: Expression, side: float) -> tuple[F64 | None, F64 | None]:
    """Place what a driver does, on the mean face and shoulders of nobody, in a square view.

    Args:
        expression: what is done.
        side: of the view, in any unit.

    Returns:
        Landmarks (478, 2) and shoulders (2, 2), x right and y down from the view's top-left corner; None for
        what is not seen.
    """
    scale, face, torso = side / _VIEW, expression.face, expression.torso
    origin = np.array([side / 2, _EYES_HEIGHT * side])
    landmarks = None if face is None else scale * landmarks_in_space(face)[:, :2] + origin
    if torso is None:
        return landmarks, None
    turned = math.exp(torso.log_scale) * _SHOULDERS @ _turn(torso.roll_rad).T
    return landmarks, scale * (turned + _CHEST + torso.lean) + origin


def landmarks_in_space(face: FacePose) -> F64:
    """Landmarks (478, 3) of a mean face with this pose and expression, in inter-ocular distances."""
    mean = canonical_landmarks()
    head = mean + landmark_offsets(face.deformation).offsets
    for eye, opening in zip(EYES, face.eye_opening.tolist(), strict=True):
        place_lids(head, mean, eye, opening)
    placed = math.exp(face.head.log_scale) * head @ rotation_from_vector(face.head.turn).T
    placed[:, :2] += face.head.shift
    return np.asarray(placed)


def draw_driver(
    landmarks: Floats | None, shoulders: Floats | None, view_from_points: F64, size_px: tuple[int, int]
) -> U8:
    """Draw landmarks and shoulders on an empty picture; no camera pixel is used.

    Args:
        landmarks: (478, 2 or 3), or None.
        shoulders: (2, 2), or None.
        view_from_points: (2, 3) affine map.
        size_px: width and height of the picture.
    """
    picture = np.full((size_px[1], size_px[0], 3), _PAPER, dtype=np.uint8)
    if shoulders is not None:
        _lines(picture, _mapped(shoulders, view_from_points), _BODY, closed=False)
    if landmarks is None:
        return picture
    points = _mapped(landmarks[:, :2], view_from_points)
    for x, y in points[:N_MESH]:
        cv2.circle(picture, (round(float(x)), round(float(y))), 1, _INK, -1, cv2.LINE_AA)
    for ring in (FACE_OVAL, LIPS_OUTER, LIPS_INNER, *(eye.ring for eye in EYES)):
        _lines(picture, points[ring], _SKIN, closed=True)
    for eye in EYES:
        _lines(picture, points[eye.iris_ring], _IRIS, closed=True)
        _lines(picture, points[eye.brow_upper], _SKIN, closed=False)
    return picture


def _turn(angle_rad: float) -> F64:
    sine, cosine = math.sin(angle_rad), math.cos(angle_rad)
    return np.array([[cosine, -sine], [sine, cosine]])


def _mapped(points_px: Floats, view_from_image: F64) -> F64:
    return np.asarray(points_px @ view_from_image[:, :2].T + view_from_image[:, 2])


def _lines(picture: U8, points_px: F64, colour: tuple[int, int, int], *, closed: bool) -> None:
    corners = np.rint(points_px).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(picture, [corners], closed, colour, 1, cv2.LINE_AA)


def _scaled(picture: U8, height_px: int) -> U8:
    width = round(picture.shape[1] * height_px / picture.shape[0])
    how = cv2.INTER_AREA if height_px < picture.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height_px), interpolation=how), dtype=np.uint8)
