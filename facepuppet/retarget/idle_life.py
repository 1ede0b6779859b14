"""What a puppet does without its driver: it breathes, blinks, looks, sways, and shifts its weight."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32
from facepuppet.face.irises import eye_widths_from_angles
from facepuppet.face.life_signs import (
    BLINK_S,
    BREATH_LIFT,
    BREATH_LOG_SCALE,
    BREATH_S,
    GAP_RANGE_S,
    GAP_S,
    GAP_SIGMA,
    HEAD_LIFT,
    INHALE,
    SWAYS,
    lids_shut,
    shift_on_neck,
    sway,
)
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.idle_gaze import IdleGaze
from facepuppet.retarget.idle_posture import IdlePosture

WAKE_S = 2.0  # from the portrait at rest to full life

_REST = Deltas.rest()


class IdleLife:
    """The motion of nobody. Time comes in with each update, so there is no clock of its own.

    Args:
        seed: the same seed and times give the same life.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        # Each of its own, so that none draws what another would have drawn.
        self._gaze, self._posture = (
            IdleGaze(random.Random(f"gaze {seed}")),
            IdlePosture(random.Random(f"posture {seed}")),
        )
        self._phases = [[self._random.uniform(0.0, 2.0 * math.pi) for _ in waves] for waves in SWAYS]
        self._per_rad = float(eye_widths_from_angles(np.array([0.1, 0.0]))[0]) / 0.1
        self._begun_ns: int | None = None
        self._blink_ns = 0  # when the present or next one begins

    def end(self) -> None:
        """Nothing of it is seen any more; the next update begins at rest."""
        self._begun_ns = None

    def update(self, t_ns: int) -> Deltas:
        """Return the deltas at time t_ns (monotonic, not decreasing, from wherever it starts)."""
        if self._begun_ns is None:
            self._begun_ns, self._blink_ns = t_ns, t_ns + self._gap_ns()
            self._gaze.begin(0.0)
            self._posture.begin(0.0)
        t_s = (t_ns - self._begun_ns) * 1e-9
        awake = smoothstep(t_s / WAKE_S)
        seat = self._posture.update(t_s)
        swaying = sway(t_s, self._phases)
        x, y, z = (awake * swayed + held for swayed, held in zip(swaying, seat.turn, strict=True))
        right, down = shift_on_neck(x, y, z)
        breath = awake * _breath(t_s)
        return replace(
            _REST,
            eye_opening=np.full(2, 1.0 - self._shut(t_ns), np.float32),
            turn=np.array([x, y, z], np.float32),
            gaze=self._look(t_s, x, y),
            log_scale=seat.log_scale,
            shift=_pair(right, down + (BREATH_LIFT - HEAD_LIFT) * breath),
            lean=_pair(seat.lean[0], seat.lean[1] - BREATH_LIFT * breath),
            torso_roll=seat.roll_rad,
            torso_log_scale=seat.log_scale + BREATH_LOG_SCALE * breath,
        )

    def _look(self, t_s: float, x: float, y: float) -> F32:
        """Shift (2, 2) of the irises: eyes stay on what they look at while the head sways beneath them."""
        right, down = self._gaze.update(t_s)
        across = self._per_rad * (right + y), self._per_rad * (down - x)
        return np.array([across, across], np.float32)

    def _shut(self, t_ns: int) -> float:
        """How far the lids are shut, 0 to 1."""
        since_s = (t_ns - self._blink_ns) * 1e-9
        if since_s >= BLINK_S:
            # A blink that fell between two distant updates is over and done with.
            self._blink_ns = max(self._blink_ns + round(BLINK_S * 1e9) + self._gap_ns(), t_ns)
            since_s = (t_ns - self._blink_ns) * 1e-9
        return lids_shut(since_s)

    def _gap_ns(self) -> int:
        gap_s = self._random.lognormvariate(math.log(GAP_S), GAP_SIGMA)
        return round(min(max(gap_s, GAP_RANGE_S[0]), GAP_RANGE_S[1]) * 1e9)


def _breath(t_s: float) -> float:
    """0 when out, as in the portrait, to 1 when in."""
    share = (t_s / BREATH_S) % 1.0
    return smoothstep(share / INHALE) if share < INHALE else 1.0 - smoothstep((share - INHALE) / (1 - INHALE))


def _pair(x: float, y: float) -> F32:
    return np.array([x, y], np.float32)
