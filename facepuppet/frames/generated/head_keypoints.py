"""A head as LivePortrait describes it: 21 implicit keypoints, and how they are posed.

Formulae of J. Guo et al., "LivePortrait: Efficient Portrait Animation with Stitching and Retargeting
Control", arXiv 2407.03168; the rotation is that of T.-C. Wang et al., "One-Shot Free-View Neural Talking-Head
Synthesis for Video Conferencing", arXiv 2011.15126. Keypoints are rows; x and y run to the
right and down from -1 to 1 across the crop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from facepuppet.core.types import F32, F64

_FLAT = np.array([1.0, 1.0, 0.0])


@dataclass(frozen=True, slots=True)
class HeadState:
    """One head, as the motion network sees it.

    Attributes:
        angles: (3,) pitch, yaw, roll in radians, signs as that network has them.
        translation: (3,) of the head in the crop; none in depth, as the published network was taught.
        expression: (21, 3) what the face does to each keypoint.
        scale: of the head in the crop.
        canonical: (21, 3) the person's keypoints, face on and at rest.
    """

    angles: F64
    translation: F64
    expression: F64
    scale: float
    canonical: F64

    @property
    def rotation(self) -> F64:
        """(3, 3), to be multiplied to rows from the right."""
        return rotation_of(self.angles)

    @property
    def points(self) -> F64:
        """(21, 3) keypoints in the crop: s · (x_c R + δ) + t."""
        turned = self.canonical @ self.rotation + self.expression
        return np.asarray(self.scale * turned + self.translation)


def rotation_of(angles: F64) -> F64:
    """Return (Rz(roll) Ry(yaw) Rx(pitch))ᵀ for (3,) pitch, yaw, roll in radians."""
    (cp, cy, cr), (sp, sy, sr) = np.cos(angles).tolist(), np.sin(angles).tolist()
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray((about_z @ about_y @ about_x).T)


def driven(source: HeadState, rest: HeadState, driver: HeadState) -> F64:
    """Return the keypoints of a source that moves as a driver does from rest (the paper's relative motion).

    x_d = s_s · s_d/s_d0 · (x_c (R_d R_d0ᵀ R_s) + δ_s + δ_d − δ_d0) + t_s + t_d − t_d0
    """
    rotation = driver.rotation @ rest.rotation.T @ source.rotation
    expression = source.expression + driver.expression - rest.expression
    scale = source.scale * driver.scale / rest.scale
    shift = source.translation + driver.translation - rest.translation
    return np.asarray(scale * (source.canonical @ rotation + expression) + shift)


def moved(rest: HeadState, angles: F64, translation: F64, expression: F64) -> HeadState:
    """Return a head at rest with (3,) angles, (3,) translation and (21, 3) expression added."""
    return replace(
        rest,
        angles=rest.angles + angles,
        translation=rest.translation + translation,
        expression=rest.expression + expression,
    )


def head_state(outputs: dict[str, F32]) -> HeadState:
    """Read the motion network's outputs; what it says of the head's depth is left out."""
    single = {name: np.asarray(values, np.float64)[0] for name, values in outputs.items()}
    return HeadState(
        np.concatenate([single["pitch"], single["yaw"], single["roll"]]),
        single["translation"] * _FLAT,
        single["expression"],
        max(float(single["scale"][0]), math.ulp(1.0)),
        single["keypoints"],
    )
