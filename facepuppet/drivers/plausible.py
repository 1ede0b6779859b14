"""Whether an expression can be shown: drivers may be strangers, and numbers on a wire may be anything."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from facepuppet.core.types import (
    N_BLENDSHAPES,
    N_LANDMARKS,
    Expression,
    FacePose,
    Floats,
    LandmarkOffsets,
    TorsoPose,
)

# Far beyond any face, so that limits and smoothing decide about what is merely wild.
_FARTHEST = {
    "turn": 2 * math.pi,
    "shift": 100.0,
    "log_scale": 5.0,
    "gaze": 10.0,
    "eye_opening": 10.0,
    "offsets": 10.0,
    "mouth_width": 10.0,
    "blendshapes": 1.0 + 1e-6,
    "torso_lean": 100.0,
    "torso_roll_rad": 2 * math.pi,
    "torso_log_scale": 5.0,
}
_SHAPES = {
    "turn": (3,),
    "gaze": (2, 2),
    "eye_opening": (2,),
    "offsets": (N_LANDMARKS, 3),
    "blendshapes": (N_BLENDSHAPES,),
}


def implausible(expression: Expression) -> str | None:
    """Say what is wrong with an expression in a few words; None when nothing is."""
    for name, value in _values(expression.face, expression.torso):
        array = np.asarray(value)
        if name in _SHAPES and array.shape != _SHAPES[name]:
            return f"{name} of shape {array.shape} in place of {_SHAPES[name]}"
        # The comparison is false for NaN.
        if not (np.abs(array).max() <= _FARTHEST[name]):
            return f"{name} that is no number, or beyond {_FARTHEST[name]:.3g}"
    return None


def _values(face: FacePose | None, torso: TorsoPose | None) -> Iterator[tuple[str, Floats | float]]:
    if face is not None:
        yield "turn", face.head.turn
        yield "shift", np.asarray(face.head.shift)
        yield "log_scale", face.head.log_scale
        yield "gaze", face.gaze
        yield "eye_opening", face.eye_opening
        if isinstance(face.deformation, LandmarkOffsets):
            yield "offsets", face.deformation.offsets
            yield "mouth_width", face.deformation.mouth_width
        else:
            yield "blendshapes", face.deformation.weights
    if torso is not None:
        yield "torso_lean", np.asarray(torso.lean)
        yield "torso_roll_rad", torso.roll_rad
        yield "torso_log_scale", torso.log_scale
