"""What is heard of a voice at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from facepuppet.core.types import F32, F64, N_BLENDSHAPES
from facepuppet.face.arkit import ARKIT_INDEX

RATE_HZ = 16_000  # of the sound that is listened to; mouths make little above 8 kHz that others leave out
STEP_S = 0.02  # from one frame to the next
HEARD_S = 0.035  # of sound that a step is of
LOOK_AHEAD_S = 0.06  # a moment is told once so much of what follows it has been heard

# What a voice moves, both sides alike, and the ARKit shapes each stands for.
MOUTH_SHAPES = MappingProxyType(
    {
        "jawOpen": ("jawOpen",),
        "mouthClose": ("mouthClose",),
        "mouthFunnel": ("mouthFunnel",),
        "mouthPucker": ("mouthPucker",),
        "mouthRollLower": ("mouthRollLower",),
        "mouthRollUpper": ("mouthRollUpper",),
        "mouthShrugLower": ("mouthShrugLower",),
        "mouthShrugUpper": ("mouthShrugUpper",),
        "mouthStretch": ("mouthStretchLeft", "mouthStretchRight"),
        "mouthSmile": ("mouthSmileLeft", "mouthSmileRight"),
        "mouthPress": ("mouthPressLeft", "mouthPressRight"),
        "mouthLowerDown": ("mouthLowerDownLeft", "mouthLowerDownRight"),
        "mouthUpperUp": ("mouthUpperUpLeft", "mouthUpperUpRight"),
    }
)


@dataclass(frozen=True, slots=True)
class VoiceFrame:
    """What is heard of a voice at one moment.

    Attributes:
        t_s: when, from the start of the sound.
        mouth: (13,) float32 weights of MOUTH_SHAPES, each in [0, 1].
        speaking: how surely somebody speaks or sings, 0 to 1.
        loudness_db: of the sound over what is quiet here; 0 in a pause, some 30 in speech.
        pitch_hz: of the voice; 0 where it has none.
    """

    t_s: float
    mouth: F32
    speaking: float
    loudness_db: float
    pitch_hz: float


def frame_times_s(n: int) -> F64:
    """When the first n frames are, (n,) from the start of the sound; the first ones are before it."""
    return np.arange(n) * STEP_S + HEARD_S - LOOK_AHEAD_S


def within_full_scale(sound: F32) -> F32:
    """Return sound (n,) within ±1; what is no number is silence."""
    return np.clip(np.nan_to_num(sound, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)


def spread(mouth: F32) -> F32:
    """Return weights (52,) in ARKit's order of those of MOUTH_SHAPES (13,)."""
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    for weight, names in zip(mouth, MOUTH_SHAPES.values(), strict=True):
        for name in names:
            weights[ARKIT_INDEX[name]] = weight
    return weights
