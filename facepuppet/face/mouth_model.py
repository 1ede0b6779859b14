"""Teeth, gums and tongue of the mean head, as layers with depth.

They are ICT-FaceKit's (MIT, data/LICENSE-ICT-FaceKit), made by tools/build_mouth_layers.py. Lengths are
centimetres about the edge of the upper lip at rest; x is to the right of the picture, y down, z away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from facepuppet.core.types import F32

WIDTH_CM = 6.375  # of every layer's picture, centred


@dataclass(frozen=True, slots=True)
class MouthLayer:
    """One layer, seen from the front; a point of its surface has z = level + slope · y + curve(x).

    Attributes:
        cover, teeth, light: (h, w) float32 in [0, 1], premultiplied: what it covers, how much of that is
            tooth, how much light reaches it.
        across, down: (h, w) float32, the surface's normal, premultiplied.
        top_cm: y of the picture's upper edge.
        level_cm, slope: the plane.
        curve_cm: (n,) how far the row bends back, evenly over WIDTH_CM; 0 in the middle.
    """

    cover: F32
    teeth: F32
    light: F32
    across: F32
    down: F32
    top_cm: float
    level_cm: float
    slope: float
    curve_cm: F32


@dataclass(frozen=True, slots=True)
class MouthModel:
    """The inside of the mean mouth.

    Attributes:
        layers: "upper" (teeth and gums), "lower" (the same) and "tongue".
        head_from_model: (3, 3) float32 rotation into the head frame.
        cm_per_unit: what one unit of the head frame is, the distance of the outer eye corners.
        px_per_cm: of the layers' pictures.
        drop: how far the jaw hangs in "lower" and "tongue"; 1 is ARKit's jawOpen at 1.
        jaw_rad: turn of the jaw at drop 1.
        hinge_cm: (2,) y and z of what it turns about.
        teeth_cm: how far the lower incisors sink at drop 1.
        chin_cm, lip_cm: how far a tracker sees chin and lower lip sink then.
    """

    layers: Mapping[str, MouthLayer]
    head_from_model: F32
    cm_per_unit: float
    px_per_cm: float
    drop: float
    jaw_rad: float
    hinge_cm: F32
    teeth_cm: float
    chin_cm: float
    lip_cm: float


@cache
def mouth_model() -> MouthModel:
    """Return the model; read it only."""
    with (files("facepuppet.face") / "data" / "mouth_layers.npz").open("rb") as file:
        data = dict(np.load(file, allow_pickle=False))
    layers = {}
    for name in ("upper", "lower", "tongue"):
        cover, teeth, light = data[f"{name}_planes"].astype(np.float32) / 255
        across, down = data[f"{name}_normals"].astype(np.float32) / 127
        level, slope = data[f"{name}_plane_cm"].tolist()
        top, curve = float(data[f"{name}_top_cm"]), data[f"{name}_curve_cm"]
        layers[name] = MouthLayer(cover, teeth, light, across, down, top, level, slope, curve)
    chin, lip = data["jaw_landmarks_cm"].tolist()
    return MouthModel(
        layers,
        data["head_from_model"],
        float(data["cm_per_unit"]),
        float(data["px_per_cm"]),
        float(data["drop"]),
        float(data["jaw_rad"]),
        data["jaw_hinge_cm"],
        float(data["jaw_teeth_cm"]),
        chin,
        lip,
    )
