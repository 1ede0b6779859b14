"""The tracked mesh as a few bytes that a page draws: points on the mean face of nobody, no camera pixel."""

from __future__ import annotations

import struct

import numpy as np

from facepuppet.core.types import Expression, Floats
from facepuppet.session.contact_sheet import expression_in_view

SIDE = 1000  # of the square view, in the unit of what is sent
_FAR = 32_767  # what two bytes hold; such a point is far outside the view


def mesh_bytes(expression: Expression | None) -> bytes:
    """Return the landmarks and then the shoulders: how many points, as uint16, then int16 pairs x, y.

    Args:
        expression: None, or of nobody, has no points.

    Returns:
        Everything little-endian, in 1/1000 of the side of the view, from its top-left corner.
    """
    placed = (None, None) if expression is None else expression_in_view(expression, SIDE)
    return b"".join(map(_points, placed))


def _points(points: Floats | None) -> bytes:
    if points is None or not np.isfinite(points).all():
        return struct.pack("<H", 0)
    return struct.pack("<H", len(points)) + np.rint(points).clip(-_FAR, _FAR).astype("<i2").tobytes()
