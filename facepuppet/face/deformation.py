"""Facial expressions as landmark offsets and as ARKit blendshapes, and each from the other."""

from __future__ import annotations

from functools import cache

import numpy as np

from facepuppet.core.geometry import rotation_from_vector
from facepuppet.core.types import F32, F64, Blendshapes, Deformation, FacePose, HeadPose, LandmarkOffsets
from facepuppet.face.arkit import ARKIT_INDEX, ARKIT_NAMES
from facepuppet.face.blendshapes import BlendshapeFitter, landmark_basis
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.gaze import eye_openings
from facepuppet.face.irises import iris_position
from facepuppet.face.lips import mouth_width
from facepuppet.face.topology import EYES, I32, LOWER_LIP_INNER, UPPER_LIP_INNER, EyeTopology

_SIDES = ("Right", "Left")  # the person's, in the order of EYES
_SHUT_LINE = 0.8  # where the lids meet, from the open upper rim (0) to the lower (1)
_FOLD_FOLLOWS = 0.4  # how far the skin beside a rim goes with it
_LOOKS = np.array([name.startswith("eyeLook") for name in ARKIT_NAMES])


def landmark_offsets(deformation: Deformation) -> LandmarkOffsets:
    """Return an expression as offsets of the landmarks; weights move the mean face."""
    if isinstance(deformation, LandmarkOffsets):
        return deformation
    mean = canonical_landmarks()
    return LandmarkOffsets(compose_landmarks(mean, deformation.weights) - mean, mouth_width(mean))


def face_of_blendshapes(weights: F32, head: HeadPose) -> FacePose:
    """Return the face that ARKit's weights make, gaze and lids included; what a stream of them needs.

    Args:
        weights: (52,) in ARKit's order, each in [0, 1].
        head: where the head is.
    """
    mean = canonical_landmarks()
    face = compose_landmarks(mean, weights)
    seen = face @ rotation_from_vector(head.turn).T
    gaze = iris_position(seen) - iris_position(mean)
    opening = eye_openings(face) / eye_openings(mean)
    return FacePose(head, gaze, opening, Blendshapes(weights))


def blendshape_weights(deformation: Deformation) -> F32:
    """Return an expression as (52,) ARKit weights in [0, 1]; of offsets the most likely ones."""
    if isinstance(deformation, Blendshapes):
        return deformation.weights
    return _fitter().fit(deformation.offsets + canonical_landmarks(), canonical_landmarks())


@cache
def _fitter() -> BlendshapeFitter:
    return BlendshapeFitter()


def compose_landmarks(neutral_head: F32, weights: F32) -> F32:
    """Give a neutral face an expression.

    Offsets add up linearly, except where that would look wrong: lids shut by eyeBlink along one line, so
    that at weight 1 they meet exactly; irises keep their shape and move by eyeLook* alone; lips touch
    instead of passing through each other.

    Args:
        neutral_head: (478, 3) the face at rest, in the head frame.
        weights: (52,) in ARKit's order, each in [0, 1].

    Returns:
        (478, 3) landmarks in the head frame.
    """
    basis = landmark_basis()
    w = np.asarray(weights, dtype=np.float64)
    still_open = w.copy()
    still_open[[ARKIT_INDEX[f"eyeBlink{side}"] for side in _SIDES]] = 0.0
    face = neutral_head + np.tensordot(still_open, basis, 1)
    for eye, side in zip(EYES, _SIDES, strict=True):
        centre_shift = (w * _LOOKS) @ basis[:, eye.iris_centre]
        face[eye.iris] = neutral_head[eye.iris] + centre_shift
        _shut(face, eye, float(w[ARKIT_INDEX[f"eyeBlink{side}"]]))
    _part(face, UPPER_LIP_INNER, LOWER_LIP_INNER)
    return face.astype(np.float32)


def _shut(face: F64, eye: EyeTopology, blink: float) -> None:
    """Close the lids by `blink`, in place; the skin beside the rims follows in part."""
    _part(face, eye.upper_lid, eye.lower_lid)
    upper, lower = face[eye.upper_lid], face[eye.lower_lid]
    line = upper + _SHUT_LINE * (lower - upper)
    for rim, fold, now in ((eye.upper_lid, eye.upper_fold, upper), (eye.lower_lid, eye.lower_fold, lower)):
        shift = blink * (line - now)
        face[rim] = now + shift
        face[fold] += _FOLD_FOLLOWS * shift[1:-1]


def _part(face: F64, upper: I32, lower: I32) -> None:
    """Let two edges that have crossed meet halfway, in place."""
    a, b = face[upper], face[lower]
    crossed = (a[:, 1] > b[:, 1])[:, None]
    middle = (a + b) / 2
    face[upper] = np.where(crossed, middle, a)
    face[lower] = np.where(crossed, middle, b)
