"""What a step waits for: a rest that is held, a reach in each direction, a number of blinks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from facepuppet.core import F32, F64, euler_from_rotation, head_from_image
from facepuppet.drivers import CHANNELS, COLUMN, DEGREES, LIDS, Face
from facepuppet.face import eye_openings, fit_head, mouth_gap

# What still counts as rest. Cameras stand a little off: what matters is that both sides can be seen.
MAX_YAW, MAX_PITCH, MAX_ROLL = 14.0, 20.0, 14.0  # degrees
MAX_MOUTH_GAP = 0.10  # inter-ocular distances; some people's lips part at rest
MIN_OPENING = 0.17  # aperture over width
MAX_SPEED = 20.0  # degrees a second

SHUT, OPEN = 0.5, 0.75  # shares of the relaxed aperture between which a blink goes


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame with a face.

    Attributes:
        face: smoothed.
        elapsed_s: since the moment before.
        change: (C,) channel values less those at rest; None until rest is known.
        openness: mean aperture of both eyes over that at rest; None until rest is known.
    """

    face: Face
    elapsed_s: float
    change: F64 | None = None
    openness: float | None = None


class Check(Protocol):
    """Follows a person through one step."""

    @property
    def share(self) -> float:
        """How much of what is asked was seen, in [0, 1]; at 1 the step is fulfilled."""

    @property
    def hint(self) -> str:
        """What to do now, in words."""

    def see(self, moment: Moment) -> None:
        """Take in the next frame."""


class Hold:
    """Rest, held still for some time.

    Args:
        seconds: how long; blinks interrupt the counting, anything else starts it again.

    Attributes:
        at_rest: the faces that counted.
    """

    def __init__(self, seconds: float) -> None:
        self.at_rest: list[Face] = []
        self._seconds, self._held_s = seconds, 0.0
        self._said = "look straight into the camera"
        self._pose: F64 | None = None

    @property
    def share(self) -> float:
        """How much of the time has passed at rest."""
        return min(self._held_s / self._seconds, 1.0)

    @property
    def hint(self) -> str:
        """What is not at rest yet."""
        return self._said

    def see(self, moment: Moment) -> None:
        """Count the frame, or say why not."""
        problem = self._unrest(moment)
        if problem is not None:
            self._said = problem
            if self.share < 1.0:
                self._held_s, self.at_rest = 0.0, []
            return
        if eye_openings(_head(moment.face)).min() < MIN_OPENING:
            self._said = "open your eyes"
            return
        self._said = f"hold still: {self._held_s:.1f} s of {self._seconds:.1f} s"
        self._held_s += moment.elapsed_s
        self.at_rest.append(moment.face)

    def _unrest(self, moment: Moment) -> str | None:
        pose = np.degrees(euler_from_rotation(fit_head(moment.face.landmarks_px).rotation))
        before, self._pose = self._pose, pose
        yaw, pitch, roll = pose.tolist()
        if abs(yaw) > MAX_YAW:
            side = "left" if yaw < 0 else "right"
            return f"turn a little to your {side}: {abs(yaw):.0f}° off, at most {MAX_YAW:.0f}°"
        if abs(pitch) > MAX_PITCH:
            way = "raise" if pitch > 0 else "lower"
            return f"{way} your chin: {abs(pitch):.0f}° off, at most {MAX_PITCH:.0f}°"
        if abs(roll) > MAX_ROLL:
            return f"hold your head upright: {abs(roll):.0f}° off, at most {MAX_ROLL:.0f}°"
        if mouth_gap(_head(moment.face)) > MAX_MOUTH_GAP:
            return "close your mouth"
        fastest = MAX_SPEED * max(moment.elapsed_s, 1e-3)
        if before is not None and np.abs(pose - before).max() > fastest:
            return "hold still"
        return None


@dataclass(frozen=True, slots=True)
class Goal:
    """How far to go in one direction of one channel.

    Attributes:
        channel: by its name.
        change: from rest, signed, in the channel's unit.
        words: what to do, to follow "please".
    """

    channel: str
    change: float
    words: str


class Reach:
    """Every goal reached at some moment, in any order.

    Args:
        goals: one or more.
    """

    def __init__(self, *goals: Goal) -> None:
        self._goals = goals
        self._best = [0.0] * len(goals)  # shares; more than 1 is farther than was asked

    @property
    def share(self) -> float:
        """Mean of the goals' shares."""
        return float(np.mean([min(best, 1.0) for best in self._best]))

    @property
    def hint(self) -> str:
        """The first goal that is not reached, and how far it was reached so far."""
        for goal, best in zip(self._goals, self._best, strict=True):
            if best < 1.0:
                return f"{goal.words}{' a little farther' if best > 0.4 else ''}: {_progress(goal, best)}"
        return "good; go on, as far as is comfortable"

    def see(self, moment: Moment) -> None:
        """Note how far each goal was reached."""
        if moment.change is None:
            return
        for i, goal in enumerate(self._goals):
            self._best[i] = max(self._best[i], float(moment.change[COLUMN[goal.channel]] / goal.change))


class Blinks:
    """A number of full blinks.

    Args:
        wanted: how many.
    """

    def __init__(self, wanted: int) -> None:
        self._wanted, self._seen, self._shut = wanted, 0, False

    @property
    def share(self) -> float:
        """Blinks seen of those wanted."""
        return min(self._seen / self._wanted, 1.0)

    @property
    def hint(self) -> str:
        """How many were seen."""
        if self._seen >= self._wanted:
            return f"good; {self._seen} blinks seen"
        return f"blink: seen {self._seen} of {self._wanted}"

    def see(self, moment: Moment) -> None:
        """Count a blink when the eyes open again."""
        if moment.openness is None:
            return
        if self._shut and moment.openness > OPEN:
            self._seen, self._shut = self._seen + 1, False
        elif moment.openness < SHUT:
            self._shut = True


def openness(values: F64, rest: F64) -> float:
    """Mean aperture of both eyes relative to rest, of (C,) channel values."""
    lids = [COLUMN[name] for name in LIDS]
    return float(np.mean(values[lids] / np.maximum(rest[lids], 1e-6)))


def _progress(goal: Goal, best: float) -> str:
    if CHANNELS[goal.channel].unit == DEGREES:
        return f"{best * abs(goal.change):.0f}° of {abs(goal.change):.0f}°"
    return f"{100 * best:.0f} % of what is needed"


def _head(face: Face) -> F32:
    return head_from_image(face.landmarks_px, fit_head(face.landmarks_px)).astype(np.float32)
