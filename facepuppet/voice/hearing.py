"""Hears mouth shapes in the sound of a voice."""

from __future__ import annotations

import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32
from facepuppet.voice.mouth_network import Mouth, MouthNetwork
from facepuppet.voice.pitch import WINDOW, pitch_of
from facepuppet.voice.voice_frame import (
    HEARD_S,
    LOOK_AHEAD_S,
    MOUTH_SHAPES,
    RATE_HZ,
    STEP_S,
    VoiceFrame,
    within_full_scale,
)
from facepuppet.voice.voice_spectrum import STEP, VoiceSpectrum

_SILENT, _SURE = 0.8, 0.97  # of `speaking`: lips rest up to the one, and are as heard from the other on
# Of the way to what is heard, each step. Without it lips turn round 10 times a second (people's 3 to 4.5),
# with it 8 times, as alike to people's as before.
_PARTING, _MEETING = 0.7, 0.9
_LOUD_DB = 8.0  # over the floor: quieter sound has no pitch that matters


class Hearing:
    """Turns sound into VoiceFrames, 50 a second, keeping the state between blocks.

    Args:
        mouth: what hears mouth shapes; the shipped network if None.

    Raises:
        ManifestError: the network's file is missing, damaged or not the one listed.
    """

    def __init__(self, mouth: Mouth | None = None) -> None:
        self._spectrum, self._mouth = VoiceSpectrum(), mouth or MouthNetwork()
        self._recent = np.zeros(0, np.float32)
        self._begins = 0  # sample with which `recent` begins
        self._n = 0
        self._lips = np.zeros(len(MOUTH_SHAPES), np.float32)

    def feed(self, sound: F32) -> list[VoiceFrame]:
        """Take in a block (n,) at 16 kHz, full scale ±1; return the frames it completes, in order.

        A frame is of a moment 60 ms before the end of the sound it needs. What is no number is silence.
        """
        sound = within_full_scale(sound)
        self._recent = np.concatenate([self._recent, sound])
        features, loudness = self._spectrum.feed(sound)
        mouth, speaking = self._mouth.feed(features, loudness)
        frames = [
            VoiceFrame(
                t_s=(self._n + i) * STEP_S + HEARD_S - LOOK_AHEAD_S,
                mouth=self._followed(shut_in_silence(mouth[i], float(speaking[i]))),
                speaking=float(speaking[i]),
                loudness_db=float(loudness[i]),
                pitch_hz=self._pitch(self._n + i) if loudness[i] > _LOUD_DB else 0.0,
            )
            for i in range(len(features))
        ]
        self._n += len(features)
        used = max(self._n * STEP - WINDOW - self._begins, 0)
        self._recent, self._begins = self._recent[used:], self._begins + used
        return frames

    def _followed(self, heard: F32) -> F32:
        """Lead lips to what is heard of them: they have mass, and meet faster than they part."""
        share = np.where(heard > self._lips, _PARTING, _MEETING).astype(np.float32)
        self._lips = self._lips + share * (heard - self._lips)
        return self._lips

    def _pitch(self, step: int) -> float:
        end = step * STEP + round(HEARD_S * RATE_HZ) - self._begins
        return pitch_of(self._recent[end - WINDOW : end]) if end >= WINDOW else 0.0


def shut_in_silence(mouth: F32, speaking: float) -> F32:
    """Let lips rest where nobody speaks, whatever is heard there."""
    return np.asarray(mouth * smoothstep((speaking - _SILENT) / (_SURE - _SILENT)), np.float32)
