"""What a tracker is made of, and who runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Protocol

from facepuppet.core.errors import TrackerError
from facepuppet.core.types import F32, U8
from facepuppet.inference.runtime import Runtime
from facepuppet.vision.boxes import FaceBox
from facepuppet.vision.face_detector import FaceDetector
from facepuppet.vision.face_mesh import FaceMesh
from facepuppet.vision.pose import PoseModel

TRACKERS = ("builtin", "mediapipe")


class LandmarkReader(Protocol):
    """Reads the landmarks of a face whose place is known.

    Attributes:
        presence: log odds that there was a face where it looked last; None where it does not tell.
    """

    presence: float | None

    def find(self, rgb: U8, box: FaceBox) -> F32 | None:
        """Return (478, 3) float32 landmarks in image pixels, or None when no face is in the box."""

    def close(self) -> None:
        """Free the network."""


class FaceFinder(Protocol):
    """Finds all faces."""

    def find(self, rgb: U8) -> list[FaceBox]:
        """Return a box for each face of an (H, W, 3) uint8 RGB picture, in image pixels."""

    def close(self) -> None:
        """Free the networks."""


class ShoulderFinder(Protocol):
    """Finds the shoulders of one person in a stream of pictures."""

    def find(self, rgb: U8) -> tuple[F32, float] | None:
        """Return (2, 2) float32 shoulders in image pixels and how visible they are, or None."""

    def close(self) -> None:
        """Free the networks."""


@dataclass(frozen=True, slots=True)
class TrackingModels:
    """Opens what a tracker needs, each when it is needed and in the thread that needs it."""

    landmarks: Callable[[], LandmarkReader] = FaceMesh
    faces: Callable[[], FaceFinder] = FaceDetector
    shoulders: Callable[[], ShoulderFinder] = PoseModel


def tracking_models(tracker: str = TRACKERS[0], runtime: Runtime | None = None) -> TrackingModels:
    """Return the models of a tracker.

    Args:
        tracker: one of TRACKERS: MediaPipe's networks in our own runner, or MediaPipe's package.
        runtime: runs the former, as long as it can, if its engine was named; else one thread of the CPU does.

    Raises:
        TrackerError: there is no such tracker, or its package is not installed.
    """
    if tracker == "builtin":
        runtime = runtime if runtime is not None and runtime.is_forced else None
        return TrackingModels(
            partial(FaceMesh, runtime), partial(FaceDetector, runtime=runtime), partial(PoseModel, runtime)
        )
    if tracker != "mediapipe":
        raise TrackerError(f"tracker {tracker!r}", f"one of {', '.join(TRACKERS)}", "Correct --tracker.")
    if find_spec("mediapipe") is None:
        raise TrackerError(
            "no package mediapipe, which --tracker mediapipe runs",
            "the extra facepuppet[mediapipe], for Python 3.12 and older",
            "Run: pip install 'facepuppet[mediapipe]', or leave --tracker out.",
        )
    from facepuppet.vision.mediapipe_tracker import MediaPipeFaceDetector, MediaPipeFaceMesh, MediaPipePose

    return TrackingModels(MediaPipeFaceMesh, MediaPipeFaceDetector, MediaPipePose)
