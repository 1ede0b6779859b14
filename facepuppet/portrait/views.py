"""More pictures of the person a portrait shows, brought to its size and upright pose.

A view shows what the portrait hides: teeth behind shut lips, the skin of shut lids, a cheek from the
side. It keeps its own pose and expression; only scale, roll and place are the portrait's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.face.topology import N_MESH

MAX_VIEWS = 8
_MARGIN_PX = 2


@dataclass(frozen=True, slots=True)
class View:
    """One more picture of the person's face.

    Attributes:
        landmarks_px: (478, 3) float32 in the portrait frame, z away from the viewer.
        rgb: (h, w, 3) uint8, what `view_box` of those landmarks covers.
    """

    landmarks_px: F32
    rgb: U8

    @property
    def origin_px(self) -> tuple[int, int]:
        """Top-left corner of the picture in the portrait frame; it may lie outside the portrait."""
        return view_box(self.landmarks_px)[:2]


def view_box(landmarks_px: F32) -> tuple[int, int, int, int]:
    """Return x, y, width and height of what is kept around the mesh of a view, in the portrait frame."""
    mesh = landmarks_px[:N_MESH, :2]
    low = np.floor(mesh.min(0)).astype(int) - _MARGIN_PX
    high = np.ceil(mesh.max(0)).astype(int) + _MARGIN_PX + 1
    (x, y), (width, height) = low.tolist(), (high - low).tolist()
    return int(x), int(y), int(width), int(height)
