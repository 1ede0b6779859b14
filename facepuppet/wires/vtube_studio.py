"""VTube Studio's tracking parameters and Live2D's standard ones, and a face in the words of its plug-in API.

After the API's pages (github.com/DenchiSoft/VTubeStudio) and Live2D's list of standard parameters. The pages
give ranges of MouthOpen, FaceAngleX and FacePositionX alone; the others, and all signs, are those that
VTube Studio's own set-up of a model has when it maps inputs to Live2D's parameters, as other programs write
it down: FaceAngleX to ParamAngleX (to the screen's right) as it is, EyeRightX to ParamEyeBallX turned
round, MouthSmile and brows from 0..1 to -1..1, so that 0.5 is at rest. Nearer is +10 of a hand's Z, and
taken to be so of the face's. ARKit's 52 go as custom parameters, under names that no other plug-in gives
another meaning (VBridger's MouthPucker falls to -1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facepuppet.core.types import F32
from facepuppet.face.arkit import ARKIT_INDEX
from facepuppet.wires.expressions import LOOK_RAD, angles_of_looks
from facepuppet.wires.names import PASCAL_NAMES
from facepuppet.wires.wire_face import WireFace

UNIT_M = 0.04  # of FacePosition: so far apart are the phone app's units, which the same names hold


@dataclass(frozen=True, slots=True)
class TrackingParameter:
    """One of VTube Studio's inputs.

    Attributes:
        name: VTube Studio's.
        live2d: the standard parameter of a model that it usually moves; empty where there is none.
        unit: of its values.
        low, rest, high: its usual range, and where it is at rest.
        grows: what more of it is.
        turned: whether its Live2D parameter grows the other way.
    """

    name: str
    live2d: str
    unit: str
    low: float
    rest: float
    high: float
    grows: str
    turned: bool = False


TRACKING_PARAMETERS: tuple[TrackingParameter, ...] = (
    TrackingParameter("FaceAngleX", "ParamAngleX", "degrees", -30, 0, 30, "the screen's right"),
    TrackingParameter("FaceAngleY", "ParamAngleY", "degrees", -30, 0, 30, "up"),
    TrackingParameter("FaceAngleZ", "ParamAngleZ", "degrees", -30, 0, 30, "leaning to the screen's right"),
    TrackingParameter("FacePositionX", "", "4 cm", -10, 0, 10, "the screen's right"),
    TrackingParameter("FacePositionY", "", "4 cm", -10, 0, 10, "up"),
    TrackingParameter("FacePositionZ", "", "4 cm", -10, 0, 10, "nearer"),
    TrackingParameter("EyeOpenLeft", "ParamEyeLOpen", "share", 0, 1, 1, "open"),
    TrackingParameter("EyeOpenRight", "ParamEyeROpen", "share", 0, 1, 1, "open"),
    TrackingParameter("EyeLeftX", "ParamEyeBallX", "30 degrees", -1, 0, 1, "the screen's left", turned=True),
    TrackingParameter("EyeLeftY", "ParamEyeBallY", "30 degrees", -1, 0, 1, "up"),
    TrackingParameter("EyeRightX", "ParamEyeBallX", "30 degrees", -1, 0, 1, "the screen's left", turned=True),
    TrackingParameter("EyeRightY", "ParamEyeBallY", "30 degrees", -1, 0, 1, "up"),
    TrackingParameter("MouthOpen", "ParamMouthOpenY", "share", 0, 0, 1, "open"),
    TrackingParameter("MouthSmile", "ParamMouthForm", "share", 0, 0.5, 1, "smiling; 0 is a frown"),
    TrackingParameter("MouthX", "", "share", -1, 0, 1, "the screen's right"),
    TrackingParameter("Brows", "", "share", 0, 0.5, 1, "up"),
    TrackingParameter("BrowLeftY", "ParamBrowLY", "share", 0, 0.5, 1, "up"),
    TrackingParameter("BrowRightY", "ParamBrowRY", "share", 0, 0.5, 1, "up"),
    TrackingParameter("CheekPuff", "ParamCheek", "share", 0, 0, 1, "puffed"),
    TrackingParameter("TongueOut", "", "share", 0, 0, 1, "out"),
)
ARKIT_PREFIX = "ARKit"
CUSTOM_PARAMETERS = tuple(ARKIT_PREFIX + name for name in PASCAL_NAMES)  # 0 to 1, 0 at rest


def parameters_of(face: WireFace) -> dict[str, float]:
    """Return VTube Studio's parameters of a face by name, the built-in ones and ARKit's 52 as custom ones."""
    values = {**_head(face), **_eyes(face), **_features(face.weights)}
    for told in TRACKING_PARAMETERS:
        if not told.name.startswith("Face"):  # heads go as far as they go: VTube Studio limits that itself
            values[told.name] = float(np.clip(values[told.name], told.low, told.high))
    return values | dict(zip(CUSTOM_PARAMETERS, face.weights.tolist(), strict=True))


def _head(face: WireFace) -> dict[str, float]:
    yaw, pitch, roll = np.degrees(face.head_rad).tolist()
    position = np.zeros(3) if face.position_m is None else face.position_m / UNIT_M
    right, down, away = position.tolist()
    return {
        "FaceAngleX": yaw,
        "FaceAngleY": -pitch,
        "FaceAngleZ": roll,
        "FacePositionX": right,
        "FacePositionY": -down,
        "FacePositionZ": -away,
    }


def _eyes(face: WireFace) -> dict[str, float]:
    eyes_rad = angles_of_looks(face.weights) if face.eyes_rad is None else face.eyes_rad
    values: dict[str, float] = {}
    for side, (yaw, pitch) in zip(("Right", "Left"), (eyes_rad / LOOK_RAD).tolist(), strict=True):
        values[f"Eye{side}X"], values[f"Eye{side}Y"] = -yaw, -pitch
        values[f"EyeOpen{side}"] = 1.0 - float(face.weights[ARKIT_INDEX[f"eyeBlink{side}"]])
    return values


def _features(weights: F32) -> dict[str, float]:
    def of(name: str) -> float:
        return float(weights[ARKIT_INDEX[name]])

    def both(name: str) -> float:
        return 0.5 * (of(f"{name}Left") + of(f"{name}Right"))

    brows = {
        side: 0.5 + 0.25 * (of(f"browOuterUp{side}") + of("browInnerUp")) - 0.5 * of(f"browDown{side}")
        for side in ("Left", "Right")
    }
    return {
        "MouthOpen": of("jawOpen") - of("mouthClose"),
        "MouthSmile": 0.5 + 0.5 * (both("mouthSmile") - both("mouthFrown")),
        "MouthX": of("mouthLeft") - of("mouthRight"),
        "Brows": 0.5 * (brows["Left"] + brows["Right"]),
        "BrowLeftY": brows["Left"],
        "BrowRightY": brows["Right"],
        "CheekPuff": of("cheekPuff"),
        "TongueOut": of("tongueOut"),
    }
