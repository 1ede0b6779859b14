"""What is carried over to a portrait: an expression resolved into landmarks, within soft limits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import (
    F32,
    N_BLENDSHAPES,
    N_LANDMARKS,
    Blendshapes,
    FacePose,
    Floats,
    TorsoPose,
)
from facepuppet.face.deformation import landmark_offsets
from facepuppet.retarget.limits import soft_limit

# Limits of what no portrait is measured for (inter-ocular distances; ratios; radians).
SHIFT_LIMIT, LEAN_LIMIT, SCALE_LIMIT = 0.45, 0.45, 1.25
TORSO_ROLL_LIMIT, TORSO_SCALE_LIMIT = 0.25, 1.12
_LOG_SCALE_LIMIT, _LOG_TORSO_SCALE_LIMIT = math.log(SCALE_LIMIT), math.log(TORSO_SCALE_LIMIT)
# Half the difference of the two irises' shifts, in eye widths: up to here it is noise, or a turned head seen
# in perspective (of seven clips of people the 99th percentile is .04 to .13); from there eyes do not agree.
_TOGETHER, _APART = 0.13, 0.225
FOLLOW = 0.35  # share of the head's shift that the torso takes over when no shoulders are seen


@dataclass(frozen=True, slots=True)
class Deltas:
    """Everything that is carried over, as differences from rest."""

    offsets: F32  # (478, 3) expression, head frame
    eye_opening: F32  # (2,) relative to the portrait's own
    gaze: F32  # (2, 2) shift of each iris to the image right and down, in eye widths, image-left eye first
    turn: F32  # (3,) rotation vector
    log_scale: float
    shift: F32  # (2,) head relative to torso, in inter-ocular distances
    lean: F32  # (2,) torso, in inter-ocular distances
    torso_roll: float
    torso_log_scale: float
    mouth_width: float | None = None  # of whom the offsets are, at rest; None: as wide as the portrait's
    weights: F32 | None = None  # (52,) of ARKit's shapes that make the offsets, where the driver told them

    @staticmethod
    def rest() -> Deltas:
        """Return the portrait as it is."""
        zero2, gaze = np.zeros(2, np.float32), np.zeros((2, 2), np.float32)
        offsets, turn = np.zeros((N_LANDMARKS, 3), np.float32), np.zeros(3, np.float32)
        return Deltas(offsets, np.ones(2, np.float32), gaze, turn, 0.0, zero2, zero2, 0.0, 0.0)

    def toward(self, other: Deltas, share: float) -> Deltas:
        """Go from these (0) to others (1)."""
        if share >= 1.0:
            return other
        return Deltas(
            self.offsets + (other.offsets - self.offsets) * share,
            self.eye_opening + (other.eye_opening - self.eye_opening) * share,
            self.gaze + (other.gaze - self.gaze) * share,
            self.turn + (other.turn - self.turn) * share,
            self.log_scale + (other.log_scale - self.log_scale) * share,
            self.shift + (other.shift - self.shift) * share,
            self.lean + (other.lean - self.lean) * share,
            self.torso_roll + (other.torso_roll - self.torso_roll) * share,
            self.torso_log_scale + (other.torso_log_scale - self.torso_log_scale) * share,
            self.mouth_width if other.mouth_width is None else other.mouth_width,
            _between(self.weights, other.weights, share),
        )


def deltas_of(face: FacePose, torso: TorsoPose | None) -> Deltas:
    """Resolve a driver's expression; the torso follows the head a little where no shoulders are seen."""
    right, down = face.head.shift
    log_scale = soft_limit(face.head.log_scale, _LOG_SCALE_LIMIT)
    (lean_right, lean_down), torso_roll, torso_log_scale = _torso(torso, face.head.shift, log_scale)
    shape = landmark_offsets(face.deformation)
    return Deltas(
        offsets=shape.offsets,
        eye_opening=face.eye_opening,
        gaze=_gaze_of(face.gaze),
        turn=face.head.turn,
        log_scale=log_scale,
        shift=_pair(soft_limit(right - lean_right, SHIFT_LIMIT), soft_limit(down - lean_down, SHIFT_LIMIT)),
        lean=_pair(soft_limit(lean_right, LEAN_LIMIT), soft_limit(lean_down, LEAN_LIMIT)),
        torso_roll=torso_roll,
        torso_log_scale=torso_log_scale,
        mouth_width=shape.mouth_width,
        weights=face.deformation.weights if isinstance(face.deformation, Blendshapes) else None,
    )


def _between(one: F32 | None, other: F32 | None, share: float) -> F32 | None:
    """From one's weights to the other's; who tells none at rest has none."""
    if one is None and other is None:
        return None
    rest = np.zeros(N_BLENDSHAPES, np.float32)
    one, other = (rest if weights is None else weights for weights in (one, other))
    return one + (other - one) * np.float32(share)


def _gaze_of(eyes: Floats) -> F32:
    """Let both eyes look at one thing, with half the tracker's noise, unless they surely do not."""
    left, right = np.asarray(eyes, np.float32)
    together, apart = (left + right) / 2, (right - left) / 2
    apart = apart * smoothstep((np.abs(apart) - _TOGETHER) / (_APART - _TOGETHER))
    return np.stack([together - apart, together + apart])


def _torso(
    torso: TorsoPose | None, head_shift: tuple[float, float], head_log_scale: float
) -> tuple[tuple[float, float], float, float]:
    """Lean in inter-ocular distances, roll (rad) and log scale of the shoulders."""
    if torso is None:
        return (FOLLOW * head_shift[0], FOLLOW * head_shift[1]), 0.0, 0.5 * head_log_scale
    return (
        torso.lean,
        soft_limit(torso.roll_rad, TORSO_ROLL_LIMIT),
        soft_limit(torso.log_scale, _LOG_TORSO_SCALE_LIMIT),
    )


def _pair(x: float, y: float) -> F32:
    return np.array([x, y], np.float32)
