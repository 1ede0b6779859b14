"""The messages that travel from stage to stage, in the order of travel.

    Frame → Expression → Motion → Rendered → Composed → Marked

A Composed may be a ComposedI420. A Frame never leaves the driver that took it; a Marked is made by markers
alone (`facepuppet.watermark`).

All are frozen; arrays inside them are never written to after construction, but for a ComposedI420's
by the marker. Every message carries the id and the capture time of the camera frame it came from, so that
drops and latency can be measured at any point.

Coordinate frames
-----------------
image       pixels of the driver's camera picture, x right, y down, origin at the top-left corner
portrait    pixels of the avatar's working picture, the same axes
canvas      pixels of the outgoing picture, the same axes
head        metric-free, units of inter-ocular distance (outer eye corners), origin between the
            outer eye corners' midpoint; x to the image right of a frontal face, y down, z away
            from the viewer (so the nose tip has negative z), as MediaPipe's landmarks
Rotations are right-handed matrices acting on column vectors in these axes.
Yaw is positive when the face turns to the image's right, pitch is positive when it
looks down, roll is positive clockwise as seen on the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

U8: TypeAlias = npt.NDArray[np.uint8]
F32: TypeAlias = npt.NDArray[np.float32]
F64: TypeAlias = npt.NDArray[np.float64]
Floats: TypeAlias = npt.NDArray[np.floating[Any]]

N_LANDMARKS = 478  # 468 face mesh points and 2 x 5 iris points
N_BLENDSHAPES = 52  # Apple ARKit's set, in ARKit's order


@dataclass(frozen=True, slots=True)
class Frame:
    """One captured picture.

    Attributes:
        rgb: (H, W, 3) uint8, RGB.
        frame_id: counts captured frames from 0; gaps are frames the source itself lost.
        captured_ns: monotonic time of capture.
        pts_s: presentation time within the source in seconds (files), else None.
    """

    rgb: U8
    frame_id: int
    captured_ns: int
    pts_s: float | None = None


@dataclass(frozen=True, slots=True)
class LandmarkOffsets:
    """A facial expression, as a tracker of landmarks sees it.

    Attributes:
        offsets: (478, 3) float32 from the face at rest, in the head frame.
        mouth_width: of that face at rest, corner to corner, in the head frame: what the lips' offsets
            are scaled by.
    """

    offsets: F32
    mouth_width: float


@dataclass(frozen=True, slots=True)
class Blendshapes:
    """A facial expression, as weights of Apple ARKit's shapes.

    Attributes:
        weights: (52,) float32 in ARKit's order, each in [0, 1]; what `FacePose` tells of head, gaze and
            lids counts, not the eyeLook* and eyeBlink* among them.
    """

    weights: F32


Deformation: TypeAlias = LandmarkOffsets | Blendshapes  # `face.deformation` turns each into the other


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Where a driver's head is, against rest.

    Attributes:
        turn: (3,) float32 rotation vector in the image's axes.
        shift: to the image right and down, in inter-ocular distances.
        log_scale: logarithm of the size against rest; positive is nearer.
    """

    turn: F32
    shift: tuple[float, float] = (0.0, 0.0)
    log_scale: float = 0.0


@dataclass(frozen=True, slots=True)
class TorsoPose:
    """Where a driver's shoulders are, against rest.

    Attributes:
        lean: to the image right and down, in inter-ocular distances.
        roll_rad: clockwise on the picture.
        log_scale: logarithm of the size against rest.
    """

    lean: tuple[float, float]
    roll_rad: float = 0.0
    log_scale: float = 0.0


@dataclass(frozen=True, slots=True)
class FacePose:
    """All that a driver's head and face do, against rest.

    Attributes:
        head: where it is.
        gaze: (2, 2) shift of each iris to the image right and down, in eye widths, image-left eye first;
            `face.gaze.eye_widths_from_angles` makes it of angles.
        eye_opening: (2,) float32 lid aperture, 0 shut and 1 as at rest, image-left eye first.
        deformation: the expression.
    """

    head: HeadPose
    gaze: Floats
    eye_opening: F32
    deformation: Deformation


class Part(Enum):
    """A part of a face that something may hide; sides are the picture's, as everywhere."""

    MOUTH = "mouth"
    LEFT_EYE = "left eye"
    RIGHT_EYE = "right eye"
    BROWS = "brows"
    LOWER_FACE = "lower face"  # jaw and chin, around the mouth


Parts: TypeAlias = frozenset[Part]
NO_PARTS: Parts = frozenset()


