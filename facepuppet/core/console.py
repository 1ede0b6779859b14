"""Words for terminals and files that are not UTF-8: a letter they lack costs that letter, not the result."""

from __future__ import annotations

import codecs
import sys
import unicodedata

_HANDLER = "facepuppet.plain"
_PLAIN = {
    "→": "->",
    "←": "<-",
    "…": "...",
    "−": "-",
    "–": "-",
    "—": "-",
    "×": "x",
    "≤": "<=",
    "≥": ">=",
    "·": "-",
}


def write_in_any_encoding() -> None:
    """Let standard output and error write plain letters in place of those that their encoding lacks."""
    codecs.register_error(_HANDLER, _plain)
    for stream in (sys.stdout, sys.stderr):  # None in a program without a console
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=_HANDLER)


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(map(_plain_letter, letters)), error.end


def _plain_letter(letter: str) -> str:
    """Return a sign, or a letter without its accents, in ASCII; an escape for what has no likeness there."""
    alike = _PLAIN.get(letter) or unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return alike or letter.encode("ascii", "backslashreplace").decode()
