"""Valence and arousal that a face shows, for its own user and for what a style makes of them.

It is arithmetic on a few shapes, and no knowledge of anybody: a face that shows a smile need not be glad.
Which muscles speak for what is after Ekman & Friesen's EMFACS (6 and 12 for joy; 4, 15 and 17 for sorrow; 4,
5, 7, 23 and 24 for anger; 9 and 10 for disgust; 1, 2, 5 and 26 for surprise), placed on the plane of Russell,
"A circumplex model of affect" (Journal of Personality and Social Psychology 39, 1980); how far, after our own
eyes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from facepuppet.character.channel_groups import weights_of
from facepuppet.core.types import F32, Expression
from facepuppet.face.deformation import blendshape_weights


@dataclass(frozen=True, slots=True)
class FeltEmotion:
    """A place on the plane of moods.

    Attributes:
        valence: −1 unpleasant to 1 pleasant.
        arousal: −1 sleepy to 1 excited.
    """

    valence: float = 0.0
    arousal: float = 0.0


_VALENCE = weights_of(
    {
        **{"mouthSmile": 0.75, "cheekSquint": 0.25, "mouthDimple": 0.15},
        **{"browDown": -0.45, "mouthFrown": -0.75, "noseSneer": -0.5, "mouthUpperUp": -0.15},
        **{"mouthPress": -0.2, "mouthStretch": -0.25, "mouthShrugLower": -0.3},
    }
)
_AROUSAL = weights_of(
    {
        **{"eyeWide": 0.6, "browOuterUp": 0.3, "browInnerUp": 0.3, "browDown": 0.25, "jawOpen": 0.35},
        **{"mouthSmile": 0.2, "cheekSquint": 0.1, "noseSneer": 0.2, "mouthStretch": 0.3, "mouthPress": 0.1},
        **{"mouthFrown": -0.2},
    }
)
_BOTH = np.stack([_VALENCE, _AROUSAL])
_DROWSY = 0.8  # lids that are half shut for long tell of sleep; a blink does not, once smoothed


def felt_emotion(weights: F32, eye_opening: F32) -> FeltEmotion:
    """Return what a face shows at a moment, not smoothed.

    Args:
        weights: (52,) of ARKit's shapes, against the face at rest.
        eye_opening: (2,) lid aperture, 0 shut and 1 as at rest.
    """
    valence, arousal = (_BOTH @ weights).tolist()
    one, other = eye_opening.tolist()
    arousal -= _DROWSY * max(0.0, 1.0 - (one + other) / 2.0)
    return FeltEmotion(math.tanh(valence), math.tanh(arousal))


def emotion_of(expression: Expression) -> FeltEmotion | None:
    """Return what a driver's face shows at a moment; None without one, or of nonsense. Takes some .3 ms."""
    face = expression.face
    if face is None:
        return None
    felt = felt_emotion(blendshape_weights(face.deformation), face.eye_opening)
    return felt if math.isfinite(felt.valence + felt.arousal) else None
