"""From a camera picture to the driver's face and shoulders in it."""

from __future__ import annotations

from types import TracebackType

import numpy as np

from facepuppet.core.types import Frame
from facepuppet.drivers.camera.follow import FaceFollower
from facepuppet.drivers.camera.hidden_watch import HiddenWatch
from facepuppet.drivers.camera.torso import BesideTheLoop, EveryNthFrame, TorsoFinder
from facepuppet.drivers.camera.tracking import Face, Torso, Tracking
from facepuppet.vision.boxes import face_box
from facepuppet.vision.trackers import TrackingModels

SHOULDER_REACH = 2.2  # the shoulders' middle is within this many face sizes of the face's centre


class Tracker:
    """Tracks one driver; measures only, `smooth` smooths.

        with Tracker(live=True) as tracker:
            tracking = tracker.track(frame)

    Args:
        live: find the shoulders on a thread of their own, so that they never delay the face. Off, the
            same frames always give the same trackings.
        torso_every: look for the shoulders on every n-th frame; live there is a pace for that.
        models: opens the networks; the project's own runner of them if None.
    """

    def __init__(
        self, *, live: bool = False, torso_every: int = 1, models: TrackingModels | None = None
    ) -> None:
        models = models or TrackingModels()
        self._follower = FaceFollower(models)
        self._hidden = HiddenWatch()
        self._torso: TorsoFinder = (
            BesideTheLoop(models.shoulders) if live else EveryNthFrame(torso_every, models.shoulders)
        )

    def track(self, frame: Frame) -> Tracking:
        """Track one frame; frames must come in the order of their capture."""
        height, width = frame.rgb.shape[:2]
        torso = self._torso.find(frame)
        landmarks_px = self._follower.follow(frame.rgb, frame.captured_ns)
        face = None if landmarks_px is None else Face.of(landmarks_px)
        if face is not None and torso is not None and not _belongs(torso, face):
            torso = None
        hidden = self._hidden.update(frame.rgb, face, self._follower.presence, frame.captured_ns)
        return Tracking(face, torso, (width, height), frame.frame_id, frame.captured_ns, hidden)

    def close(self) -> None:
        """Free the models and stop the threads."""
        self._torso.close()
        self._follower.close()

    def __enter__(self) -> Tracker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _belongs(torso: Torso, face: Face) -> bool:
    """Whether the shoulders can be this face's, not another person's."""
    box = face_box(face.landmarks_px)
    x, y = torso.shoulders_px.mean(axis=0)
    return bool(np.hypot(x - box.x_px, y - box.y_px) < SHOULDER_REACH * box.size_px)
