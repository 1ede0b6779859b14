"""What the camera driver's own stages tell each other: Frame → Tracking → Expression."""

from __future__ import annotations

from dataclasses import dataclass

from facepuppet.core.geometry import Similarity
from facepuppet.core.types import F32, NO_PARTS, Parts
from facepuppet.face.head_pose import fit_head


@dataclass(frozen=True, slots=True)
class Face:
    """The chosen driver face in one frame.

    Attributes:
        landmarks_px: (478, 3) float32 in the image frame; z in pixels too, negative towards the viewer.
        image_from_head: its pose, fitted with the mean face as template (`face.head_pose`).
    """

    landmarks_px: F32
    image_from_head: Similarity

    @classmethod
    def of(cls, landmarks_px: F32) -> Face:
        """Return the face of these landmarks."""
        return cls(landmarks_px, fit_head(landmarks_px))


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
    """What the tracker saw in one frame; face or torso is None when it was not seen.

    Attributes:
        hidden: parts of the face that something is before (`hidden_watch`).
    """

    face: Face | None
    torso: Torso | None
    image_size_px: tuple[int, int]  # width, height
    frame_id: int
    captured_ns: int
    hidden: Parts = NO_PARTS
