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
# Processor time of rendering the scripted piece, portraits of 512 and 1024 px alike: 0.9, 0.8 and 0.7 of
# that of "best". Pictures differ from it by 0.02, 0.04 and 0.08 of 255 in the mean; of its pixels one in a
# thousand, along lips and lids, by 2, 7 and 17 (512 px). The last step paints five times a second: a mouth
# lags behind its lips, but nothing stops.
LADDER = (
    Step("best", Quality(), "mouth and eyes are painted on every frame"),
    Step("good", Quality(2, 192), "mouth and eyes are painted on every 2nd frame, the face mesh is coarser"),
    Step("fair", Quality(3, 128), "mouth and eyes are painted on every 3rd frame, the face mesh is coarse"),
    Step("low", Quality(6, 64), "mouth and eyes are painted on every 6th frame, the face mesh is coarsest"),
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
