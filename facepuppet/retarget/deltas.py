"""What is carried from the driver to the portrait."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facepuppet.core.types import F32, N_LANDMARKS


@dataclass(frozen=True, slots=True)
class Deltas:
    """Everything that is carried over, as differences from rest."""

    offsets: F32  # (478, 3) expression, head frame of the portrait
    eye_opening: F32  # (2,) relative to the portrait's own
    gaze: F32  # (2,) iris shift to the image right and down, in eye widths
    turn: F32  # (3,) rotation vector
    log_scale: float
    shift: F32  # (2,) head relative to torso, in inter-ocular distances
    lean: F32  # (2,) torso, in inter-ocular distances
    torso_roll: float
    torso_log_scale: float

    @staticmethod
    def rest() -> Deltas:
        """Return the portrait as it is."""
        zero2 = np.zeros(2, np.float32)
        offsets, turn = np.zeros((N_LANDMARKS, 3), np.float32), np.zeros(3, np.float32)
        return Deltas(offsets, np.ones(2, np.float32), zero2, turn, 0.0, zero2, zero2, 0.0, 0.0)

    def blended(self, share: float) -> Deltas:
        """Go from rest (0) to the full motion (1)."""
        return Deltas.rest().toward(self, share)

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
        )
