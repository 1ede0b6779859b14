"""The microphone's way to an output, without the devices: resampled, kept for the wanted time, faded.

    capture: sound → meter → resample (steered) → ceiling → delay line
    output:  delay line → output; age of what is played → servo → steers

Two callbacks of the sound system, in threads of theirs, meet in the delay line and in numbers that are
replaced whole. Neither waits for the other.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from facepuppet.sound.delay_line import DelayLine
from facepuppet.sound.delay_servo import SETTLE_S, DelayServo
from facepuppet.sound.jitter_floor import JitterFloor
from facepuppet.sound.level_meter import LevelMeter, soften

F32 = NDArray[np.float32]

CONVERTER = "sinc_fastest"  # 97 dB, 0.4 % of a core
SEAM_S = 0.05  # of the microphone that is missing: what comes after it does not continue what came before
DRY_S = 0.25  # without a block of the microphone: nothing is learned from that
PATIENCE_S = 0.3  # of silence, for late sound to be there again before all of it is played later
STEP_S = 0.02  # by which sound that gave out is played later at once
_MAX_AGE_S = 3.5  # beyond what the line keeps


class Passage:
    """Mono sound from a capture of one clock to an output of another, at a wanted delay.

    Args:
        in_hz: the capture's rate.
        out_hz: the output's rate.
        meter: told how loud the capture is; outlives devices.
        drift: of the output's clock against the capture's, if it is known from before.

    Attributes:
        meter: how loud the capture is.
        wanted_s: the delay to have.
        muted: silence is played in place of sound.
        captures, plays: blocks so far, by which one sees whether the devices live.
        underruns: how often sound gave out.
    """

    def __init__(
        self, in_hz: float, out_hz: float, meter: LevelMeter | None = None, drift: float = 0.0
    ) -> None:
        from samplerate import Resampler

        self.wanted_s = 0.0
        self.muted = False
        self.captures = self.plays = self.underruns = 0
        self._in_hz, self._out_hz = in_hz, out_hz
        self.meter = meter or LevelMeter()
        self._resampler = Resampler(CONVERTER, 1)
        self._line = DelayLine(out_hz)
        self._servo, self._floor = DelayServo(drift), JitterFloor()
        self._newest = (0, math.nan)  # samples written, and when the last of them was spoken
        self._taken = self._seen = 0
        self._ended_s = math.inf
        self._held_s = self._heard_s = self._silent_s = self._still_s = 0.0

    @property
    def measured_s(self) -> float | None:
        """How old sound is when it is played; None while none is."""
        return self._servo.age_s if self._line.sounding else None

    @property
    def flows(self) -> bool:
        """Whether sound is played."""
        return self._line.sounding

    @property
    def drift(self) -> float:
        """By how much the output's clock is faster than the capture's, 1e-6 being one ppm."""
        return self._servo.drift

    def capture(self, sound: F32, ended_s: float) -> None:
        """Take in a block of the microphone.

        Args:
            sound: (n,), full scale ±1; read at once, not kept.
            ended_s: when its last sample was spoken, on the clock of `play`.
        """
        lasts_s = len(sound) / self._in_hz
        self.meter.feed(sound, lasts_s)
        seam = ended_s - self._ended_s - lasts_s > SEAM_S
        if seam:
            self._resampler.reset()
        made = self._resampler.process(sound, self._out_hz / self._in_hz * self._servo.stretch)
        (self._line.write_seam if seam else self._line.write)(soften(made))
        self._ended_s = ended_s
        self._taken += len(sound)
        if self.captures < 8:  # what the resampler holds back does not change later
            self._held_s = self._taken / self._in_hz - self._line.written / self._out_hz
        self._newest = (self._line.written, ended_s - self._held_s)
        self.captures += 1

    def play(self, out: F32, starts_s: float) -> None:
        """Fill a block of the output.

        Args:
            out: (n,), filled in place; n is at least a fade's.
            starts_s: when its first sample will be heard.
        """
        self.plays += 1
        written, spoken_s = self._newest
        age_s = starts_s - spoken_s + (written - self._line.place) / self._out_hz
        jump = 0 if math.isnan(age_s) else self._steered(age_s, len(out))
        sounded, known = self._line.sounding, self._heard_s >= SETTLE_S
        if known:
            self._line.read_into(out, 0.0 if self.muted else 1.0, jump)
        else:
            self._line.place += len(out)
            out[:] = 0.0
        self.underruns += sounded and not self._line.sounding

    def _steered(self, age_s: float, n: int) -> int:
        """Tell servo and floor how old the next n samples are; return how many to skip before them."""
        lasts_s = n / self._out_hz
        if self._is_dry(lasts_s):
            return 0
        floor, servo = self._floor, self._servo
        jump_s = servo.update(age_s, max(self.wanted_s, floor.age_s), lasts_s)
        floor.update(servo.age_s, self._line.spare(n) / self._out_hz, lasts_s)
        self._heard_s += lasts_s
        self._silent_s = 0.0 if self._line.sounding else self._silent_s + lasts_s
        if self._silent_s and self._heard_s >= SETTLE_S:  # a place can be taken that nobody hears
            enough_s = max(self.wanted_s, floor.age_s)
            if self._silent_s > PATIENCE_S:
                enough_s = max(enough_s, floor.newest_s)
            jump_s = servo.age_s - max(enough_s, min(floor.newest_s, enough_s + STEP_S))
        jump = round(max(-_MAX_AGE_S, min(_MAX_AGE_S, jump_s)) * self._out_hz)
        servo.shifted(jump / self._out_hz)
        return jump

    def _is_dry(self, lasts_s: float) -> bool:
        """Whether the microphone has paused for longer than any hiccup."""
        self._still_s = 0.0 if self._line.written != self._seen else self._still_s + lasts_s
        self._seen = self._line.written
        return self._still_s > DRY_S
