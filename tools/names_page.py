"""facepuppet/wires/NAMES.md: what others call what a face does, written from the program's own tables.

    python tools/names_page.py              # writes it
    python tools/names_page.py --print

`tests/test_names_page.py` holds the page against the tables, and its signs against encoders and decoders.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from facepuppet.face import ARKIT_NAMES
from facepuppet.wires import (
    CUSTOM_PARAMETERS,
    TRACKING_PARAMETERS,
    VRM_EXPRESSIONS,
    TrackingParameter,
    VrmExpression,
)

PAGE = Path(__file__).resolve().parents[1] / "facepuppet" / "wires" / "NAMES.md"
UNPAIRED = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")  # no sides of a pair
_LEFT, _RIGHT, _DOWN, _UP = "image left", "image right", "down", "up"
_WITH, _AGAINST = "clockwise", "against the clock"


@dataclass(frozen=True, slots=True)
class Angles:
    """How one protocol tells where a head turns: its name, unit, and what more of each angle is."""

    protocol: str
    unit: str
    yaw: str
    pitch: str
    roll: str


ANGLES: tuple[Angles, ...] = (
    Angles("facepuppet", "radians", _RIGHT, _DOWN, _WITH),
    Angles("Live Link Face: HeadYaw, HeadPitch, HeadRoll", "radians", _LEFT, _DOWN, _WITH),
    Angles("iFacialMocap: head y, x, z", "degrees", _RIGHT, _DOWN, _AGAINST),
    Angles("VTube Studio's phone app: Rotation x, y, z", "degrees", _RIGHT, _DOWN, _AGAINST),
    Angles("VTube Studio's plug-ins: FaceAngleX, Y, Z", "degrees", _RIGHT, _UP, _WITH),
)

_HEAD = """# Names, units, ranges and signs

What other trackers and avatar programs call what a face does, as facepuppet hears and tells it. Written by
`python tools/names_page.py` from the tables in `names.py` and `vtube_studio.py`; change those, not this page.

Left and right are the person's: a person's left is the image's right, where the camera does not mirror. In a
mirrored picture they swap. On an avatar they are the avatar's own, so that it does what the person does.

## Turns

What more of an angle is, on an unmirrored picture. VMC has no angles but quaternions x y z w in Unity's axes
(x to the subject's right, y up, z to where the avatar looks), of bones: Neck and Head, LeftEye and RightEye.
Where each sign is known from, and which are not settled, is at the top of each protocol's module.
"""

_SHAPES = """
## ARKit's 52 shapes

All from 0 (at rest) to 1. `mouthClose` closes lips against an open jaw. An `eyeLook…` of 1 is told and
taken for 30 degrees; ARKit's means 35, so angles that are told count beside it (of VMC's eye bones, unless
they stay behind the shapes). Names are understood in any case, with `Left` or `_L`. iFacialMocap tells
hundredths (0 to 100); so does Facemotion3D, which spells sides out and has names of its own beside (`FM_…`),
which nobody hears.
MediaPipe has `_neutral` and 51 of these, without tongueOut. MeowFace lacks mouthClose, jawForward,
cheekSquint and mouthDimple, and has browInnerUp by sides: their mean counts. Live Link Face numbers them as
below, then come yaw, pitch and roll of head, left and right eye (52 to 60); its own .csv has JawRight
before JawLeft and MouthRight before MouthLeft.
"""

_VRM = """
## VRM 0 and VRM 1

All from 0 to 1, case-sensitive. Heard, an expression is the mixture of shapes at its side; told, it is how
far those that lead the mixture have gone in the mean. Shapes come first: where a performer tells any of
ARKit's, expressions are not looked at. Told are both versions' names. `*` is both sides.
"""

_LIVE2D = """
## VTube Studio and Live2D

A plug-in tells VTube Studio's parameters; which of a model's they move is up to its set-up. "Moves" is what
its own set-up chooses; "turned" where that turns the sign. "Screen" is the avatar's picture. Live2D's own
ranges: angles ±30 degrees, ParamEyeLOpen 0 to 1 (1 at rest), ParamEyeBallX and Y ±1, ParamMouthForm and
ParamBrowLY ±1, ParamMouthOpenY 0 to 1; right and up of the screen are +. VTube Studio publishes ranges of
FaceAngleX, FacePositionX and MouthOpen alone. ARKit's 52 go along as custom parameters, 0 to 1.
"""


def page() -> str:
    """Return the page's text."""
    return "".join(
        [
            _HEAD + "\n",
            _table(["who", "unit", "yaw", "pitch", "roll"], map(_angles_row, ANGLES)),
            _SHAPES + "\n",
            _table(
                ["", "ARKit", "Live Link Face, VTube Studio's phone app", "iFacialMocap", "VTube Studio"],
                map(_shape_row, range(len(ARKIT_NAMES))),
            ),
            _VRM + "\n",
            _table(["VRM 0", "VRM 1", "mixture", "told"], map(_vrm_row, VRM_EXPRESSIONS)),
            _LIVE2D + "\n",
            _table(
                ["parameter", "moves", "unit", "least", "rest", "most", "more is"],
                map(_live2d_row, TRACKING_PARAMETERS),
            ),
        ]
    )


def short_name(name: str) -> str:
    """Return an ARKit name as iFacialMocap has it: `eyeBlink_L`."""
    return name if name in UNPAIRED else name.replace("Left", "_L").replace("Right", "_R")


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _angles_row(told: Angles) -> list[str]:
    return [told.protocol, told.unit, told.yaw, told.pitch, told.roll]


def _shape_row(n: int) -> list[str]:
    name = ARKIT_NAMES[n]
    return [str(n), name, name[0].upper() + name[1:], short_name(name), CUSTOM_PARAMETERS[n]]


def _vrm_row(told: VrmExpression) -> list[str]:
    mixture = ", ".join(f"{share:g} {name}" for name, share in told.shapes.items())
    return [told.vrm0, told.vrm1, mixture, "yes" if told.gain > 0.0 else "always 0"]


def _live2d_row(told: TrackingParameter) -> list[str]:
    moves = f"{told.live2d}, turned" if told.turned else told.live2d or "-"
    numbers = (f"{value:g}" for value in (told.low, told.rest, told.high))
    return [told.name, moves, told.unit, *numbers, told.grows]


def main() -> None:
    """Write the page, or print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--print", action="store_true", dest="prints")
    if parser.parse_args().prints:
        print(page(), end="")
    else:
        PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
