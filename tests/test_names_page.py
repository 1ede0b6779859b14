"""The page of names says what the tables say, and its signs are those of encoders and decoders."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable

import names_page
import numpy as np
import pytest
from names_page import ANGLES, PAGE, UNPAIRED, short_name

from facepuppet.face import ARKIT_NAMES
from facepuppet.wires import WireFace, WireSample
from facepuppet.wires.ifacialmocap import IFacialMocapEncoder
from facepuppet.wires.livelink import LiveLinkEncoder
from facepuppet.wires.vtube_phone import VtubePhoneDecoder
from facepuppet.wires.vtube_studio import parameters_of

MORE = ("image right", "down", "clockwise")  # of our angles


def turned(yaw: float, pitch: float, roll: float) -> WireFace:
    return WireFace(np.zeros(52, np.float32), np.array([yaw, pitch, roll], np.float32))


def by_livelink(face: WireFace) -> list[float]:
    (packet,) = LiveLinkEncoder().encode(WireSample(face, 1.0))
    return list(struct.unpack(">61f", packet[-244:])[52:55])


def by_ifacialmocap(face: WireFace) -> list[float]:
    (packet,) = IFacialMocapEncoder().encode(WireSample(face))
    x, y, z = (float(value) for value in packet.decode().split("=head#")[1].split(",")[:3])
    return [y, x, z]


def by_phone(face: WireFace) -> list[float]:
    """Angles that the decoder makes this face of: it turns the signs of each by itself."""
    x, y, z = np.degrees(face.head_rad).tolist()
    words = {"FaceFound": True, "Rotation": {"x": x, "y": y, "z": z}, "BlendShapes": []}
    sample = VtubePhoneDecoder().decode(json.dumps(words).encode())
    assert sample is not None and sample.face is not None
    return [float(value) for value in np.degrees(sample.face.head_rad)]


def by_plug_in(face: WireFace) -> list[float]:
    values = parameters_of(face)
    return [values[f"FaceAngle{axis}"] for axis in "XYZ"]


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == names_page.page(), "run: python tools/names_page.py"


@pytest.mark.parametrize(
    ("protocol", "angles_of"),
    [
        ("Live Link Face", by_livelink),
        ("iFacialMocap", by_ifacialmocap),
        ("VTube Studio's phone app", by_phone),
        ("VTube Studio's plug-ins", by_plug_in),
    ],
)
def test_its_signs_and_units_are_those_of_the_wire(
    protocol: str, angles_of: Callable[[WireFace], list[float]]
) -> None:
    (row,) = [row for row in ANGLES if row.protocol.startswith(protocol)]
    unit = {"radians": 1.0, "degrees": 180.0 / np.pi}[row.unit]
    signs = [
        1.0 if told == ours else -1.0 for told, ours in zip((row.yaw, row.pitch, row.roll), MORE, strict=True)
    ]
    for n in range(3):
        angles = [0.1 if n == axis else 0.0 for axis in range(3)]
        expected = [sign * unit * angle for sign, angle in zip(signs, angles, strict=True)]
        np.testing.assert_allclose(angles_of(turned(*angles)), expected, atol=1e-3)


def test_its_short_names_are_those_that_are_sent() -> None:
    (packet,) = IFacialMocapEncoder().encode(WireSample(turned(0, 0, 0)))
    sent = {part.split("-")[0] for part in packet.decode().split("|=head")[0].split("|")}
    assert sent == {short_name(name) for name in ARKIT_NAMES}
    assert set(UNPAIRED) < set(ARKIT_NAMES)
