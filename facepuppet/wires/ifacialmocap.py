"""iFacialMocap and Facemotion3D: an iPhone's face as text, once the app is greeted by UDP.

After the vendor's pages for developers: `name-0|...|=head#rx,ry,rz,px,py,pz|rightEye#rx,ry,rz|leftEye#...|`,
whole numbers 0 to 100, angles in degrees, metres. Asked for version 2 the sign between name and value is
`&`, and values may be less than 0; both are understood, in any order, with other names passed over.
`trackingStatus` 0 says that no face is seen, where the app tells. Angles turn about ARKit's axes (right on
the picture, up, to the viewer): in a published packet eyes of x = 6.0 go with eyeLookDown of 17, and y = 2.4
and -1.7 with both looking in. The head is taken to have the same axes.

Greeted otherwise, either app connects to the PC by TCP, where a mark ends each text. Sources do not agree on
all ports: of iFacialMocap's stream the vendor's page has 49896, but public receivers (C#, C++, Rust) listen
on 49986; answers of Facemotion3D's go to 49993 by its page, but that page's own example and Inochi Session
listen on 49983. So both of each are listened on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facepuppet.core.types import F32, N_BLENDSHAPES
from facepuppet.face.arkit import ARKIT_NAMES
from facepuppet.wires.expressions import angles_of_looks
from facepuppet.wires.names import arkit_index
from facepuppet.wires.wire_face import MalformedPacketError, WireFace, WireSample

PORT = 49983
GREET_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class PhoneApp:
    """How to ask an app on a phone, and where it answers.

    Attributes:
        title: for people.
        asked_port: of the phone, UDP.
        greeting: what it must be told.
        ports: of this machine that it may send to.
        end_mark: of each text in a TCP stream; None where it answers by UDP.
    """

    title: str
    asked_port: int
    greeting: bytes
    ports: tuple[int, ...]
    end_mark: bytes | None = None


_KEY = b"sahuasouryya9218sauhuiayeta91555dy3719|sendDataVersion=v2"
_STREAM_PORT = 49986
APPS: Mapping[str, PhoneApp] = {
    "ifacialmocap": PhoneApp("iFacialMocap", PORT, b"iFacialMocap_" + _KEY, (PORT,)),
    "ifacialmocap-tcp": PhoneApp(
        "iFacialMocap by TCP",
        PORT,
        b"iFacialMocap_UDPTCP_" + _KEY,
        (_STREAM_PORT, 49896),
        b"___iFacialMocap",
    ),
    "facemotion3d": PhoneApp("Facemotion3D", 49993, b"FACEMOTION3D_OtherStreaming", (49993, PORT)),
    "facemotion3d-tcp": PhoneApp(
        "Facemotion3D by TCP",
        49993,
        b"FACEMOTION3D_OtherStreaming|protocol=tcp",
        (_STREAM_PORT,),
        b"___FACEMOTION3D",
    ),
}
_MOST_PARTS = 256
_TO_OURS = np.array([1.0, 1.0, -1.0], np.float32)  # signs of yaw, pitch, roll


class IFacialMocapDecoder:
    """Reads packets of versions 1 and 2, and of Facemotion3D, which adds names and spells out the sides."""

    def decode(self, packet: bytes) -> WireSample | None:
        """Return what a packet says.

        Raises:
            MalformedPacketError: no such text, or a value that is no number.
        """
        try:
            parts = packet.decode("ascii").removesuffix("___iFacialMocap").split("|")
        except UnicodeDecodeError as error:
            raise MalformedPacketError("no text") from error
        if len(parts) < 3 or len(parts) > _MOST_PARTS:
            raise MalformedPacketError("no text of iFacialMocap")
        weights, seen = np.zeros(N_BLENDSHAPES, np.float32), True
        turns: dict[str, list[float]] = {}
        for part in parts:
            name, mark, values = part.lstrip("=").partition("#")
            if mark:
                turns[name] = _numbers(values)
                continue
            name, value = _named_value(part)
            seen = seen and not (name == "trackingStatus" and value == 0.0)
            index = arkit_index(name)
            if index is not None:
                weights[index] = min(max(value / 100.0, 0.0), 1.0)
        if "head" not in turns:
            raise MalformedPacketError("no head: cut short, or none of it")
        return WireSample(_face_of(weights, turns) if seen else None)


class IFacialMocapEncoder:
    """Speaks as the app does, version 1; whoever hears it need not have greeted."""

    def encode(self, sample: WireSample) -> Sequence[bytes]:
        """Return the packet of a moment; of nobody none, for version 1 has no word for that."""
        face = sample.face
        if face is None:
            return []
        shapes = [
            f"{_short(name)}-{round(100 * w)}" for name, w in zip(ARKIT_NAMES, face.weights, strict=True)
        ]
        eyes = angles_of_looks(face.weights) if face.eyes_rad is None else face.eyes_rad
        position = np.zeros(3) if face.position_m is None else face.position_m * (1.0, -1.0, -1.0)
        (right, left), head = (
            (_degrees(yaw, pitch, 0.0) for yaw, pitch in eyes.tolist()),
            _degrees(*face.head_rad.tolist()),
        )
        place = ",".join(f"{value:.4f}" for value in position)
        text = "|".join([*shapes, f"=head#{head},{place}", f"rightEye#{right}", f"leftEye#{left}", ""])
        return [text.encode()]


def _named_value(part: str) -> tuple[str, float]:
    """Part a shape's name and value; an empty name where it is none."""
    name, mark, value = part.partition("&")
    if not mark:
        name, mark, value = part.partition("-")
    if not mark:
        return "", 0.0
    return name, _numbers(value)[0]


def _numbers(text: str) -> list[float]:
    try:
        values = [float(value) for value in text.split(",")]
    except ValueError as error:
        raise MalformedPacketError(f"{text[:40]!r} in place of numbers") from error
    if not all(map(math.isfinite, values)):
        raise MalformedPacketError("a value that is no number")
    return values


def _face_of(weights: F32, turns: dict[str, list[float]]) -> WireFace:
    head = turns.get("head", [0.0, 0.0, 0.0])
    eyes = [turns.get(name) for name in ("rightEye", "leftEye")]
    eyes_rad = [_angles(eye)[:2] for eye in eyes if eye is not None]
    position = np.array(head[3:6], np.float32) * np.array([1, -1, -1], np.float32) if len(head) >= 6 else None
    both = np.stack(eyes_rad) if len(eyes_rad) == 2 else None
    return WireFace(weights, _angles(head), both, position)


def _angles(turn: Sequence[float]) -> F32:
    """Yaw, pitch and roll (3,) in our signs, of degrees about x, y and z."""
    if len(turn) < 3:
        raise MalformedPacketError(f"{len(turn)} angles in place of 3")
    x, y, z = turn[:3]
    angles: F32 = np.radians(np.array([y, x, z], np.float32) * _TO_OURS)
    return angles


def _degrees(yaw_rad: float, pitch_rad: float, roll_rad: float) -> str:
    yaw, pitch, roll = np.degrees(np.array([yaw_rad, pitch_rad, roll_rad]) * _TO_OURS).tolist()
    return f"{pitch:.4f},{yaw:.4f},{roll:.4f}"


def _short(name: str) -> str:
    """`eyeBlink_L` of `eyeBlinkLeft`; `jawLeft` and `mouthLeft` are no sides of a pair."""
    if name in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
        return name
    return name.replace("Left", "_L").replace("Right", "_R")
