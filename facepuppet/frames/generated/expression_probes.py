"""Motions that show a network what a portrait can do, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from facepuppet.core.geometry import rotation_from_euler, vector_from_rotation
from facepuppet.core.types import N_BLENDSHAPES, HeadPose, Motion
from facepuppet.face.arkit import ARKIT_INDEX, ARKIT_NAMES
from facepuppet.face.deformation import face_of_blendshapes
from facepuppet.portrait.avatar import Avatar
from facepuppet.retarget.deltas import deltas_of
from facepuppet.retarget.target import Target

VERSION = 1  # a change here makes what was learnt before stale
_STRENGTH = 0.8
_UNSEEN = "tongueOut"  # the built-in maker draws none
_SIDES = ("Left", "Right")
# Yaw, pitch and roll in radians, well within what any portrait bears.
_TURNS = tuple(
    sign * np.array(turn)
    for turn in (
        *((0.12, 0, 0), (0.25, 0, 0), (0, 0.1, 0), (0, 0.18, 0), (0, 0, 0.1), (0, 0, 0.2)),
        *((0.2, 0.12, 0), (0.2, -0.12, 0), (0.15, 0, 0.12)),
    )
    for sign in (1.0, -1.0)
)
# Shapes that faces make together, and that a sum of single ones tells badly.
_TOGETHER: tuple[Mapping[str, float], ...] = (
    {"eyeBlink": 1.0},
    {"eyeBlink": 0.5},
    {"eyeWide": 0.9},
    {"mouthSmile": 0.9, "cheekSquint": 0.5, "jawOpen": 0.3},
    {"mouthSmile": 0.9},
    {"jawOpen": 0.9},
    {"jawOpen": 0.4},
    {"jawOpen": 0.5, "mouthFunnel": 0.6},
    {"mouthPucker": 0.9},
    {"browDown": 0.9},
    {"browInnerUp": 0.8, "browOuterUp": 0.8},
    {"eyeLookUp": 0.8},
    {"eyeLookDown": 0.8},
)


def expression_probes(avatar: Avatar) -> Iterator[Motion]:
    """Yield motions of a portrait: at rest first, then turns, then every shape alone and some together."""
    target = Target(avatar)
    rest = np.zeros(N_BLENDSHAPES, np.float32)
    for turn in (np.zeros(3), *_TURNS):
        yield _motion(target, rest, turn)
    for i, name in enumerate(ARKIT_NAMES):
        if name != _UNSEEN:
            yield _motion(target, _STRENGTH * np.eye(N_BLENDSHAPES, dtype=np.float32)[i])
    for shapes in _TOGETHER:
        yield _motion(target, _weights(shapes))
    for look in (("In", "Out"), ("Out", "In")):  # both eyes to one side
        yield _motion(
            target, _weights({f"eyeLook{to}{side}": 0.8 for to, side in zip(look, _SIDES, strict=True)})
        )


def _motion(
    target: Target, weights: np.ndarray[tuple[int, ...], np.dtype[np.float32]], turn: object = None
) -> Motion:
    yaw, pitch, roll = (0.0, 0.0, 0.0) if turn is None else np.asarray(turn, np.float64).tolist()
    vector = vector_from_rotation(rotation_from_euler(yaw, pitch, roll)).astype(np.float32)
    return target.motion(deltas_of(face_of_blendshapes(weights, HeadPose(vector)), None))


def _weights(shapes: Mapping[str, float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """(52,) weights; a name without a side is of both."""
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    for name, strength in shapes.items():
        for one in (name, *(f"{name}{side}" for side in _SIDES)):
            if one in ARKIT_INDEX:
                weights[ARKIT_INDEX[one]] = strength
    return weights
