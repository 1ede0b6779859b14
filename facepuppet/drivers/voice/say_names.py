"""Which words ask for text to be read out: known without loading what does it."""

from __future__ import annotations

SAY = "say"


def is_say(word: str) -> bool:
    """Whether a word is `say`, or `say:` and where lines come from."""
    return word == SAY or word.startswith(f"{SAY}:")
