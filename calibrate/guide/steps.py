"""The steps, thirty seconds in all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from calibrate.guide.checks import Blinks, Check, Goal, Hold, Reach

HOLD_S = 2.0


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is asked of the person.

    Attributes:
        title: one or two words.
        instruction: what to do.
        seconds: how long the step takes.
        make_check: makes what follows it.
    """

    title: str
    instruction: str
    seconds: float
    make_check: Callable[[], Check]


REST = Step("Rest", "Look straight into the camera, mouth shut, face relaxed.", 4.0, lambda: Hold(HOLD_S))

# Far enough to be no tremble, near enough for everybody; who goes farther is measured farther.
MOVES = (
    Step(
        "Turn",
        "Turn your head slowly to your left, then to your right.",
        5.0,
        lambda: Reach(
            Goal("yaw", 15.0, "turn to your left"),
            Goal("yaw", -15.0, "turn to your right"),
        ),
    ),
    Step(
        "Nod",
        "Nod: chin down, then up.",
        4.0,
        lambda: Reach(Goal("pitch", 8.0, "chin down"), Goal("pitch", -6.0, "chin up")),
    ),
    Step(
        "Open",
        "Open your mouth wide, then shut it.",
        3.0,
        lambda: Reach(Goal("mouth_opening", 0.15, "open your mouth")),
    ),
    Step("Smile", "Smile as broadly as you can.", 3.0, lambda: Reach(Goal("mouth_width", 0.04, "smile"))),
    Step("Blink", "Blink three times.", 3.0, lambda: Blinks(3)),
    Step(
        "Look around",
        "Hold your head still and look left, right, up and down.",
        5.0,
        lambda: Reach(
            Goal("gaze_x", 0.06, "look to your left"),
            Goal("gaze_x", -0.06, "look to your right"),
            Goal("gaze_y", -0.02, "look up"),
            Goal("gaze_y", 0.03, "look down"),
        ),
    ),
    Step(
        "Lean",
        "Lean to one side, then to the other.",
        3.0,
        lambda: Reach(
            Goal("lean_x", 0.2, "lean to your left"),
            Goal("lean_x", -0.2, "lean to your right"),
        ),
    ),
)
