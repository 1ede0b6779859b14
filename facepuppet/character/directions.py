"""The labelled directions of the expression code: what each one's slider means, in ARKit's shapes.

Which muscles make which emotion is EMFACS-7's (W. Friesen and P. Ekman, "EMFACS-7: Emotional Facial Action
Coding System", University of California, 1983; D. Matsumoto and P. Ekman, "Facial expression analysis",
Scholarpedia 3(5), 2008). Which of ARKit's shapes shows which action unit follows their descriptions, as in
M. Ozel's "ARKit to FACS" cheat sheet: 1 browInnerUp, 2 browOuterUp, 4 browDown, 5 eyeWide, 6 cheekSquint,
7 eyeSquint, 9 noseSneer, 10 mouthUpperUp, 12 mouthSmile, 14 mouthDimple, 15 mouthFrown, 16 mouthLowerDown,
17 mouthShrugLower, 20 mouthStretch, 24 mouthPress, 25 and 26 jawOpen. The amounts are ours: clear, short of
a grimace.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from facepuppet.core.types import F32, N_BLENDSHAPES
from facepuppet.face.arkit import ARKIT_INDEX, ARKIT_NAMES

# Shape, without its side where both sides do the same, and its weight where a slider is 1.
_SCRIPTS: Mapping[str, Mapping[str, float]] = {
    # 6 + 12
    "smile": {"mouthSmile": 0.8, "cheekSquint": 0.6, "eyeSquint": 0.15},
    # 1 + 2 + 5 + 26
    "surprise": {"browInnerUp": 0.8, "browOuterUp": 0.9, "eyeWide": 0.6, "jawOpen": 0.3},
    # 4 + 5 + 7 + 24, nostrils flared
    "anger": {"browDown": 0.95, "eyeSquint": 0.5, "eyeWide": 0.15, "mouthPress": 0.5, "noseSneer": 0.2},
    # 1 + 4 + 15 + 17
    "sadness": {"browInnerUp": 0.8, "browDown": 0.2, "mouthFrown": 0.8, "mouthShrugLower": 0.35},
    # 9 + 10 + 16
    "disgust": {"noseSneer": 0.9, "mouthUpperUp": 0.6, "browDown": 0.3, "mouthLowerDown": 0.15},
    # 1 + 2 + 4 + 5 + 20 + 26
    "fear": {
        "browInnerUp": 0.9,
        "browOuterUp": 0.3,
        "browDown": 0.25,
        "eyeWide": 0.75,
        "mouthStretch": 0.8,
        "jawOpen": 0.15,
    },
    # R12 + R14: one side alone
    "contempt": {"mouthDimpleLeft": 0.8, "mouthSmileLeft": 0.4, "mouthPressLeft": 0.3},
}
DIRECTIONS: tuple[str, ...] = tuple(_SCRIPTS)
INTENSITY = "intensity"
SLIDERS = (*DIRECTIONS, INTENSITY)
N_CODE = 16
_OWN_CHANNELS = ("eyeLook", "eyeBlink")  # a message tells gaze and lids for themselves
CODED: tuple[int, ...] = tuple(
    index for index, name in enumerate(ARKIT_NAMES) if not name.startswith((*_OWN_CHANNELS, "tongue"))
)


def _spread(script: Mapping[str, float]) -> F32:
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    for shape, weight in script.items():
        names = [shape] if shape in ARKIT_INDEX else [f"{shape}Left", f"{shape}Right"]
        weights[[ARKIT_INDEX[name] for name in names]] = weight
    weights.setflags(write=False)
    return weights


# (52,) weights each where its slider is 1 and the face is at rest; read-only.
SCRIPTS: Mapping[str, F32] = MappingProxyType({name: _spread(script) for name, script in _SCRIPTS.items()})
