"""Bounds of what a consent record may hold, and the error for what is out of them."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any

from facepuppet.core.errors import ConsentError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def parse_day(text: Any) -> date:
    """Read YYYY-MM-DD.

    Raises:
        ConsentError: anything else, or no day of the calendar.
    """
    try:
        if isinstance(text, str) and _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise refused(f"the date {str(text)[:40]!r}")


def check_keys(what: str, value: Any, keys: set[str]) -> None:
    """Check that a parsed value is an object with exactly these keys.

    Raises:
        ConsentError: it is not.
    """
    if not isinstance(value, dict) or set(value) != keys:
        raise refused(f"a {what} whose fields are not {', '.join(sorted(keys))}")


def refused(got: str) -> ConsentError:
    """Return the error for a record that will not do."""
    return ConsentError(
        got,
        "a statement of right to use this portrait, as its maker signed it",
        "State the right anew: --right self, consent, public-domain or fictional; for a pack: "
        "facepuppet-calibrate avatar PHOTO --out NAME.puppet --right RIGHT",
    )


def check_line(what: str, text: Any, longest: int) -> None:
    """Refuse what could forge a terminal's lines: control codes, changed directions, second spellings.

    Raises:
        ConsentError: not one trimmed line of printable characters (NFC), or too long.
    """
    fine = isinstance(text, str) and text.isprintable() and text.strip() == text != ""
    if not fine or len(text) > longest or not unicodedata.is_normalized("NFC", text):
        raise refused(f"a {what} that is no line of 1 to {longest} printable characters ({text!a:.80})")


def check_sha256(what: str, digest: Any) -> None:
    """Check that a parsed value is a lower-case hexadecimal SHA-256.

    Raises:
        ConsentError: it is not.
    """
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise refused(f"a {what} that is no hexadecimal SHA-256 ({digest!r:.80})")
