"""The points that a person places. Left and right are the picture's, not the person's own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from facepuppet.face import CHIN, EYES, FOREHEAD, NOSE_TIP, EyeTopology

_SIDES = ("left", "right")


def _of_eye(side: str, eye: EyeTopology) -> dict[str, int]:
    return {
        f"{side}_eye_outer": eye.outer,
        f"{side}_eye_inner": eye.inner,
        f"{side}_eye_upper": int(eye.upper_lid[4]),
        f"{side}_eye_lower": int(eye.lower_lid[4]),
        f"{side}_iris": eye.iris_centre,
    }


def _of_brow(side: str, eye: EyeTopology) -> dict[str, int]:
    return {
        f"{side}_brow_outer": int(eye.brow_upper[0]),
        f"{side}_brow_middle": int(eye.brow_upper[2]),
        f"{side}_brow_inner": int(eye.brow_upper[4]),
    }


REQUIRED: Mapping[str, int] = MappingProxyType(
    {
        **_of_eye("left", EYES[0]),
        **_of_eye("right", EYES[1]),
        "nose_tip": NOSE_TIP,
        "mouth_left": 61,
        "mouth_right": 291,
        "lip_top": 0,
        "lip_bottom": 17,
        "chin": CHIN,
        "face_left": 234,
        "face_right": 454,
    }
)
OPTIONAL: Mapping[str, int] = MappingProxyType(
    {
        "left_iris_rim": int(EYES[0].iris_ring[0]),
        "right_iris_rim": int(EYES[1].iris_ring[0]),
        **_of_brow("left", EYES[0]),
        **_of_brow("right", EYES[1]),
        "nose_left": 129,
        "nose_right": 358,
        "mouth_opening_top": 13,
        "mouth_opening_bottom": 14,
        "forehead": FOREHEAD,
        "jaw_left": 172,
        "jaw_right": 397,
    }
)
POINTS: Mapping[str, int] = MappingProxyType({**REQUIRED, **OPTIONAL})

# What each point is, for the template.
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "eye_outer": "corner towards the temple",
        "eye_inner": "corner towards the nose",
        "eye_upper": "middle of the upper lid's rim",
        "eye_lower": "middle of the lower lid's rim",
        "iris": "centre of the iris",
        "iris_rim": "any point of its rim",
        "nose_tip": "",
        "mouth_left": "corner",
        "mouth_right": "corner",
        "lip_top": "upper edge of the upper lip, in the middle",
        "lip_bottom": "lower edge of the lower lip, in the middle",
        "chin": "lowest point",
        "face_left": "edge of the face beside the ear, level with the eyes",
        "face_right": "the same, right",
        "brow_outer": "upper edge of the brow",
        "brow_middle": "",
        "brow_inner": "",
        "nose_left": "wing of the nose",
        "nose_right": "",
        "mouth_opening_top": "lower edge of the upper lip; the next point when the mouth is shut",
        "mouth_opening_bottom": "upper edge of the lower lip",
        "forehead": "hairline, in the middle",
        "jaw_left": "edge of the jaw, level with the mouth",
        "jaw_right": "",
    }
)
# Pairs (a, b) of which a lies left of b, and pairs of which a lies above b, in any upright face.
LEFT_TO_RIGHT = (
    ("left_eye_outer", "left_eye_inner"),
    ("left_eye_inner", "right_eye_inner"),
    ("right_eye_inner", "right_eye_outer"),
    ("mouth_left", "mouth_right"),
    ("face_left", "face_right"),
)
TOP_TO_BOTTOM = (
    ("left_eye_upper", "left_eye_lower"),
    ("right_eye_upper", "right_eye_lower"),
    ("left_eye_lower", "nose_tip"),
    ("right_eye_lower", "nose_tip"),
    ("nose_tip", "lip_top"),
    ("lip_top", "lip_bottom"),
    ("lip_bottom", "chin"),
)


def words(name: str) -> str:
    """Say in plain words what a point is."""
    side, _, rest = name.partition("_")
    return WORDS[rest] if side in _SIDES and rest in WORDS else WORDS.get(name, "")
