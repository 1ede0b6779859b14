"""What a peer may say on its data channel, and what it is told: JSON, one object a message."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from facepuppet.core.errors import ControlError, ServerError
from facepuppet.server.messages import Over
from facepuppet.session.commands import Command
from facepuppet.session.verbs import NO_STYLE, verb_named

MOST_BYTES = 16_384
MOST_TEXT = 4_000  # letters that are read out at once
# Of `session.verbs`: those that touch nothing but the peer's own puppet. Words that may name a file of this
# machine have their own lists; the label is not among them, for it says that the picture is made.
_VERBS = {
    *("panic", "away", "freeze", "recentre", "mute", "gain", "still", "head-speed", "smoothing"),
    *("background", "liveliness", "voice-intensity", "voice-region", "emotion"),
    *("play", "stop-playing", "style", "direction", "mirror", "reset"),
}
_BACKGROUND = re.compile(r"portrait|blur|#[0-9a-fA-F]{6}")
_NAME = re.compile(r"[a-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class Say:
    """Read this out."""

    text: str


@dataclass(frozen=True, slots=True)
class Alive:
    """The page is still there."""


Spoken = Command | Say | Alive


def read_message(text: str | bytes) -> Spoken:
    """Return what a peer said.

    Raises:
        ServerError: it is no message of ours.
        ControlError: it asks for what no peer may have, or with a value that does not fit.
    """
    if len(text) > MOST_BYTES:
        raise _no_message(f"a message of {len(text):,} letters", f"at most {MOST_BYTES:,}")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_message("a message that is no JSON", "one JSON object") from error
    match said:
        case {"alive": _}:
            return Alive()
        case {"say": str(words)} if len(words) <= MOST_TEXT:
            return Say(words)
        case {"say": _}:
            raise _no_message(
                "something to say that is no text, or too long", f"{MOST_TEXT:,} letters at most"
            )
        case {"do": str(verb)}:
            values = said.get("values", {})
            if isinstance(values, dict):
                return _command(verb, values)
    raise _no_message("a message of another kind", 'one of "do", "say" or "alive"')


def over_message(over: Over) -> str:
    """Return how a peer is told that it is over."""
    return _json({"over": {"why": over.why.value, "sentence": over.sentence, "again": over.again}})


def note_message(sentence: str) -> str:
    """Return how a peer is told a line."""
    return _json({"note": sentence})


def ask_message(size_px: tuple[int, int], fps: float) -> str:
    """Return how a peer is asked to let its camera send less, or more again."""
    return _json({"ask": {"width": size_px[0], "height": size_px[1], "fps": round(fps)}})


def status_message(status: Mapping[str, Any]) -> str:
    """Return how a peer is told how its session stands."""
    return _json({"status": status})


def _command(verb: str, values: Mapping[str, Any]) -> Command:
    if verb not in _VERBS:
        raise ControlError(f"{verb[:60]!r}", f"one of {', '.join(sorted(_VERBS))}", "Correct the word.")
    word = values.get("word")
    if verb == "background" and not (isinstance(word, str) and _BACKGROUND.fullmatch(word)):
        raise ControlError(
            "a background of another kind", "portrait, blur or a colour as #00ff00", "Correct it."
        )
    # A style or a bit may be a file's path elsewhere.
    named = values.get("name")
    if verb in ("style", "play") and not (
        named == NO_STYLE or (isinstance(named, str) and _NAME.fullmatch(named))
    ):
        raise ControlError(f"a {verb} of another kind", "its name", "Correct it.")
    return verb_named(verb).command(values)


def _no_message(got: str, expected: str) -> ServerError:
    return ServerError(got, expected, "Load the page again.")


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
