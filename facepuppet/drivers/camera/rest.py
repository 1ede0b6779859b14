"""What a driver's motion is measured against: taken from the first moments, and led after a held lean."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from facepuppet.core.geometry import Similarity
from facepuppet.core.types import Expression
from facepuppet.drivers.camera.measure import measure
from facepuppet.drivers.camera.profile import DriverNeutral, RestPose, neutral_from, rest_pose_from
from facepuppet.drivers.camera.tracking import Tracking
from facepuppet.face.head_pose import fit_head


class Rest:
    """Turns trackings into expressions; until rest is known the driver counts as absent.

    Args:
        neutral: the driver's resting face; None takes it from the first `settle_frames` seen.
        rest_pose: where the driver rests before the camera; None takes it from the same frames.
        settle_frames: how many frames with a face define what was not given.
        recentre_s: time constant with which a held lean becomes the new centre; None keeps the first.
    """

    def __init__(
        self,
        neutral: DriverNeutral | None = None,
        rest_pose: RestPose | None = None,
        *,
        settle_frames: int = 12,
        recentre_s: float | None = None,
    ) -> None:
        self._given_neutral = neutral
        self._neutral, self._rest_pose = neutral, rest_pose
        self._samples: deque[Tracking] = deque(maxlen=settle_frames)
        self._settle_frames = settle_frames
        self._recentre_s = recentre_s
        self._last_ns: int | None = None
        self._recentring = threading.Event()

    def recentre(self) -> None:
        """Forget neutral (unless it was given) and rest pose; the next frames define them anew.

        Can be called from any thread and from a signal handler.
        """
        self._recentring.set()

    def express(self, tracking: Tracking) -> Expression:
        """Return what a tracked driver does, against rest; trackings come in the order of capture."""
        if self._recentring.is_set():
            self._recentring.clear()
            self._neutral, self._rest_pose = self._given_neutral, None
            self._samples.clear()
        known = self._settle(tracking)
        if known is None or tracking.face is None:
            expression = Expression.absent(tracking.frame_id, tracking.captured_ns)
        else:
            neutral, rest_pose = known
            image_from_head = fit_head(tracking.face.landmarks_px, neutral.landmarks_head)
            rest_pose = self._drift(rest_pose, image_from_head, tracking)
            expression = measure(tracking, neutral, rest_pose, image_from_head)
        self._last_ns = tracking.captured_ns
        return expression

    def _settle(self, tracking: Tracking) -> tuple[DriverNeutral, RestPose] | None:
        """Collect resting frames until neutral and rest pose are known."""
        if self._neutral is not None and self._rest_pose is not None:
            return self._neutral, self._rest_pose
        if tracking.face is not None:
            self._samples.append(tracking)
        if len(self._samples) < self._settle_frames:
            return None
        if self._neutral is None:
            self._neutral = neutral_from(self._samples)
        self._rest_pose = rest_pose_from(self._samples, self._neutral)
        return self._neutral, self._rest_pose

    def _drift(self, rest_pose: RestPose, image_from_head: Similarity, tracking: Tracking) -> RestPose:
        """Let the rest pose follow slowly, so that a held lean re-centres; a held turn does not."""
        if self._recentre_s is None or self._last_ns is None:
            return rest_pose
        share = 1.0 - float(np.exp(-(tracking.captured_ns - self._last_ns) * 1e-9 / self._recentre_s))
        rest = rest_pose.image_from_head
        moved = Similarity(
            rest.rotation,
            rest.scale * (image_from_head.scale / rest.scale) ** share,
            rest.translation + share * (image_from_head.translation - rest.translation),
        )
        shoulders = rest_pose.shoulders_px
        if shoulders is not None and tracking.torso is not None:
            shoulders = shoulders + np.float32(share) * (tracking.torso.shoulders_px - shoulders)
        self._rest_pose = RestPose(moved, shoulders)
        return self._rest_pose
