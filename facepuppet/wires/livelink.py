"""Epic's Live Link Face: an iPhone's face as 61 numbers a packet, UDP 11111.

All big-endian: u8 version 6; device id and subject, each a u32 length in bytes and UTF-8; the time code as
i32 frame, f32 part of a frame, i32 numerator and denominator of the rate; u8 count 61; as many f32: ARKit's
shapes in the order of Apple's documentation, then yaw, pitch and roll of head, left and right eye. While no
face is seen the packet ends after the time code.

Angles are radians: in a public capture (think-biq/LLV, examples/dao.gesichter, 180 frames) each eye's yaw is
0.61 times eyeLookIn less eyeLookOut, negative for the right eye, and its pitch 0.61 times eyeLookDown less
eyeLookUp. The head's signs follow from the same change of axes, Unreal's x into the picture, y right, z up.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from facepuppet.core.types import F32, N_BLENDSHAPES
from facepuppet.wires.expressions import angles_of_looks
from facepuppet.wires.wire_face import MalformedPacketError, WireFace, WireSample

PORT = 11111
VERSION = 6
COUNT = N_BLENDSHAPES + 9
MOST_RATE = 1000.0  # frames a second that a time code may be counted in
_TIME = struct.Struct(">ifii")
_LENGTH = struct.Struct(">I")
_VALUES = struct.Struct(f">{COUNT}f")
_MOST_NAME = 512  # bytes of a device id or a subject
# From angles on the wire to ours: yaw grows to the subject's right, the image's left.
_SIGNS = np.array([-1.0, 1.0, 1.0], np.float32)
_RIGHT_EYE_FIRST = [1, 0]


class LiveLinkDecoder:
    """Reads the app's packets."""

    def decode(self, packet: bytes) -> WireSample | None:
        """Return what a packet says.

        Raises:
            MalformedPacketError: it is no packet of version 6, is cut short, or holds what is no number.
        """
        rest = _after_names(packet)
        if len(rest) < _TIME.size:
            raise MalformedPacketError("a Live Link Face packet without a time code")
        sent_s = _seconds(*_TIME.unpack_from(rest))
        values = rest[_TIME.size :]
        if not values:
            return WireSample(None, sent_s)
        if values[0] != COUNT or len(values) != 1 + _VALUES.size:
            raise MalformedPacketError(
                f"{len(values) - 1} bytes for {values[0]} values, expected {COUNT} floats"
            )
        return WireSample(face_of_values(np.array(_VALUES.unpack_from(values, 1), np.float32)), sent_s)


class LiveLinkEncoder:
    """Speaks as the app does, to Unreal and whoever else listens.

    Args:
        subject: name of the face, as a receiver lists it.
        device: id of the sender.
        fps: rate that time codes count in.
    """

    def __init__(self, subject: str = "facepuppet", device: str = "facepuppet", fps: int = 60) -> None:
        self._names = b"".join(_LENGTH.pack(len(name)) + name for name in (device.encode(), subject.encode()))
        self._fps = fps

    def encode(self, sample: WireSample) -> Sequence[bytes]:
        """Return the one packet of a moment; of nobody it ends after the time code."""
        frame, part = divmod((sample.sent_s or 0.0) * self._fps, 1.0)
        head = bytes([VERSION]) + self._names + _TIME.pack(int(frame) & 0x7FFFFFFF, part, self._fps, 1)
        if sample.face is None:
            return [head]
        return [head + bytes([COUNT]) + _VALUES.pack(*values_of_face(sample.face).tolist())]


def _after_names(packet: bytes) -> bytes:
    if not packet or packet[0] != VERSION:
        raise MalformedPacketError(f"no Live Link Face packet of version {VERSION}")
    at = 1
    for _ in range(2):
        if len(packet) < at + _LENGTH.size:
            raise MalformedPacketError("a Live Link Face packet cut short in its names")
        (length,) = _LENGTH.unpack_from(packet, at)
        at += _LENGTH.size + length
        if length > _MOST_NAME or at > len(packet):
            raise MalformedPacketError(f"a name of {length} bytes in a packet of {len(packet)}")
    return packet[at:]


def _seconds(frame: int, part: float, numerator: int, denominator: int) -> float | None:
    """Seconds that a time code says; None where its rate says nothing."""
    if numerator <= 0 or denominator <= 0 or numerator / denominator > MOST_RATE or not 0.0 <= part <= 1.0:
        return None
    return (frame + part) * denominator / numerator


def face_of_values(values: F32) -> WireFace:
    """Return the face of values (61,), shapes and angles as the app orders them.

    Raises:
        MalformedPacketError: a value that is no number.
    """
    if not np.isfinite(values).all():
        raise MalformedPacketError("a value that is no number")
    angles = values[N_BLENDSHAPES:].reshape(3, 3) * _SIGNS
    weights = np.clip(values[:N_BLENDSHAPES], 0.0, 1.0)
    return WireFace(weights, angles[0], angles[1:][_RIGHT_EYE_FIRST, :2])


def values_of_face(face: WireFace) -> F32:
    """Return the values (61,) of a face, shapes and angles as the app orders them."""
    angles = np.zeros((3, 3), np.float32)
    angles[0] = face.head_rad
    eyes_rad = angles_of_looks(face.weights) if face.eyes_rad is None else face.eyes_rad
    angles[1:, :2] = eyes_rad[_RIGHT_EYE_FIRST]
    values: F32 = np.concatenate([face.weights, (angles * _SIGNS).ravel()])
    return values
