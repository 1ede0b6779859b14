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


# Painters and mesh together, for either alone saves little: "best" does not repaint what hardly moves either.
# Processor time of rendering the scripted piece and a lively clip (512 px): 0.83 and 0.79 of that of "best",
# 0.71 and 0.67, 0.41 and 0.37. Pictures differ from it by 0.03, 0.04 and 0.15 of 255 in the mean (the clip:
# 0.07, 0.10, 0.38); of their values one in a thousand, along lips and lids, by 5, 7 and 22 (9, 14, 50).
LADDER = (
    Step("best", Quality(), "mouth and eyes are painted on every frame"),
    Step("good", Quality(2, 192), "mouth and eyes are painted on every 2nd frame, the face mesh is coarser"),
    Step("fair", Quality(3, 128), "mouth and eyes are painted on every 3rd frame, the face mesh is coarse"),
    Step(
        "low",
        Quality(0, 64, flesh=False),
        "mouth and eyes are drawn, not painted, shade stays, and the face mesh is coarsest",
    ),
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
