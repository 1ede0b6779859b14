"""Between faces on the wire and expressions."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np

from facepuppet.core.geometry import (
    euler_from_rotation,
    rotation_from_euler,
    rotation_from_vector,
    vector_from_rotation,
)
from facepuppet.core.types import (
    F32,
    F64,
    N_BLENDSHAPES,
    Expression,
    FacePose,
    Floats,
    HeadPose,
    LandmarkOffsets,
)
from facepuppet.face.arkit import ARKIT_INDEX
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.deformation import blendshape_weights, face_of_blendshapes
from facepuppet.face.gaze import MAX_SINE
from facepuppet.face.irises import eye_widths_from_angles, iris_position
from facepuppet.wires.wire_face import WireFace, WireSample

INTER_OCULAR_M = 0.090  # between outer eye corners: the unit of head shifts (see `face.gaze`)
DISTANCE_M = 0.55  # of a face at rest from its camera, where nobody says
# Turn of an eye at an eyeLook* of 1 where nobody says, as the shapes were fitted with. Of ARKit it is 35
# degrees, by published packets of Live Link Face and iFacialMocap; of MeowFace 30. So who tells both is
# believed both.
LOOK_RAD = math.radians(30.0)
_AGREE = 0.5  # of what eyeLook* say, so far angles may lie from that and still be said by them
_ROUNDED_RAD = 0.007  # hundredths of iFacialMocap, halved
_SIDES = ("Right", "Left")  # the person's, image-left eye first
_WAYS = ("Out", "In", "Down", "Up")
_LOOKS = np.array([[ARKIT_INDEX[f"eyeLook{way}{side}"] for way in _WAYS] for side in _SIDES])
_BLINKS = [ARKIT_INDEX[f"eyeBlink{side}"] for side in _SIDES]
_WIDES = [ARKIT_INDEX[f"eyeWide{side}"] for side in _SIDES]
_SAME_OPENING = 1e-3  # of an eye's aperture at rest
_RIGHTWARD = np.array([-1.0, 1.0])  # whether looking out is looking to the image's right, by eye


def face_of_wire(face: WireFace, rest: WireFace | None = None) -> FacePose:
    """Return what a face on the wire does, against the sender's face at rest.

    Shapes count as they are: the sender has calibrated them. Where the head is and faces does not: a phone
    stands anywhere. What comes out of `sample_of_expression` again is the same but for float32's rounding.

    Args:
        face: now.
        rest: at rest; None: straight ahead, where it is.
    """
    eyes_rad = angles_of_looks(face.weights) if face.eyes_rad is None else face.eyes_rad
    head = _head_of(face, rest)
    # Irises go by angles: shapes were fitted to what the tracker of landmarks reports of them, which is less.
    gaze = _ahead(head) + eye_widths_from_angles(eyes_rad)
    return replace(face_of_blendshapes(_agreeing(face.weights, eyes_rad), head), gaze=gaze)


def sample_of_expression(expression: Expression) -> WireSample:
    """Return what a driver does, as a face on the wire; the sender's clock is the time of capture."""
    sent_s = expression.captured_ns * 1e-9
    if expression.face is None:
        return WireSample(None, sent_s)
    weights, eyes_rad = _shapes_of(expression.face)
    head = expression.face.head
    right, down = head.shift
    away_m = DISTANCE_M * (math.exp(-head.log_scale) - 1.0)
    position = np.array([INTER_OCULAR_M * right, INTER_OCULAR_M * down, away_m], np.float32)
    turned = np.array(euler_from_rotation(rotation_from_vector(head.turn)), np.float32)
    return WireSample(WireFace(weights, turned, eyes_rad, position), sent_s)


def with_looks(weights: F32, eyes_rad: Floats) -> F32:
    """Return weights (52,) whose eyeLook* say what angles (2, 2) of the eyes say."""
    told = np.array(weights, np.float32)
    out = _RIGHTWARD * eyes_rad[:, 0] / LOOK_RAD
    down = np.asarray(eyes_rad[:, 1]) / LOOK_RAD
    told[_LOOKS] = np.clip(np.stack([out, -out, down, -down], axis=1), 0.0, 1.0)
    return told


