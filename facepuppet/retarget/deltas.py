"""What is carried over to a portrait: an expression resolved into landmarks, within soft limits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from facepuppet.core.types import F32, N_LANDMARKS, FacePose, TorsoPose
from facepuppet.face.deformation import landmark_offsets
from facepuppet.retarget.limits import soft_limit

# Limits of what no portrait is measured for (inter-ocular distances; ratios; radians).
SHIFT_LIMIT, LEAN_LIMIT, SCALE_LIMIT = 0.45, 0.45, 1.25
TORSO_ROLL_LIMIT, TORSO_SCALE_LIMIT = 0.25, 1.12
_LOG_SCALE_LIMIT, _LOG_TORSO_SCALE_LIMIT = math.log(SCALE_LIMIT), math.log(TORSO_SCALE_LIMIT)
FOLLOW = 0.35  # share of the head's shift that the torso takes over when no shoulders are seen


@dataclass(frozen=True, slots=True)
class Deltas:
    """Everything that is carried over, as differences from rest."""

    offsets: F32  # (478, 3) expression, head frame
    eye_opening: F32  # (2,) relative to the portrait's own
    gaze: F32  # (2,) iris shift to the image right and down, in eye widths
    turn: F32  # (3,) rotation vector
    log_scale: float
    shift: F32  # (2,) head relative to torso, in inter-ocular distances
    lean: F32  # (2,) torso, in inter-ocular distances
    torso_roll: float
    torso_log_scale: float
    mouth_width: float | None = None  # of whom the offsets are, at rest; None: as wide as the portrait's

    @staticmethod
    def rest() -> Deltas:
        """Return the portrait as it is."""
        zero2 = np.zeros(2, np.float32)
        offsets, turn = np.zeros((N_LANDMARKS, 3), np.float32), np.zeros(3, np.float32)
        return Deltas(offsets, np.ones(2, np.float32), zero2, turn, 0.0, zero2, zero2, 0.0, 0.0)

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
        )


def deltas_of(face: FacePose, torso: TorsoPose | None) -> Deltas:
    """Resolve a driver's expression; the torso follows the head a little where no shoulders are seen."""
    right, down = face.head.shift
    log_scale = soft_limit(face.head.log_scale, _LOG_SCALE_LIMIT)
    (lean_right, lean_down), torso_roll, torso_log_scale = _torso(torso, face.head.shift, log_scale)
    (x_left, y_left), (x_right, y_right) = face.gaze.tolist()
    shape = landmark_offsets(face.deformation)
    return Deltas(
        offsets=shape.offsets,
        eye_opening=face.eye_opening,
        gaze=_pair((x_left + x_right) / 2, (y_left + y_right) / 2),
        turn=face.head.turn,
        log_scale=log_scale,
        shift=_pair(soft_limit(right - lean_right, SHIFT_LIMIT), soft_limit(down - lean_down, SHIFT_LIMIT)),
        lean=_pair(soft_limit(lean_right, LEAN_LIMIT), soft_limit(lean_down, LEAN_LIMIT)),
        torso_roll=torso_roll,
        torso_log_scale=torso_log_scale,
        mouth_width=shape.mouth_width,
    )


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
