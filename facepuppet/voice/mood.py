"""Valence and arousal heard in a voice, and how a face looks with them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from facepuppet.core.types import F32, N_BLENDSHAPES
from facepuppet.face.arkit import ARKIT_INDEX
from facepuppet.voice.easing import Spring
from facepuppet.voice.prosody import Prosody
from facepuppet.voice.voice_frame import STEP_S

SMOOTH_S = 1.5
_CORNERS = {"smile": "mouthSmile", "frown": "mouthFrown"}


@dataclass(frozen=True, slots=True)
class Mood:
    """A mood.

    Attributes:
        valence: −1 unpleasant to 1 pleasant.
        arousal: −1 sleepy to 1 excited.
    """

    valence: float = 0.0
    arousal: float = 0.0

    @property
    def head_gain(self) -> float:
        """How many times farther and faster a head moves than without a mood."""
        return 1.0 + 0.35 * self.arousal


class MoodListener:
    def hear(self, heard: Prosody, loudness_db: float, brightness_db: float) -> Mood:
        return Mood()


def look_of(mood: Mood, face: float) -> F32:
    return np.zeros(N_BLENDSHAPES, np.float32)
