"""What head, eyes and brows do with speech."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from facepuppet.core.types import F32, N_BLENDSHAPES, HeadPose, TorsoPose
from facepuppet.voice.voice_frame import VoiceFrame
from facepuppet.voice.voice_manner import VoiceManner


@dataclass(frozen=True, slots=True)
class Gesture:
    """What a speaker does besides the mouth at one moment.

    Attributes:
        head: where the head is.
        torso: where the shoulders are.
        weights: (52,) of brows, lids, eyeLook* and corners of the mouth, ARKit's order; added to the mouth's.
    """

    head: HeadPose = field(default_factory=lambda: HeadPose(np.zeros(3, np.float32)))
    torso: TorsoPose = field(default_factory=lambda: TorsoPose((0.0, 0.0)))
    weights: F32 = field(default_factory=lambda: np.zeros(N_BLENDSHAPES, np.float32))


class Gestures:
    """Moves head, eyes and brows with speech.

    Args:
        manner: how lively, and what moves.
        seed: the same seed, sound and times give the same gestures.
    """

    def __init__(self, manner: VoiceManner, seed: int = 0) -> None:
        self.manner = manner
        self._seed = seed

    def hear(self, frame: VoiceFrame) -> None:
        """Take in the next frame."""

    def at(self, t_s: float) -> Gesture:
        """Return what is done at a time; times do not fall from one call to the next."""
        return Gesture()
