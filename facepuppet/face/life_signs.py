"""What every living head does, whoever moves it: it sways on its neck, breathes, blinks and looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from facepuppet.core.geometry import smoothstep

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
BLINK_S = SHUT_S + STAY_S + OPEN_S
# From one blink to the next, log-normal: 17 a minute, the mean of 150 people at rest (Bentivoglio et al.,
# "Analysis of blink rate patterns in normal subjects", Movement Disorders 12, 1997).
GAP_S, GAP_SIGMA, GAP_RANGE_S = 2.7, 0.6, (0.6, 12.0)  # median, spread, and what is never left
_BACK_S = 1.8  # how many times as long as there a stroke takes to come back

# Saccades: 21 ms and 2.2 ms a degree (Carpenter, "Movements of the Eyes", 1988).
_SACCADE_S, _SACCADE_S_PER_RAD = 0.021, 0.126
# Who looks at a face goes from eye to eye about once a second; by eye.
FACE_RAD, HOP_S, HOP_SIGMA = 0.022, 0.9, 0.6
# Microsaccades: once or twice a second, below half a degree (Martinez-Conde, Macknik & Hubel, Nature Reviews
# Neuroscience 5, 2004); each goes back a little to where the eyes came to rest, so that many lead nowhere.
TREMBLE_RAD, TREMBLE_S, TREMBLE_BACK = 0.005, 0.6, 0.06
# How far anything but a driver may carry a point of a face in a second, in inter-ocular distances: 2 % of a
# face's height (1.7 of them, forehead to chin) at 30 frames a second.
FASTEST = 0.02 * 1.7 * 30.0


def sway(t_s: float, phases: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """Return a turn vector in radians at a time; `phases` has one number for each wave of SWAYS."""
    x, y, z = (
        sum(
            size * math.sin(2.0 * math.pi * t_s / period_s + phase)
            for (size, period_s), phase in zip(waves, shifts, strict=True)
        )
        for waves, shifts in zip(SWAYS, phases, strict=True)
    )
    return x, y, z


def shift_on_neck(x: float, y: float, z: float) -> tuple[float, float]:
    """Return how far right and down a small turn vector takes the point between the eyes; the neck stays."""
    return _NECK_DOWN * z - _NECK_BEHIND * y, _NECK_BEHIND * x


def saccade_s(turn_rad: float) -> float:
    """Return how long eyes take to turn so far."""
    return _SACCADE_S + _SACCADE_S_PER_RAD * turn_rad


def lids_shut(since_s: float) -> float:
    """Return how far the lids are shut, 0 to 1, so long after a blink began."""
    return smoothstep(since_s / SHUT_S) - smoothstep((since_s - SHUT_S - STAY_S) / OPEN_S)


@dataclass(frozen=True, slots=True)
class Stroke:
    """A quick movement there, and more slowly back.

    Attributes:
        begun_s: when it begins.
        falls_s: how long it takes there.
        size: how far it goes, by whatever moves.
    """

    begun_s: float
    falls_s: float
    size: tuple[float, ...]

    def share(self, t_s: float) -> float:
        """Return how much of it there is at a time, 0 to 1."""
        since_s = t_s - self.begun_s
        return smoothstep(since_s / self.falls_s) - smoothstep((since_s / self.falls_s - 1.0) / _BACK_S)

    def over(self, t_s: float) -> bool:
        """Whether it has ended."""
        return t_s - self.begun_s > (1.0 + _BACK_S) * self.falls_s
