"""Sound in, expressions of any moment out."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from facepuppet.core.types import F32, Expression
from facepuppet.face.deformation import face_of_blendshapes
from facepuppet.voice.gestures import Gestures
from facepuppet.voice.hearing import Hearing
from facepuppet.voice.voice_frame import VoiceFrame, spread
from facepuppet.voice.voice_manner import VoiceManner

_KEPT_S = 0.5  # of frames behind the time last asked for


class SpeakingFace:
    """The face of a voice. One thread uses it.

    Args:
        manner: how the voice moves it; may be replaced at any time.
        seed: the same seed, sound and times give the same expressions.
    """

    def __init__(self, manner: VoiceManner | None = None, seed: int = 0) -> None:
        self._hearing, self._gestures = Hearing(), Gestures(manner or VoiceManner(), seed)
        self._frames: list[VoiceFrame] = []

    @property
    def manner(self) -> VoiceManner:
        """How the voice moves it."""
        return self._gestures.manner

    @manner.setter
    def manner(self, manner: VoiceManner) -> None:
        self._gestures.manner = manner

    @property
    def until_s(self) -> float:
        """The last moment that is known, from the start of the sound; below 0 before there is one."""
        return self._frames[-1].t_s if self._frames else -1.0

    def hear(self, sound: F32) -> None:
        """Take in a block (n,) of mono sound at 16 kHz, full scale ±1."""
        for frame in self._hearing.feed(sound):
            self._frames.append(frame)
            self._gestures.hear(frame)

    def at(self, t_s: float, frame_id: int) -> Expression:
        """Return the expression at a time from the start of the sound; its `captured_ns` is that time.

        Times do not fall from one call to the next. Before the first frame and after the last known one the
        mouth is as in that.
        """
        gesture = self._gestures.at(t_s)
        weights = np.clip(spread(self._mouth_at(t_s)) + gesture.weights, 0.0, 1.0)
        face = face_of_blendshapes(weights, gesture.head)
        return Expression(face, gesture.torso, frame_id, round(t_s * 1e9))

    def _mouth_at(self, t_s: float) -> F32:
        times = [frame.t_s for frame in self._frames]
        after = bisect_right(times, t_s)
        if not self._frames:
            return np.zeros(13, np.float32)
        if after in (0, len(times)):
            return self.manner.intensity * self._frames[min(after, len(times) - 1)].mouth
        one, other = self._frames[after - 1], self._frames[after]
        share = (t_s - one.t_s) / (other.t_s - one.t_s)
        del self._frames[: bisect_right(times, t_s - _KEPT_S)]
        return np.asarray(self.manner.intensity * (one.mouth + share * (other.mouth - one.mouth)), np.float32)
