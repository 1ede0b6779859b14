"""What others call what a face does: ARKit's shapes, VRM 0 and 1, as one table that works both ways.

VRM's expressions are whole faces, each a mixture of ARKit's shapes. To a mixture: the table's weights, times
the expression. From shapes: how far the mixture's leading shapes have gone in the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from facepuppet.core.types import F32, N_BLENDSHAPES, Floats
from facepuppet.face.arkit import ARKIT_INDEX, ARKIT_NAMES


@dataclass(frozen=True, slots=True)
class VrmExpression:
    """One of VRM's expressions.

    Attributes:
        vrm0, vrm1: its name in VRM 0 and 1, as written there: names are case-sensitive.
        shapes: ARKit's shapes that it is made of, and how far each goes; both sides where a name ends in `*`.
        gain: how fast it rises with these shapes; 0 where it is never told, for nothing says it surely.
    """

    vrm0: str
    vrm1: str
    shapes: Mapping[str, float]
    gain: float = 1.0


# What a mouth does for a vowel, and a face for a mood; the five vowels after Japanese, as VRM has them.
VRM_EXPRESSIONS: tuple[VrmExpression, ...] = (
    VrmExpression("A", "aa", {"jawOpen": 0.7}),
    VrmExpression("I", "ih", {"mouthStretch*": 0.6, "jawOpen": 0.1}),
    VrmExpression("U", "ou", {"mouthPucker": 0.8, "jawOpen": 0.1}),
    VrmExpression("E", "ee", {"mouthUpperUp*": 0.5, "mouthLowerDown*": 0.5, "jawOpen": 0.25}),
    VrmExpression("O", "oh", {"mouthFunnel": 0.7, "jawOpen": 0.35}),
    VrmExpression("Blink", "blink", {"eyeBlink*": 1.0}),
    VrmExpression("Blink_L", "blinkLeft", {"eyeBlinkLeft": 1.0}),
    VrmExpression("Blink_R", "blinkRight", {"eyeBlinkRight": 1.0}),
    VrmExpression("LookUp", "lookUp", {"eyeLookUp*": 1.0}),
    VrmExpression("LookDown", "lookDown", {"eyeLookDown*": 1.0}),
    VrmExpression("LookLeft", "lookLeft", {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}),
    VrmExpression("LookRight", "lookRight", {"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0}),
    VrmExpression("Joy", "happy", {"mouthSmile*": 0.8, "cheekSquint*": 0.5, "eyeSquint*": 0.3}),
    VrmExpression("Angry", "angry", {"browDown*": 0.9, "mouthPress*": 0.4, "noseSneer*": 0.3}),
    VrmExpression("Sorrow", "sad", {"mouthFrown*": 0.7, "browInnerUp": 0.7}),
    VrmExpression("Fun", "relaxed", {"mouthSmile*": 0.4, "eyeSquint*": 0.2}, gain=0.0),
    VrmExpression("Surprised", "surprised", {"browInnerUp": 0.8, "browOuterUp*": 0.8, "eyeWide*": 0.7}),
)

_BY_LOWER = {name.lower(): index for name, index in ARKIT_INDEX.items()}


def arkit_index(name: str) -> int | None:
    """Return the place of an ARKit shape in any spelling (`EyeBlinkLeft`, `eyeBlink_L`); None for others."""
    lower = name.lower()
    for end, side in (("_l", "left"), ("_r", "right")):
        if lower.endswith(end):
            lower = lower.removesuffix(end) + side
    return _BY_LOWER.get(lower)


def weights_of_vrm(values: Mapping[str, float]) -> F32:
    """Return ARKit's weights (52,) of VRM's expressions by name; of two versions the larger value counts."""
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    for told in VRM_EXPRESSIONS:
        value = max(values.get(told.vrm0, 0.0), values.get(told.vrm1, 0.0))
        weights = np.maximum(weights, np.float32(min(max(value, 0.0), 1.0)) * _mixture(told))
    return weights


def vrm_of_weights(weights: Floats) -> dict[str, float]:
    """Return VRM's expressions of ARKit's weights (52,), by the names of both versions, each in [0, 1]."""
    values: dict[str, float] = {}
    for told in VRM_EXPRESSIONS:
        mixture = _mixture(told)
        leading = mixture > 0.5 * mixture.max()
        # Of a wink, a smile on one side, half: the mean, not the least.
        risen = float(np.mean(np.minimum(np.asarray(weights)[leading] / mixture[leading], 1.0)))
        values[told.vrm0] = values[told.vrm1] = min(told.gain * risen, 1.0)
    return _one_vowel(values)


def _one_vowel(values: dict[str, float]) -> dict[str, float]:
    """Rounded lips are no A, and spread ones no O: vowels together never open a mouth twice."""
    rounded = max(values["ou"], values["oh"])
    values["A"] = values["aa"] = values["aa"] * (1.0 - rounded)
    return values


def _mixture(told: VrmExpression) -> F32:
    mixture = np.zeros(N_BLENDSHAPES, np.float32)
    for pattern, share in told.shapes.items():
        stem = pattern.removesuffix("*")
        names = (f"{stem}Left", f"{stem}Right") if pattern.endswith("*") else (stem,)
        mixture[[ARKIT_INDEX[name] for name in names]] = share
    return mixture


def pascal_case(name: str) -> str:
    """Return an ARKit name as files of Live Link Face and PerfectSync have it: `JawOpen`."""
    return name[0].upper() + name[1:]


PASCAL_NAMES = tuple(pascal_case(name) for name in ARKIT_NAMES)
