"""VMC: Unity's bones and VRM's expressions by OSC, UDP 39539 (to a marionette) and 39540 (from a performer).

After protocol.vmc.info. Bones are local poses, quaternions x y z w, in Unity's axes: x to the subject's
right, y up, z to where the avatar looks. Ours (right on the picture, down, away from the viewer) are their
opposites, all three, so that rotations have the same matrix in both. Expressions count only once
`/VMC/Ext/Blend/Apply` comes. Of ARKit's names any spelling is understood; without one of those, VRM's.
Unknown addresses are passed over, and more arguments than expected; messages with fewer, or cut short, are
dropped: python-osc 1.10 reads 0.0 where a message ends before its arguments do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket
from pythonosc.osc_packet import ParseError as OscError

from facepuppet.core.geometry import (
    euler_from_rotation,
    quaternion_from_rotation,
    rotation_from_euler,
    rotation_from_quaternion,
)
from facepuppet.core.types import F32, F64, N_BLENDSHAPES
from facepuppet.face.arkit import ARKIT_NAMES
from facepuppet.wires.expressions import angles_of_looks
from facepuppet.wires.names import arkit_index, vrm_of_weights, weights_of_vrm
from facepuppet.wires.vmc_eyes import EyesToldTwice, eyes_towards
from facepuppet.wires.wire_face import MalformedPacketError, WireFace, WireSample

MARIONETTE_PORT, PERFORMER_PORT = 39539, 39540
_UPRIGHT = ("Spine", "Chest", "UpperChest", "Neck", "Head")  # from the hips up: together they turn the head
_EYES = ("RightEye", "LeftEye")  # image-left first
_HEADS_ALONE = 5  # after so many a performer is taken to tell no expressions
_NECK_SHARE = 0.4  # of a turned head, as necks do
_MOST_BYTES = 1300  # of a packet: less than networks carry in one piece
_WIDTHS = {"i": 4, "f": 4, "h": 8, "d": 8, "t": 8, "T": 0, "F": 0, "N": 0, "I": 0}


class VmcDecoder:
    """Follows one performer; bones and expressions of before stay until they are told anew."""

    def __init__(self) -> None:
        self._bones: dict[str, F64] = {}
        self._coming: dict[str, float] = {}  # expressions that do not count yet
        self._applied: dict[str, float] = {}
        self._heads_alone = 0  # heads since the last expression
        self._point: F32 | None = None  # angles of the eyes towards it
        self._eyes = EyesToldTwice()
        self._sent_s: float | None = None
        self._tracks = True

    def decode(self, packet: bytes) -> WireSample | None:
        """Return the face once expressions are applied; of a performer without any, with each head.

        Raises:
            MalformedPacketError: no OSC.
        """
        try:
            messages = [timed.message for timed in OscPacket(packet).messages]
        except (OscError, ValueError, IndexError) as error:
            raise MalformedPacketError("no OSC packet") from error
        done = False
        for message in messages:
            if _whole(message):
                done = self._take(message.address, message.params) or done
        return WireSample(self._face() if self._tracks else None, self._sent_s) if done else None

    def _take(self, address: str, values: Sequence[Any]) -> bool:
        """Note what a message says; returns whether it completes a face."""
        if address == "/VMC/Ext/Bone/Pos" and len(values) >= 8:
            return self._take_bone(values[0], _numbers(values[4:8]))
        if address == "/VMC/Ext/Blend/Val" and len(values) >= 2:
            for value in _numbers(values[1:2]):
                self._coming[str(values[0])] = value
        elif address == "/VMC/Ext/Blend/Apply":
            self._heads_alone = 0
            self._applied.update(self._coming)
            return True
        elif address == "/VMC/Ext/T" and values:
            self._sent_s = next(iter(_numbers(values[:1])), self._sent_s)
        elif address == "/VMC/Ext/OK" and len(values) >= 4:
            self._tracks = values[3] != 0
        elif address == "/VMC/Ext/Set/Eye" and len(values) >= 4:
            self._point = eyes_towards(_numbers(values[1:4])) if values[0] else None
        return False

    def _take_bone(self, name: Any, quaternion: Sequence[float]) -> bool:
        if len(quaternion) != 4 or math.hypot(*quaternion) < 1e-3:
            return False
        if name in _UPRIGHT or name in _EYES:
            x, y, z, w = quaternion
            self._bones[name] = rotation_from_quaternion(w, x, y, z)
        self._heads_alone += name == "Head"
        return bool(name == "Head" and self._heads_alone > _HEADS_ALONE)

    def _face(self) -> WireFace:
        head = np.eye(3)
        for name in _UPRIGHT:
            head = head @ self._bones.get(name, np.eye(3))
        weights = _weights_of(self._applied)
        told = self._point
        if all(name in self._bones for name in _EYES):
            told = np.array([euler_from_rotation(self._bones[name])[:2] for name in _EYES], np.float32)
        eyes_rad = self._eyes.angles(told, angles_of_looks(weights))
        return WireFace(weights, np.array(euler_from_rotation(head), np.float32), eyes_rad)


class VmcEncoder:
    """Performs for VSeeFace, Warudo, VMagicMirror, Blender and others that hear VMC."""

    def __init__(self) -> None:
        self._begun_s: float | None = None

    def encode(self, sample: WireSample) -> Sequence[bytes]:
        """Return one moment in packets that networks carry whole; the last applies the expressions."""
        messages = [_message("/VMC/Ext/OK", 1, 3, 0, int(sample.face is not None))]
        if sample.sent_s is not None:
            # From the first sample on: OSC's floats have 24 bits, a thousandth of a second for four hours.
            self._begun_s = sample.sent_s if self._begun_s is None else self._begun_s
            messages.append(_message("/VMC/Ext/T", float(sample.sent_s - self._begun_s)))
        if sample.face is not None:
            messages += [*_bones(sample.face), *_expressions(sample.face.weights)]
        return _in_packets(messages)


def _whole(message: OscMessage) -> bool:
    """Whether a message is as long as its type tags say."""
    content = message.dgram
    tags_at = content.find(b",")
    if tags_at < 0:
        return True  # no arguments: those who want some drop it
    end = content.find(b"\0", tags_at)
    tags = content[tags_at + 1 : end].decode("ascii", "replace")
    if end < 0 or not set(tags) <= {*_WIDTHS, "s"}:
        return end >= 0
    texts = sum(_padded(len(value.encode())) for value in message.params if isinstance(value, str))
    needed = tags_at + _padded(len(tags) + 1) + sum(_WIDTHS.get(tag, 0) for tag in tags) + texts
    return len(content) >= needed


def _padded(length: int) -> int:
    """Bytes that a text of so many takes, with its zeros."""
    return (length // 4 + 1) * 4


def _numbers(values: Iterable[Any]) -> list[float]:
    return [float(value) for value in values if isinstance(value, int | float) and math.isfinite(value)]


def _weights_of(values: dict[str, float]) -> F32:
    """ARKit's weights (52,) of expressions by name: ARKit's own, or without one of those VRM's."""
    weights, has_shapes = np.zeros(N_BLENDSHAPES, np.float32), False
    for name, value in values.items():
        index = arkit_index(name)
        if index is not None:
            weights[index], has_shapes = min(max(value, 0.0), 1.0), True
    return weights if has_shapes else weights_of_vrm(values)


