"""A scripted piece: turns, nods, gaze, speech, smile, sway, blinks.

It enters the show as expressions, where a person's would, so that the demo exercises everything behind
the driver, and every frame of it has a known truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from facepuppet.core.geometry import rotation_from_euler, vector_from_rotation
from facepuppet.core.types import F32, N_BLENDSHAPES, Expression, HeadPose, TorsoPose
from facepuppet.drivers.base import Driver
from facepuppet.face.arkit import ARKIT_INDEX
from facepuppet.face.deformation import face_of_blendshapes

PIECE_S = 12.0
SHORTEST_S = 6.0  # played faster than in this time, it would not look human
_NECK_HEAD = np.array([0.0, 1.05, 0.75])  # centre of rotation, in the head frame
_LEAN = (42.0 / 170.0, 6.0 / 170.0)  # of the torso at full sway, in inter-ocular distances

# Keyframes (seconds, value), eased between; each channel rests at 0 outside of them.
_Track = tuple[tuple[float, float], ...]
_POSE: Mapping[str, _Track] = MappingProxyType(
    {
        "yaw": (
            *((0.6, 0.0), (1.3, 0.34), (1.7, 0.34), (2.6, -0.34), (3.0, -0.34), (3.6, 0.0)),
            *((7.6, 0.0), (8.1, 0.10), (8.6, -0.06), (9.2, 0.0)),
        ),
        "pitch": (
            *((3.5, 0.0), (3.85, 0.24), (4.2, -0.10), (4.55, 0.22), (4.9, -0.04), (5.2, 0.0)),
            *((6.6, 0.0), (7.0, 0.07), (7.4, 0.0), (9.3, 0.0), (9.8, -0.06), (10.4, 0.0)),
        ),
        "roll": ((9.0, 0.0), (9.6, 0.12), (10.2, 0.10), (10.8, -0.06), (11.5, 0.0)),
        "sway": ((10.2, 0.0), (10.7, 1.0), (11.3, -1.0), (11.9, 0.0)),
        "gaze_yaw": (
            *((1.1, 0.0), (1.3, 0.12), (1.8, 0.0), (2.4, -0.12), (2.9, 0.0)),
            *((5.1, 0.0), (5.25, 0.7), (5.6, 0.7), (5.75, -0.7), (6.1, -0.7), (6.25, 0.0)),
        ),
        "gaze_pitch": ((6.2, 0.0), (6.3, -0.6), (6.55, -0.6), (6.65, 0.6), (6.9, 0.6), (7.0, 0.0)),
    }
)
_BOTH = ("Left", "Right")
_EXPRESSION: Mapping[str, _Track] = MappingProxyType(
    {
        "browInnerUp": ((5.0, 0.0), (5.3, 0.5), (5.8, 0.0), (8.2, 0.0), (8.5, 0.6), (9.0, 0.0)),
        "browOuterUp": ((8.2, 0.0), (8.5, 0.6), (9.0, 0.0)),
        "mouthSmile": ((8.7, 0.0), (9.3, 0.85), (10.5, 0.75), (11.4, 0.0)),
        "cheekSquint": ((8.8, 0.0), (9.4, 0.5), (10.5, 0.4), (11.3, 0.0)),
        "mouthPucker": ((7.2, 0.0), (7.4, 0.7), (7.6, 0.0), (8.3, 0.0), (8.45, 0.5), (8.6, 0.0)),
        "mouthFunnel": ((7.7, 0.0), (7.85, 0.5), (8.05, 0.0)),
        "mouthStretch": ((7.45, 0.0), (7.6, 0.4), (7.75, 0.0)),
        "jawOpen": (
            *((6.9, 0.0), (7.0, 0.4), (7.15, 0.05), (7.3, 0.2), (7.45, 0.05), (7.6, 0.5), (7.75, 0.1)),
            *((7.9, 0.35), (8.05, 0.05), (8.25, 0.6), (8.45, 0.1), (8.6, 0.3), (8.75, 0.05)),
            *((9.3, 0.18), (10.2, 0.12), (11.0, 0.0)),
        ),
    }
)
_BLINKS_S = (0.45, 2.1, 3.45, 4.95, 6.95, 8.9, 10.1, 11.6)
_BLINK_S = 0.26


@dataclass(frozen=True, slots=True)
class Performance:
    """The piece, fitted to a length: shorter ones are played faster, longer ones repeat it.

    Attributes:
        duration_s: how long the show will be.
    """

    duration_s: float = PIECE_S

    def expression(self, t_s: float, frame_id: int) -> Expression:
        """Return what is done at t_s seconds."""
        t = self._piece_time(t_s)
        yaw, pitch, roll = (_value(_POSE[name], t) for name in ("yaw", "pitch", "roll"))
        sway = _value(_POSE["sway"], t)
        rotation = rotation_from_euler(yaw, pitch, roll + 0.06 * sway)
        lean = np.array([_LEAN[0] * sway, _LEAN[1] * abs(sway)])
        x, y = (_NECK_HEAD - rotation @ _NECK_HEAD)[:2] + 1.25 * lean
        head = HeadPose(vector_from_rotation(rotation).astype(np.float32), (float(x), float(y)))
        torso = TorsoPose((float(lean[0]), float(lean[1])), 0.04 * sway)
        return Expression(face_of_blendshapes(weights_at(t), head), torso, frame_id, round(t_s * 1e9))

    def _piece_time(self, t_s: float) -> float:
        if self.duration_s >= PIECE_S:
            return t_s % PIECE_S
        return t_s * PIECE_S / max(self.duration_s, SHORTEST_S)


class ScriptedDriver(Driver):
    """Plays the piece once, frame by frame; live, at its own pace.

    Args:
        seconds: how long.
        fps: expressions a second.
    """

    def __init__(self, seconds: float = PIECE_S, fps: float = 30.0) -> None:
        self.description = "the built-in piece"
        self.fps: float | None = fps
        self.n_frames: int | None = max(1, round(seconds * fps))
        self._piece = Performance(self.n_frames / fps)
        self._next_id = 0

    def read(self) -> Expression | None:
        """Return the next moment, or None after the last."""
        if self.n_frames is None or self._next_id >= self.n_frames or self.fps is None:
            return None
        self._next_id += 1
        return self.paced(self._piece.expression((self._next_id - 1) / self.fps, self._next_id - 1))

    def close(self) -> None:
        """End the piece."""
        self.n_frames = self._next_id
        super().close()


def weights_at(t_s: float) -> F32:
    """ARKit weights (52,) at a time within the piece."""
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    for name, track in _EXPRESSION.items():
        _set(weights, name, _value(track, t_s))
    nearest = min(abs(t_s - blink) for blink in _BLINKS_S)
    _set(weights, "eyeBlink", float(np.clip(1.6 * (1 - nearest / (_BLINK_S / 2)), 0.0, 1.0)))
    look = _value(_POSE["gaze_yaw"], t_s)  # the person's left is the picture's right
    for side, outward in (("Left", look), ("Right", -look)):
        weights[ARKIT_INDEX[f"eyeLookOut{side}"]] = max(outward, 0.0)
        weights[ARKIT_INDEX[f"eyeLookIn{side}"]] = max(-outward, 0.0)
    down = _value(_POSE["gaze_pitch"], t_s)
    _set(weights, "eyeLookDown", max(down, 0.0))
    _set(weights, "eyeLookUp", max(-down, 0.0))
    return weights


def _set(weights: F32, name: str, value: float) -> None:
    """Set a shape, or both sides of it."""
    for full in (name,) if name in ARKIT_INDEX else tuple(name + side for side in _BOTH):
        weights[ARKIT_INDEX[full]] = value


def _value(track: _Track, t_s: float) -> float:
    """Ease between keyframes by half cosines: velocity is zero at each of them."""
    times = np.array([key[0] for key in track])
    values = np.array([key[1] for key in track])
    if t_s <= times[0] or t_s >= times[-1]:
        return 0.0
    i = int(np.searchsorted(times, t_s)) - 1
    share = (t_s - times[i]) / (times[i + 1] - times[i])
    return float(values[i] + (values[i + 1] - values[i]) * (1 - np.cos(np.pi * share)) / 2)
