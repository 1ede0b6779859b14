"""Goes through the steps: trackings in, prompts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibrate.guide.checks import Check, Hold, Moment, openness
from calibrate.guide.obstacles import find_obstacle
from calibrate.guide.steps import MOVES, REST, Step
from facepuppet.core import F64, NoDriverFaceError, ProfileError
from facepuppet.drivers import (
    DriverNeutral,
    Face,
    RestPose,
    Tracking,
    neutral_from,
    rest_pose_from,
    values_of,
)

GRACE_S = 3.0  # a step whose goal is not reached in its time gets so much more
REST_PATIENCE_S = 20.0  # nothing can be measured without rest
OBSTACLE_PATIENCE_S = 20.0
_LONGEST_FRAME_S = 0.5  # what a stalled camera counts for


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to show now.

    Attributes:
        number: of the step, from 1.
        count: of all steps.
        title: of the step.
        instruction: what the step asks for.
        hint: what to do, or go on doing, right now.
        blocked: whether the hint tells an obstacle, while which the time stands still.
        reached: how much of what is asked was seen, in [0, 1].
        elapsed: how much of the step's time has passed, in [0, 1].
    """

    number: int
    count: int
    title: str
    instruction: str
    hint: str
    blocked: bool
    reached: float
    elapsed: float


class Guide:
    """Leads one person through the steps.

        while not guide.finished:
            show(guide.see(tracking, luma))

    Args:
        description: what is looked at, for error texts.

    Attributes:
        missed: titles of the steps whose goal was not reached.
    """

    def __init__(self, description: str) -> None:
        self.missed: list[str] = []
        self._description = description
        self._steps: tuple[Step, ...] = (REST, *MOVES)
        self._hold = Hold(0.0)
        self._index, self._step_s, self._blocked_s = -1, 0.0, 0.0
        self._rest: tuple[DriverNeutral, RestPose, F64] | None = None
        self._last_ns: int | None = None
        self._next_step()

    @property
    def finished(self) -> bool:
        """Whether all steps are over."""
        return self._index == len(self._steps)

    @property
    def seconds(self) -> float:
        """How long all steps take together, if every goal is reached in time."""
        return sum(step.seconds for step in self._steps)

    def see(self, tracking: Tracking, luma: float) -> Prompt:
        """Take in the next frame and say what to show.

        Args:
            tracking: smoothed; frames come in the order of their capture.
            luma: see `obstacles.face_luma`.

        Raises:
            NoDriverFaceError: something was in the way for too long.
            ProfileError: the person was not at rest for too long.
        """
        elapsed_s = 0.0 if self._last_ns is None else (tracking.captured_ns - self._last_ns) * 1e-9
        elapsed_s, self._last_ns = min(elapsed_s, _LONGEST_FRAME_S), tracking.captured_ns
        obstacle = find_obstacle(tracking, luma)
        if obstacle is not None:
            self._wait(obstacle, elapsed_s)
            return self._prompt(obstacle, blocked=True)
        assert tracking.face is not None
        self._blocked_s = 0.0
        self._step_s += elapsed_s
        self._check.see(self._moment(tracking.face, elapsed_s))
        prompt = self._prompt(self._check.hint, blocked=False)
        self._move_on()
        return prompt

    def _moment(self, face: Face, elapsed_s: float) -> Moment:
        if self._rest is None:
            return Moment(face, elapsed_s)
        neutral, rest_pose, rest = self._rest
        values = values_of(face, neutral, rest_pose)
        return Moment(face, elapsed_s, values - rest, openness(values, rest))

    def _wait(self, obstacle: str, elapsed_s: float) -> None:
        self._blocked_s += elapsed_s
        if self._blocked_s > OBSTACLE_PATIENCE_S:
            raise NoDriverFaceError(
                f"{self._description}, for {OBSTACLE_PATIENCE_S:.0f} s {obstacle}",
                "one person's face, well lit and near",
                "Mend that and start again.",
            )

    def _move_on(self) -> None:
        step, fulfilled = self._steps[self._index], self._check.share >= 1.0
        if self._rest is None:
            if fulfilled and self._step_s >= step.seconds:
                self._know_rest()
                self._next_step()
            elif not fulfilled and self._step_s > REST_PATIENCE_S:
                raise ProfileError(
                    f"{self._description}, in which nobody is at rest ({self._check.hint})",
                    "a face that looks straight into the camera for two seconds, mouth shut, eyes open",
                    "Start again.",
                )
        elif self._step_s >= step.seconds + (0.0 if fulfilled else GRACE_S):
            if not fulfilled:
                self.missed.append(step.title)
            self._next_step()

    def _next_step(self) -> None:
        self._index, self._step_s = self._index + 1, 0.0
        if not self.finished:
            self._check: Check = self._steps[self._index].make_check()
            if isinstance(self._check, Hold):
                self._hold = self._check

    def _know_rest(self) -> None:
        samples = _as_trackings(self._hold.at_rest)
        neutral = neutral_from(samples)
        rest_pose = rest_pose_from(samples, neutral)
        values = [values_of(face, neutral, rest_pose) for face in self._hold.at_rest]
        self._rest = neutral, rest_pose, np.median(values, axis=0)

    def _prompt(self, hint: str, *, blocked: bool) -> Prompt:
        step = self._steps[self._index]
        elapsed = min(self._step_s / step.seconds, 1.0)
        count = len(self._steps)
        return Prompt(
            self._index + 1, count, step.title, step.instruction, hint, blocked, self._check.share, elapsed
        )


def _as_trackings(faces: Sequence[Face]) -> list[Tracking]:
    return [Tracking(face, None, (0, 0), 0, 0) for face in faces]