@dataclass(frozen=True, slots=True)
class Expression:
    """What a driver does at one moment, whoever the driver is.

    Attributes:
        face: None while nobody is seen: the puppet holds, then eases to rest.
        torso: None where shoulders are not seen: the torso then follows the head a little.
        frame_id: counts what the driver took in; gaps are what it left out.
        captured_ns: when that was, monotonic; of recordings the presentation time.
        hidden: parts of the face that something is before; what is told of them is a guess, and the puppet
            holds them, then eases them to rest.
        whose: which of several drivers this is; where it changes, the puppet is led over.
    """

    face: FacePose | None
    torso: TorsoPose | None
    frame_id: int
    captured_ns: int
    hidden: Parts = NO_PARTS
    whose: int = 0

    @classmethod
    def absent(cls, frame_id: int, captured_ns: int) -> Expression:
        """Return the expression of nobody."""
        return cls(None, None, frame_id, captured_ns)


class Presence(Enum):
    """How the puppet stands to its driver."""

    PRESENT = "present"  # follows the driver
    HELD = "held"  # face just lost: the last pose is held
    EASING = "easing"  # returning to the portrait's neutral
    AWAY = "away"  # idle at neutral until a face is seen again


@dataclass(frozen=True, slots=True)
class TorsoMotion:
    """Similarity that carries the portrait's torso, about the midpoint of its shoulders.

    Attributes:
        shift_px: (2,) float32 in the portrait frame.
        roll_rad: clockwise on the picture.
        scale: 1 is the portrait's own size.
    """

    shift_px: F32
    roll_rad: float
    scale: float


@dataclass(frozen=True, slots=True)
class HeadMotion:
    """Rigid motion of the portrait's head: p ↦ scale · R · (p − pivot) + pivot + shift.

    Attributes:
        rotation: (3, 3) float32, the portrait's head from its own neutral.
        shift_px: (2,) float32 in the portrait frame.
        scale: 1 is the portrait's own size.
    """

    rotation: F32
    shift_px: F32
    scale: float


@dataclass(frozen=True, slots=True)
class Motion:
    """Where everything of the portrait goes in one frame, in the portrait frame.

    Attributes:
        landmarks_px: (478, 3) float32, the portrait's landmarks after the motion (irises included).
        head: the rigid part of that motion, for what has no landmarks (hair, ears).
        torso: motion of the shoulders.
        eye_opening: (2,) float32, aperture relative to the portrait's own; 0 is shut, image-left first.
        mouth_opening: inner-lip gap over inter-ocular distance.
        weights: (52,) float32, ARKit's weights of the expression, as far as the puppet takes it over; None
            where the driver knows landmarks alone, which hardly show a puffed cheek.
    """

    landmarks_px: F32
    head: HeadMotion
    torso: TorsoMotion
    eye_opening: F32
    mouth_opening: float
    frame_id: int
    captured_ns: int
    weights: F32 | None = None


class Pixels(Enum):
    """What the values of outgoing pictures mean."""

    RGB = "rgb"  # (H, W, 3)
    I420 = "i420"  # (H * 3 / 2, W): BT.601 limited range, planes Y, U, V; sides are even


@dataclass(frozen=True, slots=True)
class Quality:
    """How much work a picture may be; what is left out is hardly seen, and what stays keeps its place.

    Attributes:
        painters_every: networks paint anew on every n-th frame; in between, what they painted moves along.
            0 is never: what is drawn without them stays.
        flow_cells: longest side of the grid that the face mesh is rasterised in.
        flesh: whether an expression moves light and shade along.
    """

    painters_every: int = 1
    flow_cells: int = 256
    flesh: bool = True


@dataclass(frozen=True, slots=True)
class Rendered:
    """The puppet without a background, in the portrait frame.

    Attributes:
        rgba: (H, W, 4) uint8; colour is premultiplied by alpha.
    """

    rgba: U8
    frame_id: int
    captured_ns: int


@dataclass(frozen=True, slots=True)
class Matte:
    """What of a composed picture is its background; goes beside the picture where somebody asks for it.

    Attributes:
        alpha: (H, W) uint8; 255 where nothing of the background is seen, 0 where nothing hides it.
        behind: the background by itself, in the pixels of the picture it goes with; read-only.
    """

    alpha: U8
    behind: U8


@dataclass(frozen=True, slots=True)
class Composed:
    """A full canvas, not yet marked; no sink accepts it.

    Attributes:
        rgb: (H, W, 3) uint8.
        matte: None where nobody asked.
    """

    rgb: U8
    frame_id: int
    captured_ns: int
    matte: Matte | None = None


@dataclass(frozen=True, slots=True)
class ComposedI420:
    """The same in the pixel format of cameras; the marker takes its memory over for the Marked it makes.

    Attributes:
        i420: (H * 3 / 2, W) uint8: BT.601 limited range, planes Y, U, V.
        matte: None where nobody asked.
    """

    i420: U8
    frame_id: int
    captured_ns: int
    matte: Matte | None = None
