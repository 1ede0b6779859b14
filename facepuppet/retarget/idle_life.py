"""What a puppet does without its driver: it breathes, blinks and sways a little, and never looks frozen."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32
from facepuppet.retarget.deltas import Deltas

WAKE_S = 2.0  # from the portrait at rest to full life
# Angles in radians, lengths in inter-ocular distances: what people do who sit still and listen.
SWAYS = (  # (amplitude, period in seconds), two for each of pitch, yaw and roll; they meet again after hours
    ((0.012, 5.9), (0.008, 9.7)),
    ((0.020, 7.3), (0.014, 11.9)),
    ((0.008, 8.9), (0.006, 13.1)),
)
_NECK_DOWN, _NECK_BEHIND = 1.05, 0.75  # what the head sways about, from between the eyes
BREATH_S, INHALE = 4.4, 0.4  # of a breath, and the share of it that goes in
BREATH_LIFT, HEAD_LIFT, BREATH_LOG_SCALE = 0.022, 0.010, 0.006  # shoulders rise farther than the head
SHUT_S, STAY_S, OPEN_S = 0.09, 0.03, 0.20  # lids fall faster than they rise
# From one blink to the next, log-normal: 17 a minute, the mean of 150 people at rest (Bentivoglio et al.,
# "Analysis of blink rate patterns in normal subjects", Movement Disorders 12, 1997).
GAP_S, GAP_SIGMA, GAP_RANGE_S = 2.7, 0.6, (0.6, 12.0)  # median, spread, and what is never left

_BLINK_S = SHUT_S + STAY_S + OPEN_S
_REST = Deltas.rest()


class IdleLife:
    """The motion of nobody. Time comes in with each update, so there is no clock of its own.

    Args:
        seed: the same seed and times give the same life.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._phases = [[self._random.uniform(0.0, 2.0 * math.pi) for _ in waves] for waves in SWAYS]
        self._begun_ns: int | None = None
        self._blink_ns = 0  # when the present or next one begins

    def end(self) -> None:
        """Nothing of it is seen any more; the next update begins at rest."""
        self._begun_ns = None

    def update(self, t_ns: int) -> Deltas:
        """Return the deltas at time t_ns (monotonic, not decreasing, from wherever it starts)."""
        if self._begun_ns is None:
            self._begun_ns, self._blink_ns = t_ns, t_ns + self._gap_ns()
        t_s = (t_ns - self._begun_ns) * 1e-9
        awake = smoothstep(t_s / WAKE_S)
        pitch, yaw, roll = (
            awake
            * sum(
                size * math.sin(2.0 * math.pi * t_s / period_s + phase)
                for (size, period_s), phase in zip(waves, phases, strict=True)
            )
            for waves, phases in zip(SWAYS, self._phases, strict=True)
        )
        breath = awake * _breath(t_s)
        return replace(
            _REST,
            eye_opening=np.full(2, 1.0 - self._shut(t_ns), np.float32),
            turn=np.array([pitch, yaw, roll], np.float32),
            # The neck stays: shift = neck - turn x neck, for small turns.
            shift=_pair(
                _NECK_DOWN * roll - _NECK_BEHIND * yaw,
                _NECK_BEHIND * pitch + (BREATH_LIFT - HEAD_LIFT) * breath,
            ),
            lean=_pair(0.0, -BREATH_LIFT * breath),
            torso_log_scale=BREATH_LOG_SCALE * breath,
        )

    def _shut(self, t_ns: int) -> float:
        """How far the lids are shut, 0 to 1."""
        since_s = (t_ns - self._blink_ns) * 1e-9
        if since_s >= _BLINK_S:
            # A blink that fell between two distant updates is over and done with.
            self._blink_ns = max(self._blink_ns + round(_BLINK_S * 1e9) + self._gap_ns(), t_ns)
            since_s = (t_ns - self._blink_ns) * 1e-9
        return smoothstep(since_s / SHUT_S) - smoothstep((since_s - SHUT_S - STAY_S) / OPEN_S)

    def _gap_ns(self) -> int:
        gap_s = self._random.lognormvariate(math.log(GAP_S), GAP_SIGMA)
        return round(min(max(gap_s, GAP_RANGE_S[0]), GAP_RANGE_S[1]) * 1e9)


def _breath(t_s: float) -> float:
    """0 when out, as in the portrait, to 1 when in."""
    share = (t_s / BREATH_S) % 1.0
    return smoothstep(share / INHALE) if share < INHALE else 1.0 - smoothstep((share - INHALE) / (1 - INHALE))


def _pair(x: float, y: float) -> F32:
    return np.array([x, y], np.float32)
