"""Performances that a key plays: a nod, a shake, a wave of the head, a laugh; and what bits are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, F64, N_BLENDSHAPES
from facepuppet.face.arkit import ARKIT_INDEX, ARKIT_NAMES

LONGEST_S = 10.0  # a bit is a gesture; what is longer drives by itself
SCRIPT_FPS = 60.0
# Lids and gaze stay the live face's.
CARRIED = np.array([not name.startswith("eye") for name in ARKIT_NAMES])

_Track = tuple[tuple[float, float], ...]  # (seconds, value): eased from one to the next, 0 outside
_AXES = {"pitch": 0, "yaw": 1, "roll": 2}
_SCRIPTS: Mapping[str, Mapping[str, _Track]] = MappingProxyType(
    {
        "nod": {
            "pitch": (
                (0.0, 0.0),
                (0.3, 0.11),
                (0.6, -0.02),
                (0.9, 0.09),
                (1.2, -0.01),
                (1.5, 0.05),
                (1.9, 0.0),
            ),
        },
        "shake": {
            "yaw": ((0.0, 0.0), (0.3, 0.10), (0.75, -0.11), (1.2, 0.10), (1.65, -0.07), (2.05, 0.0)),
            "roll": ((0.0, 0.0), (0.75, 0.015), (1.65, -0.01), (2.05, 0.0)),
        },
        "wave": {
            "roll": ((0.0, 0.0), (0.45, 0.10), (1.0, -0.09), (1.5, 0.06), (2.0, 0.0)),
            "mouthSmile": ((0.0, 0.0), (0.5, 0.35), (1.5, 0.35), (2.0, 0.0)),
            "browInnerUp": ((0.0, 0.0), (0.4, 0.4), (1.1, 0.0)),
        },
        "laugh": {
            "pitch": (
                *((0.0, 0.0), (0.5, -0.06), (0.75, -0.04), (1.0, -0.065), (1.25, -0.04), (1.5, -0.06)),
                *((1.75, -0.03), (2.2, 0.02), (2.8, 0.0)),
            ),
            "roll": ((0.3, 0.0), (1.2, 0.04), (2.4, 0.0)),
            "mouthSmile": ((0.0, 0.0), (0.7, 0.8), (1.9, 0.75), (2.8, 0.0)),
            "cheekSquint": ((0.1, 0.0), (0.7, 0.6), (1.9, 0.5), (2.8, 0.0)),
            "mouthUpperUp": ((0.2, 0.0), (0.6, 0.25), (1.7, 0.2), (2.3, 0.0)),
            "jawOpen": (
                *((0.15, 0.0), (0.6, 0.32), (0.7, 0.25), (0.85, 0.32), (1.0, 0.24), (1.15, 0.32)),
                *((1.3, 0.2), (1.45, 0.28), (1.6, 0.15), (1.75, 0.2), (2.2, 0.0)),
            ),
        },
    }
)


@dataclass(frozen=True, slots=True)
class Bit:
    """A short performance, told against rest.

    Attributes:
        name: what it is played by.
        fps: moments a second.
        weights: (n, 52) float32 of ARKit's shapes; those of the eyes are 0.
        turns: (n, 3) float32 rotation vectors in the image's axes, which are added to the live head's.
    """

    name: str
    fps: float
    weights: F32
    turns: F32

    @property
    def duration_s(self) -> float:
        """How long it lasts."""
        return (len(self.turns) - 1) / self.fps

    def at(self, t_s: float) -> tuple[F32, F32]:
        """Return weights (52,) and turn (3,) at a time, between its moments in proportion."""
        place = min(max(t_s * self.fps, 0.0), len(self.turns) - 1.0)
        low = int(place)
        high, share = min(low + 1, len(self.turns) - 1), np.float32(place - low)
        weights: F32 = self.weights[low] + share * (self.weights[high] - self.weights[low])
        turn: F32 = self.turns[low] + share * (self.turns[high] - self.turns[low])
        return weights, turn


@cache
def built_in_bits() -> Mapping[str, Bit]:
    """Return the bits that every run has, by name."""
    return MappingProxyType({name: _scripted(name, script) for name, script in _SCRIPTS.items()})


def _scripted(name: str, script: Mapping[str, _Track]) -> Bit:
    end_s = max(track[-1][0] for track in script.values())
    times = np.arange(round(end_s * SCRIPT_FPS) + 1) / SCRIPT_FPS
    weights, turns = np.zeros((len(times), N_BLENDSHAPES), np.float32), np.zeros((len(times), 3), np.float32)
    for channel, track in script.items():
        values = _eased(track, times)
        if channel in _AXES:
            turns[:, _AXES[channel]] = values
            continue
        for full in (channel,) if channel in ARKIT_INDEX else (f"{channel}Left", f"{channel}Right"):
            weights[:, ARKIT_INDEX[full]] = values
    return Bit(name, SCRIPT_FPS, weights, turns)


def _eased(track: _Track, times: F64) -> F64:
    """Values at some times: at rest at each key, as fast as a smoothstep between."""
    keys, values = np.array(track).T
    at = np.clip(np.searchsorted(keys, times, side="right") - 1, 0, len(keys) - 2)
    share = np.array(
        [smoothstep((t - keys[i]) / (keys[i + 1] - keys[i])) for t, i in zip(times, at, strict=True)]
    )
    eased: F64 = values[at] + share * (values[at + 1] - values[at])
    return np.where((times < keys[0]) | (times > keys[-1]), 0.0, eased)
