"""Sound in, expressions of any moment out."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque

import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, Expression
from facepuppet.face.deformation import face_of_blendshapes
from facepuppet.voice.brightness import Brightness
from facepuppet.voice.gestures import Gestures
from facepuppet.voice.hearing import Hearing
from facepuppet.voice.voice_frame import MOUTH_SHAPES, VoiceFrame, spread, within_full_scale
from facepuppet.voice.voice_manner import VoiceManner

SHUTS_AFTER_S = 0.15  # without sound; a microphone that is taken away leaves no open mouth standing
_SHUTS_S = 0.25
_KEPT_S = 0.5  # of frames behind the time last asked for
_JAW = list(MOUTH_SHAPES).index("jawOpen")


class SpeakingFace:
    """The face of a voice. One thread uses it.

    Args:
        manner: how the voice moves it; may be replaced at any time.
        seed: the same seed, sound and times give the same expressions.
        hearing: what hears the mouth; the shipped network if None.
    """

    def __init__(
        self, manner: VoiceManner | None = None, seed: int = 0, hearing: Hearing | None = None
    ) -> None:
        self._hearing, self._gestures = hearing or Hearing(), Gestures(manner or VoiceManner(), seed)
        self._brightness, self._bright_db, self._bright = Brightness(), deque[float](), 0.0
        self._frames: list[VoiceFrame] = []

    @property
    def manner(self) -> VoiceManner:
        """How the voice moves it."""
        return self._gestures.manner

    @manner.setter
    def manner(self, manner: VoiceManner) -> None:
        self._gestures.manner = manner

    @property
    def mood(self) -> tuple[float, float]:
        """Valence and arousal as they were heard last; may be read from any thread."""
        return self._gestures.mood

    @property
    def until_s(self) -> float:
        """The last moment that is known, from the start of the sound; below 0 before there is one."""
        return self._frames[-1].t_s if self._frames else -1.0

    def hear(self, sound: F32) -> None:
        """Take in a block (n,) of mono sound at 16 kHz, full scale ±1."""
        sound = within_full_scale(sound)
        self._bright_db.extend(self._brightness.feed(sound).tolist())
        for frame in self._hearing.feed(sound):
            self._frames.append(frame)
            if self._bright_db:
                self._bright = self._bright_db.popleft()
            self._gestures.hear(frame, self._bright)

    def at(self, t_s: float, frame_id: int) -> Expression:
        """Return the expression at a time from the start of the sound; its `captured_ns` is that time.

        Times do not fall from one call to the next. Before the first frame the mouth is as in that; where no
        more is known it is as in the last one, and shuts after SHUTS_AFTER_S.
        """
        gesture = self._gestures.at(t_s)
        mouth = gesture.mouth_gain * self._mouth_at(t_s)
        mouth[_JAW] *= gesture.jaw_gain
        weights = np.clip(spread(mouth) + gesture.weights, 0.0, 1.0)
        face = face_of_blendshapes(weights, gesture.head)
        return Expression(face, gesture.torso, frame_id, round(t_s * 1e9))

    def _mouth_at(self, t_s: float) -> F32:
        frames = self._frames
        if not frames:
            return np.zeros(len(MOUTH_SHAPES), np.float32)
        after = bisect_right(frames, t_s, key=_time_of)
        if after == 0:
            mouth = frames[0].mouth
        elif after == len(frames):
            quiet_s = t_s - frames[-1].t_s - SHUTS_AFTER_S
            mouth = frames[-1].mouth * (1.0 - smoothstep(quiet_s / _SHUTS_S))
        else:
            one, other = frames[after - 1], frames[after]
            share = (t_s - one.t_s) / (other.t_s - one.t_s)
            mouth = one.mouth + share * (other.mouth - one.mouth)
        # The last one stays, however far ahead of it somebody asks.
        del frames[: min(bisect_right(frames, t_s - _KEPT_S, key=_time_of), len(frames) - 1)]
        return np.asarray(mouth, np.float32)


def _time_of(frame: VoiceFrame) -> float:
    return frame.t_s