def _bones(face: WireFace) -> list[OscMessage]:
    """Neck and head, which share the turn, and both eyes."""
    yaw, pitch, roll = face.head_rad.tolist()
    neck = rotation_from_euler(_NECK_SHARE * yaw, _NECK_SHARE * pitch, _NECK_SHARE * roll)
    eyes = angles_of_looks(face.weights) if face.eyes_rad is None else face.eyes_rad
    rotations = {
        "Neck": neck,
        "Head": neck.T @ rotation_from_euler(yaw, pitch, roll),
        **{name: rotation_from_euler(x, y, 0.0) for name, (x, y) in zip(_EYES, eyes.tolist(), strict=True)},
    }
    return [_bone(name, rotation) for name, rotation in rotations.items()]


def _bone(name: str, rotation: F64) -> OscMessage:
    w, x, y, z = quaternion_from_rotation(rotation)
    return _message("/VMC/Ext/Bone/Pos", name, 0.0, 0.0, 0.0, x, y, z, w)


def _expressions(weights: F32) -> list[OscMessage]:
    """ARKit's shapes by their own names, then VRM's expressions by those of both versions."""
    told = dict(zip(ARKIT_NAMES, weights.tolist(), strict=True)) | vrm_of_weights(weights)
    values = [_message("/VMC/Ext/Blend/Val", name, float(value)) for name, value in told.items()]
    return [*values, _message("/VMC/Ext/Blend/Apply")]


def _message(address: str, *values: Any) -> OscMessage:
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return builder.build()


def _in_packets(messages: Sequence[OscMessage]) -> list[bytes]:
    packets: list[bytes] = []
    bundle, size = OscBundleBuilder(IMMEDIATELY), 16
    for message in messages:
        if size + message.size + 4 > _MOST_BYTES:
            packets.append(bundle.build().dgram)
            bundle, size = OscBundleBuilder(IMMEDIATELY), 16
        bundle.add_content(message)
        size += message.size + 4
    packets.append(bundle.build().dgram)
    return packets
