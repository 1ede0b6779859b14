"""The messages that travel from stage to stage, in the order of travel.

    Frame → Tracking → Motion → Rendered → Composed → Marked

All are frozen; arrays inside them are never written to after construction. Every message
carries the id and the capture time of the camera frame it came from, so that drops and
latency can be measured at any point.

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
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

U8: TypeAlias = npt.NDArray[np.uint8]
F32: TypeAlias = npt.NDArray[np.float32]

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
class Face:
    """The chosen driver face in one frame.

    Attributes:
        landmarks_px: (478, 3) float32 in the image frame; z in pixels too, negative towards the viewer.
        camera_from_head: (3, 3) float32 rotation of the head.
        gaze_rad: (2,) float32 yaw and pitch of the eyes relative to the head, mean of both eyes.
        eye_opening: (2,) float32 lid aperture over eye width, image-left eye first.
        blendshapes: (52,) float32 in ARKit order, each in [0, 1].
    """

    landmarks_px: F32
    camera_from_head: F32
    gaze_rad: F32
    eye_opening: F32
    blendshapes: F32


@dataclass(frozen=True, slots=True)
class Torso:
    """The driver's shoulders in one frame.

    Attributes:
        shoulders_px: (2, 2) float32 in the image frame, image-left shoulder first.
        confidence: visibility of the less visible one, in [0, 1].
    """

    shoulders_px: F32
    confidence: float


@dataclass(frozen=True, slots=True)
class Tracking:
    """What the tracker saw in one frame; face or torso is None when it was not seen."""

    face: Face | None
    torso: Torso | None
    image_size_px: tuple[int, int]  # width, height
    frame_id: int
    captured_ns: int


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
        presence: whether the driver is there.
    """

    landmarks_px: F32
    head: HeadMotion
    torso: TorsoMotion
    eye_opening: F32
    mouth_opening: float
    presence: Presence
    frame_id: int
    captured_ns: int


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
class Composed:
    """A full canvas, not yet marked; no sink accepts it.

    Attributes:
        rgb: (H, W, 3) uint8.
    """

    rgb: U8
    frame_id: int
    captured_ns: int
