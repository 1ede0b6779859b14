"""The revocation list: rights that were taken back. SPEC.md tells the format of the file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from facepuppet.core.errors import ConsentError, ConsentRevokedError
from facepuppet.portrait.consent.consent_record import N_ID_DIGITS, Consent

MAX_LIST_BYTES = 16_000_000
_ENTRY = re.compile(rf"[0-9a-f]{{{N_ID_DIGITS}}}|[0-9a-f]{{64}}")


def default_list_path() -> Path:
    """Return where the list of this machine's user is kept; there need be none."""
    return Path(platformdirs.user_config_dir("facepuppet", appauthor=False)) / "revoked.txt"


@dataclass(frozen=True, slots=True)
class Revocations:
    """What may not be shown any more.

    Attributes:
        entries: record ids, and hex SHA-256 digests of records or of portrait files.
    """

    entries: frozenset[str] = frozenset()

    @classmethod
    def load(cls, path: Path | None = None) -> Revocations:
        """Read this machine's list, if there is one, and another, which must exist.

        Raises:
            ConsentError: a list cannot be read or has a line that is none of its kinds. What cannot
                be understood might be a revocation, so nothing is skipped.
        """
        try:
            usual = _entries(default_list_path())
        except FileNotFoundError:
            usual = frozenset()
        try:
            return cls(usual if path is None else usual | _entries(path))
        except FileNotFoundError as error:
            raise _unusable(str(path), "does not exist") from error

    def check_portrait(self, portrait_sha256: str) -> None:
        """Check that a portrait may be used at all.

        Raises:
            ConsentRevokedError: its digest is listed.
        """
        if portrait_sha256 in self.entries:
            raise _revoked(f"a portrait whose use was revoked ({portrait_sha256[:12]}…)")

    def check(self, consent: Consent) -> None:
        """Check that a record still holds.

        Raises:
            ConsentRevokedError: its id, its digest, or its portrait's digest is listed.
        """
        self.check_portrait(consent.claim.portrait_sha256)
        if not words_against(consent).isdisjoint(self.entries):
            raise _revoked(f"a statement of right that was revoked (id {consent.id})")


def words_against(consent: Consent) -> frozenset[str]:
    """Return the entries of which a list needs one to take a record back."""
    return frozenset({consent.claim.portrait_sha256, consent.id, consent.digest})


def _entries(path: Path) -> frozenset[str]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_LIST_BYTES + 1)
        text = content.decode("utf-8-sig")  # some editors begin a text with a byte order mark
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unusable(path, f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise _unusable(path, "is no UTF-8 text") from error
    if len(content) > MAX_LIST_BYTES:
        raise _unusable(path, f"is larger than {MAX_LIST_BYTES // 1_000_000} MB")
    entries = set()
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.partition("#")[0].strip().lower()
        if entry and not _ENTRY.fullmatch(entry):
            raise _unusable(path, f"says {entry[:40]!a} in line {number}")
        entries.add(entry)
    return frozenset(entries - {""})


def _unusable(path: str | Path, what: str) -> ConsentError:
    return ConsentError(
        f"revocation list '{path}', which {what}",
        f"a text with a record id ({N_ID_DIGITS} hexadecimal digits) or a SHA-256 (64) in each line",
        "Mend the list; until then nothing is shown, because what is unreadable may be a revocation.",
    )


def _revoked(got: str) -> ConsentRevokedError:
    return ConsentRevokedError(
        got, "a right that holds", "Use another portrait, or ask the person who is shown for a new consent."
    )
