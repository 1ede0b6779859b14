"""VTube Studio's phone app, MeowFace and their like: JSON by UDP, for some seconds once asked at port 21412.

The request is from DenchiSoft's own example (VTubeStudioBlendshapeUDPReceiverTest): `time` is 0.5 to 10
seconds, one request a second with `time` 5 is advised; receivers of the field send `sendForSeconds` for the
same. iPhones name shapes `JawOpen`, the Android app `jawOpen` and `eyeBlink_L`; Android has `browInnerUp` by
sides, MeowFace lacks six shapes and has `headLeft` and others. So keys are read in any order and case.

Angles are degrees. Eyes turn about x (down) and y (to the person's left), as in a published packet of
MeowFace, where the shapes say the same. Of the head `Rotation.x` is the turn and `.y` the nod: rusty-bridge
makes FaceAngleX of x and -FaceAngleY of y, veasu's receiver for Warudo (Euler y, x, z), vpuppr and
facetrack-d swap them as well. In that packet x is -11.1 while both eyes look 11 degrees to the person's left,
as eyes do that stay on the phone: x grows to the person's left. y grows downwards in rusty-bridge and in
Warudo, whose Unity angles do. Roll: ARKit's, against the clock, in Warudo's and vpuppr's receivers;
rusty-bridge would have it the other way. No capture of a known roll is public.
`Position` grows to the image's left and up, about 4 cm a unit, in Warudo's receiver and rusty-bridge; which
way z grows they do not agree on, so it is left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from facepuppet.core.types import F32, N_BLENDSHAPES
from facepuppet.wires.names import arkit_index
from facepuppet.wires.wire_face import MalformedPacketError, WireFace, WireSample

PORT = 21412  # of the phone
ASK_EVERY_S = 1.0
_SEND_FOR_S = 5.0
_MOST_BYTES = 20_000
_MOST_SHAPES = 256
_UNIT_M = 0.04
_HEAD_SIGNS = np.array([1.0, 1.0, -1.0], np.float32)  # x, y, z to yaw, pitch, roll
_SIDES = ("left", "right", "_l", "_r")


def request(port: int) -> bytes:
    """Return what makes a phone send to a port of ours for some seconds."""
    words = {
        "messageType": "iOSTrackingDataRequest",
        "time": _SEND_FOR_S,
        "sendForSeconds": _SEND_FOR_S,
        "sentBy": "facepuppet",
        "ports": [port],
    }
    return json.dumps(words).encode()


class VtubePhoneDecoder:
    """Reads the answers."""

    def decode(self, packet: bytes) -> WireSample | None:
        """Return what a packet says.

        Raises:
            MalformedPacketError: no JSON object, no word of a face, or a value that is no number.
        """
        told = _object(packet)
        seen = told.get("facefound")
        if not isinstance(seen, bool):
            raise MalformedPacketError("JSON that does not say whether a face is found")
        sent_ms = told.get("timestamp")
        sent_s = None if sent_ms is None else _number(sent_ms) * 1e-3
        if not seen:
            return WireSample(None, sent_s)
        turned = _vector(told, "rotation")
        if turned is None:
            raise MalformedPacketError("JSON of a face without its rotation")
        head_rad = np.radians(turned * _HEAD_SIGNS).astype(np.float32)
        place = _vector(told, "position")
        position_m = None if place is None else place * np.array([-_UNIT_M, -_UNIT_M, 0.0], np.float32)
        return WireSample(WireFace(_weights(told), head_rad, _eyes(told), position_m), sent_s)


def _object(packet: bytes) -> Mapping[str, Any]:
    """A packet's JSON object, keys in small letters."""
    if len(packet) > _MOST_BYTES:
        raise MalformedPacketError(f"{len(packet)} bytes in one answer")
    try:
        told = json.loads(packet)
    except (ValueError, RecursionError) as error:
        raise MalformedPacketError("no JSON") from error
    if not isinstance(told, dict):
        raise MalformedPacketError("no JSON object")
    return {key.lower(): value for key, value in told.items()}


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise MalformedPacketError(f"{str(value)[:40]!r} in place of a number")
    try:
        number = float(value)
    except OverflowError as error:
        raise MalformedPacketError("a number that no float holds") from error
    if not math.isfinite(number) or abs(number) > 1e15:
        raise MalformedPacketError("a value that is no number")
    return number


def _vector(told: Mapping[str, Any], name: str) -> F32 | None:
    """x, y and z (3,) under a name; None where there is nothing under it."""
    value = told.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise MalformedPacketError(f"{name} is no vector")
    axes = {key.lower(): part for key, part in value.items()}
    return np.array([_number(axes.get(axis)) for axis in "xyz"], np.float32)


def _eyes(told: Mapping[str, Any]) -> F32 | None:
    """Yaw and pitch (2, 2) of both eyes; None where they are not told, or only the shapes tell."""
    eyes = [_vector(told, name) for name in ("eyeright", "eyeleft")]
    turned = [eye[[1, 0]] for eye in eyes if eye is not None]
    if len(turned) < 2 or not np.any(turned):
        return None
    angles: F32 = np.radians(np.stack(turned)).astype(np.float32)
    return angles


def _weights(told: Mapping[str, Any]) -> F32:
    shapes = told.get("blendshapes")
    if not isinstance(shapes, list) or len(shapes) > _MOST_SHAPES:
        raise MalformedPacketError("JSON of a face without a list of shapes")
    weights, halves = np.zeros(N_BLENDSHAPES, np.float32), np.zeros(N_BLENDSHAPES, np.float32)
    for shape in shapes:
        name, value = _shape(shape)
        index = arkit_index(name)
        if index is not None:
            weights[index] = value
        elif (whole := _whole_of(name)) is not None:
            halves[whole] += 0.5 * value
    told_whole = weights > 0.0
    merged: F32 = np.clip(np.where(told_whole, weights, halves), 0.0, 1.0)
    return merged


def _shape(shape: Any) -> tuple[str, float]:
    if not isinstance(shape, dict):
        raise MalformedPacketError("a shape that is none")
    parts = {key.lower(): part for key, part in shape.items()}
    name = parts.get("k")
    if not isinstance(name, str):
        raise MalformedPacketError("a shape without a name")
    return name, _number(parts.get("v"))


def _whole_of(name: str) -> int | None:
    """The shape of both sides that a name tells one side of: browInnerUp of `browInnerUpLeft`."""
    lower = name.lower()
    for side in _SIDES:
        if lower.endswith(side):
            return arkit_index(lower.removesuffix(side))
    return None
