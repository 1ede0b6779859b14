"""Where the portrait's shoulders are, or plausibly would be."""

from __future__ import annotations

import numpy as np

from facepuppet.core.types import F32
from facepuppet.face.topology import CHIN, FACE_OVAL
from facepuppet.portrait.face_view import face_width_px
from facepuppet.vision.still import BodyView

_MIN_CONFIDENCE = 0.5
_WIDTH_RANGE = (1.2, 3.6)  # believable shoulder width, in face widths
_TYPICAL_HALF_WIDTH = 1.05  # in face widths
_TYPICAL_DROP = 0.65  # from chin to shoulder line, in face widths


def place_shoulders(landmarks_px: F32, body: BodyView | None) -> F32:
    """Return the (2, 2) float32 shoulder points, image-left first.

    The pose network's are used when it is sure and they fit the face; a bust in profile, a
    tight crop or a drawing gets typical proportions instead.
    """
    if (
        body is not None
        and body.confidence >= _MIN_CONFIDENCE
        and _believable(body.shoulders_px, landmarks_px)
    ):
        return body.shoulders_px
    return _typical(landmarks_px)


def _believable(shoulders_px: F32, landmarks_px: F32) -> bool:
    face_width = face_width_px(landmarks_px)
    span = shoulders_px[1] - shoulders_px[0]
    middle = shoulders_px.mean(axis=0)
    chin = landmarks_px[CHIN, :2]
    return bool(
        _WIDTH_RANGE[0] * face_width <= np.hypot(*span) <= _WIDTH_RANGE[1] * face_width
        and abs(span[1]) < 0.6 * abs(span[0])
        and 0 < middle[1] - chin[1] < 2.0 * face_width
        and shoulders_px[0, 0] < chin[0] < shoulders_px[1, 0]
    )


def _typical(landmarks_px: F32) -> F32:
    face_width = face_width_px(landmarks_px)
    chin = landmarks_px[CHIN, :2]
    middle_x = float(landmarks_px[FACE_OVAL, 0].mean())
    y = chin[1] + _TYPICAL_DROP * face_width
    half = _TYPICAL_HALF_WIDTH * face_width
    return np.array([[middle_x - half, y], [middle_x + half, y]], dtype=np.float32)