def _agreeing(weights: F32, eyes_rad: Floats) -> F32:
    """Weights (52,) as they are of each eye whose eyeLook* mean its angles; of others as angles have it."""
    told = angles_of_looks(weights)
    apart, most = np.linalg.norm(np.stack([eyes_rad - told, _AGREE * told]), axis=-1)
    agree = _LOOKS[apart <= most + _ROUNDED_RAD]
    again = with_looks(weights, eyes_rad)
    again[agree] = weights[agree]
    return again


def angles_of_looks(weights: Floats) -> F32:
    """Return (2, 2) yaw and pitch of each eye, image-left first, that eyeLook* among weights (52,) say."""
    out, into, down, up = np.asarray(weights, np.float64)[_LOOKS].T
    angles: F32 = LOOK_RAD * np.stack([_RIGHTWARD * (out - into), down - up], axis=1)
    return angles.astype(np.float32)


def _head_of(face: WireFace, rest: WireFace | None) -> HeadPose:
    turned = rotation_from_euler(*face.head_rad.tolist())
    if rest is None:
        return HeadPose(vector_from_rotation(turned).astype(np.float32))
    turn = vector_from_rotation(turned @ rotation_from_euler(*rest.head_rad.tolist()).T).astype(np.float32)
    if face.position_m is None or rest.position_m is None:
        return HeadPose(turn)
    right, down, away = (face.position_m - rest.position_m).tolist()
    nearness = DISTANCE_M / max(DISTANCE_M + away, 0.2 * DISTANCE_M)
    return HeadPose(turn, (right / INTER_OCULAR_M, down / INTER_OCULAR_M), math.log(nearness))


def _shapes_of(face: FacePose) -> tuple[F32, F32]:
    """Weights (52,) that tell lids and gaze too, and angles (2, 2) of the eyes against the head."""
    weights = blendshape_weights(face.deformation).copy()
    eyes_rad = _angles_of_shift(np.asarray(face.gaze, np.float64) - _ahead(face.head))
    if isinstance(face.deformation, LandmarkOffsets):
        return _with_lids(with_looks(weights, eyes_rad), face.eye_opening), eyes_rad
    weights = _agreeing(weights, eyes_rad)
    told = np.abs(_opening_of(weights) - face.eye_opening) < _SAME_OPENING
    again = _with_lids(weights.copy(), face.eye_opening)
    lids = np.stack([_BLINKS, _WIDES])[:, told]
    again[lids] = weights[lids]
    return again, eyes_rad


def _with_lids(weights: F32, eye_opening: Floats) -> F32:
    """Let weights (52,) say in place how far eyes are open (2,), and return them."""
    weights[_BLINKS] = 0.0
    # What squints and looks do to lids is told already.
    ratio = eye_opening / np.maximum(_opening_of(weights), 1e-3)
    weights[_BLINKS] = np.clip(1.0 - ratio, 0.0, 1.0)
    weights[_WIDES] = np.clip(weights[_WIDES] + np.maximum(ratio - 1.0, 0.0) / _widening(), 0.0, 1.0)
    return weights


def _ahead(head: HeadPose) -> F64:
    """How far (2, 2) the irises of eyes that look straight ahead are seen to move where the head turns."""
    mean = canonical_landmarks()
    return iris_position(mean @ rotation_from_vector(head.turn).T) - iris_position(mean)


def _angles_of_shift(shift: F64) -> F32:
    """Angles (2, 2) of the eyes, of how far (2, 2) their irises have moved, in eye widths."""
    reach = float(eye_widths_from_angles(np.array([np.pi / 2, 0.0]))[0])
    across, down = np.clip(shift / reach, -MAX_SINE, MAX_SINE).T
    pitch = np.arcsin(down)
    yaw = np.arcsin(np.clip(across / np.cos(pitch), -MAX_SINE, MAX_SINE))
    angles: F32 = np.stack([yaw, pitch], axis=1).astype(np.float32)
    return angles


def _opening_of(weights: F32) -> F32:
    """Aperture (2,) of both eyes that weights make, 1 at rest."""
    return face_of_blendshapes(weights, HeadPose(np.zeros(3, np.float32))).eye_opening


@cache
def _widening() -> float:
    """By how much eyeWide* of 1 opens an eye, of its aperture at rest."""
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    weights[_WIDES] = 1.0
    return float(_opening_of(weights).mean()) - 1.0
