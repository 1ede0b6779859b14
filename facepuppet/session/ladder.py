"""The qualities a live run may choose from, the best first: what is given up first is missed least."""

from __future__ import annotations

from dataclasses import dataclass

from facepuppet.core.errors import ControlError
from facepuppet.core.types import Quality

AUTO = "auto"  # the run chooses for itself


@dataclass(frozen=True, slots=True)
class Step:
    """One quality.

    Attributes:
        name: what people call it.
        quality: what makers are told.
        meaning: what it is, in words for a person.
    """

    name: str
    quality: Quality
    meaning: str


# Painters cost most of a picture, and what they painted moves along for a few frames unseen. A coarser mesh
# costs sharpness of the mouth's outline and saves less: it goes with the third of their frames. The last
# step paints five times a second: a mouth lags behind its lips, but nothing stops.
LADDER = (
    Step("best", Quality(), "mouth and eyes are painted on every frame"),
    Step("good", Quality(2), "mouth and eyes are painted on every 2nd frame"),
    Step("fair", Quality(3, 128), "mouth and eyes on every 3rd frame, a coarser face mesh"),
    Step("low", Quality(6, 96), "mouth and eyes on every 6th frame, the coarsest face mesh"),
)
BY_NAME = {step.name: index for index, step in enumerate(LADDER)}


def check_quality(word: str) -> str:
    """Let "auto" and the names of steps pass.

    Raises:
        ControlError: anything else.
    """
    if word != AUTO and word not in BY_NAME:
        raise ControlError(
            f"quality {word[:60]!r}", f"{AUTO} or one of {', '.join(BY_NAME)}", "Correct the quality."
        )
    return word
