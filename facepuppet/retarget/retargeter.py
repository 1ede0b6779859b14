"""What to measure against, and what to do while there is no face."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from facepuppet.core.geometry import Similarity
from facepuppet.core.types import Motion, Tracking
from facepuppet.drivers.camera.measure import measure
from facepuppet.drivers.camera.profile import DriverNeutral, Seat, neutral_from, seat_from
from facepuppet.face.head_pose import fit_head
from facepuppet.portrait.avatar import Avatar
from facepuppet.retarget.crossfade import Crossfade
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.presence import PresenceMachine
from facepuppet.retarget.target import Target


class Retargeter:
    """Turns trackings of the driver into motions of one portrait.

    Args:
        avatar: the portrait.
        neutral: the driver's resting face; None takes it from the first `settle_frames` seen.
        settle_frames: how many frames with a face define the neutral (if not given) and the seat.
        recentre_s: time constant with which a held lean becomes the new centre; None keeps the first.
    """

    def __init__(
        self,
        avatar: Avatar,
        neutral: DriverNeutral | None = None,
        *,
        seat: Seat | None = None,
        settle_frames: int = 12,
        recentre_s: float | None = None,
    ) -> None:
        self._target = Target(avatar)
        self._given_neutral = neutral
        self._neutral, self._seat = neutral, seat
        self._samples: deque[Tracking] = deque(maxlen=settle_frames)
        self._settle_frames = settle_frames
        self._recentre_s = recentre_s
        self._presence = PresenceMachine()
        self._crossfade = Crossfade()
        self._last_ns: int | None = None
        self._recentring = threading.Event()

    def recentre(self) -> None:
        """Forget neutral (unless it was given) and seat; the next frames define them anew.

        Can be called from any thread and from a signal handler.
        """
        self._recentring.set()

    def update(self, tracking: Tracking) -> Motion:
        """Return where the portrait goes for this tracking; without a face it holds, then eases to rest."""
        if self._recentring.is_set():
            self._recentring.clear()
            self._neutral, self._seat = self._given_neutral, None
            self._samples.clear()
        following = self._settle(tracking) and tracking.face is not None
        presence, share = self._presence.update(following, tracking.captured_ns)
        measured = self._measure(tracking) if following else None
        deltas = self._crossfade.update(measured, share, tracking.captured_ns)
        self._last_ns = tracking.captured_ns
        return self._target.motion(deltas.blended(share), self._neutral, presence, tracking)

    def _settle(self, tracking: Tracking) -> bool:
        """Collect resting frames until neutral and seat are known."""
        if self._neutral is not None and self._seat is not None:
            return True
        if tracking.face is not None:
            self._samples.append(tracking)
        if len(self._samples) < self._settle_frames:
            return False
        if self._neutral is None:
            self._neutral = neutral_from(self._samples)
        self._seat = seat_from(self._samples, self._neutral)
        return True

    def _measure(self, tracking: Tracking) -> Deltas:
        assert tracking.face is not None and self._neutral is not None and self._seat is not None
        image_from_head = fit_head(tracking.face.landmarks_px, self._neutral.landmarks_head)
        self._drift(image_from_head, tracking)
        return measure(tracking, self._neutral, self._seat, image_from_head)

    def _drift(self, image_from_head: Similarity, tracking: Tracking) -> None:
        """Let the seat's place follow slowly, so that a held lean re-centres."""
        if self._recentre_s is None or self._last_ns is None or self._seat is None:
            return
        share = 1.0 - float(np.exp(-(tracking.captured_ns - self._last_ns) * 1e-9 / self._recentre_s))
        rest = self._seat.image_from_head
        moved = Similarity(
            rest.rotation,
            rest.scale * (image_from_head.scale / rest.scale) ** share,
            rest.translation + share * (image_from_head.translation - rest.translation),
        )
        shoulders = self._seat.shoulders_px
        if shoulders is not None and tracking.torso is not None:
            shoulders = shoulders + np.float32(share) * (tracking.torso.shoulders_px - shoulders)
        self._seat = Seat(moved, shoulders)
