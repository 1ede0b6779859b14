"""What a driver's motion is measured against: taken from the first moments, and led after a held lean."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence

from facepuppet.core.types import Expression
from facepuppet.drivers.camera.acquaintance import UsualSeat, is_elsewhere
from facepuppet.drivers.camera.measure import Measure
from facepuppet.drivers.camera.profile import DriverNeutral, RestPose, neutral_from, rest_pose_from
from facepuppet.drivers.camera.settle import calmest_rest, first_rest, unrest_told
from facepuppet.drivers.camera.tracking import Tracking

SETTLE_FRAMES = 12  # 0.4 s of 30 a second: longer than a blink
_MOST_FPS = 120.0  # what some files and cameras say of their rate is no rate
_MORE_ROUNDS = 2  # of settle_frames, that are waited for while no frame so far shows rest

log = logging.getLogger(__name__)


def settle_frames_at(fps: float | None) -> int:
    """Return how many frames of a source define rest: a blink must not fill them at a higher rate either."""
    if fps is None:
        return SETTLE_FRAMES
    return max(SETTLE_FRAMES, round(SETTLE_FRAMES * min(fps, _MOST_FPS) / 30.0))


class Rest:
    """Turns trackings into expressions; until rest is known the driver counts as absent.

    One frame alone is no rest: the tracker is unsteady in its first ones, and people blink and speak.
    Of several, those at rest are found (`settle`). Where there are none, as many again are looked at,
    twice; then the calmest are taken and a warning tells so.

    Args:
        neutral: the driver's resting face; None takes it from the first `settle_frames` seen.
        rest_pose: where the driver rests before the camera; None takes it from the same frames.
        settle_frames: how many frames with a face define what was not given; 1 is that frame, whatever
            it shows.
        recentre_s: time constant with which a held lean becomes the new centre; None keeps the first.
        seat: where the driver usually rests, of whom `neutral` is: taken for rest at once, unless the first
            face is plainly elsewhere. Who re-centres is not to be held by what is remembered.
    """

    def __init__(
        self,
        neutral: DriverNeutral | None = None,
        rest_pose: RestPose | None = None,
        *,
        settle_frames: int = SETTLE_FRAMES,
        recentre_s: float | None = None,
        seat: UsualSeat | None = None,
    ) -> None:
        self._given_neutral = neutral if seat is None else None  # what is only remembered, gives way
        self._neutral, self._seat = neutral, seat
        self._measure = None if neutral is None or rest_pose is None else Measure(neutral, rest_pose)
        self._samples: list[Tracking] = []
        self._settle_frames = settle_frames
        self._most_frames = settle_frames + _MORE_ROUNDS * (settle_frames - 1)
        self._recentre_s = recentre_s
        self._last_ns: int | None = None
        self._recentring = threading.Event()

    def recentre(self) -> None:
        """Forget neutral (unless it was given) and rest pose; the next frames define them anew.

        Can be called from any thread and from a signal handler.
        """
        self._recentring.set()

    @property
    def known(self) -> bool:
        """Whether the next frame with a face can be measured."""
        return self._measure is not None and not self._recentring.is_set()

    def look(self, tracking: Tracking) -> None:
        """Look at a frame ahead of its turn, so that the first ones, too, are measured against rest.

        A face with something before it tells nothing of that.
        """
        self._forget_if_asked()
        if tracking.face is not None and not tracking.hidden:
            self._sit_as_usual(tracking)
        if not self.known and tracking.face is not None and not tracking.hidden:
            self._samples.append(tracking)
            self._settle_when_enough()

    def settle(self) -> None:
        """Take what was seen so far for rest, for nothing more comes; without a face nothing changes."""
        if not self.known and self._samples:
            self._take(first_rest(self._samples))

    def express(self, tracking: Tracking) -> Expression:
        """Return what a tracked driver does, against rest; trackings come in the order of capture."""
        self.look(tracking)
        measure = self._measure
        if measure is None or tracking.face is None:
            expression = Expression.absent(tracking.frame_id, tracking.captured_ns)
        else:
            image_from_head = measure.pose(tracking.face)
            if self._recentre_s is not None and self._last_ns is not None:
                passed_s = (tracking.captured_ns - self._last_ns) * 1e-9
                measure.lead(image_from_head, tracking.torso, 1.0 - math.exp(-passed_s / self._recentre_s))
            expression = measure.expression(tracking, image_from_head)
        self._last_ns = tracking.captured_ns
        return expression

    @classmethod
    def at_the_calmest(cls, trackings: Sequence[Tracking]) -> Rest:
        """Return the rest of a driver all of whose frames are known.

        Raises:
            ValueError: no frame shows a face.
        """
        rest = cls()
        rest._take(calmest_rest(trackings))
        return rest

    def _forget_if_asked(self) -> None:
        if self._recentring.is_set():
            self._recentring.clear()
            self._seat = None
            self._neutral, self._measure = self._given_neutral, None
            self._samples.clear()

    def _sit_as_usual(self, tracking: Tracking) -> None:
        """Take the usual seat for rest, once, if the first face is near it."""
        seat, self._seat = self._seat, None
        if seat is None or self._neutral is None or self._measure is not None or tracking.face is None:
            return
        pose = seat.pose(tracking.image_size_px)
        measure = None if pose is None else Measure(self._neutral, pose)
        if pose is None or measure is None or is_elsewhere(pose, measure.pose(tracking.face)):
            log.info("You do not sit where you usually do: your first moments are taken for rest.")
        else:
            self._measure = measure

    def _settle_when_enough(self) -> None:
        """Settle after each round of frames that holds rest, and after the last in any case."""
        n = len(self._samples)
        if n < self._most_frames and n % self._settle_frames:
            return
        resting = first_rest(self._samples)
        if n >= self._most_frames or unrest_told(resting) is None:
            self._take(resting)

    def _take(self, resting: Sequence[Tracking]) -> None:
        problem = unrest_told(resting)
        if problem is not None:
            log.warning(
                "no frame looked at shows the driver at rest (%s); the calmest is taken, and the puppet "
                "may look askew: face the camera, mouth shut, and re-centre, or use a driver profile",
                problem,
            )
        if self._neutral is None:
            self._neutral = neutral_from(resting)
        self._measure = Measure(self._neutral, rest_pose_from(resting, self._neutral))
        self._samples.clear()
