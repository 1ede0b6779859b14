"""What is said about the right to use a portrait, before anybody signs it."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

from facepuppet.core.errors import ConsentError
from facepuppet.portrait.consent.field_checks import check_keys, check_line, check_sha256, parse_day, refused

MAX_STATEMENT, MAX_NAME = 400, 200  # characters
MAX_DOCUMENT_BYTES = 100_000_000


class Basis(Enum):
    """On what ground a portrait is used."""

    SELF = "self"  # it shows whoever makes the statement
    CONSENT = "consent"  # the person shown agreed
    PUBLIC_DOMAIN = "public-domain"
    FICTIONAL = "fictional"  # it shows nobody who exists or existed


@dataclass(frozen=True, slots=True)
class Document:
    """A signed file that shows the agreement; only its name and hex SHA-256 are kept.

    Raises:
        ConsentError: the name holds a folder, or a field is out of bounds.
    """

    name: str
    sha256: str

    def __post_init__(self) -> None:
        check_line("document name", self.name, MAX_NAME)
        if "/" in self.name or "\\" in self.name:
            raise refused(f"a document name that holds a folder ({self.name[:80]!r})")
        check_sha256("document digest", self.sha256)

    @classmethod
    def of_file(cls, path: Path) -> Document:
        """Take the name and the digest of a file.

        Raises:
            ConsentError: it cannot be read, is empty, or is larger than 100 MB.
        """
        try:
            with path.open("rb") as file:
                content = file.read(MAX_DOCUMENT_BYTES + 1)
        except OSError as error:
            raise _bad_document(path, f"cannot be read ({error.strerror})") from error
        if not 0 < len(content) <= MAX_DOCUMENT_BYTES:
            raise _bad_document(path, "is empty" if not content else "is too large")
        return cls(unicodedata.normalize("NFC", path.name), hashlib.sha256(content).hexdigest())


@dataclass(frozen=True, slots=True)
class Grant:
    """Who in the portrait agreed to its use, and when.

    Raises:
        ConsentError: the subject is no name.
    """

    subject: str
    granted_on: date
    document: Document | None = None

    def __post_init__(self) -> None:
        check_line("subject", self.subject, MAX_NAME)


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement about one portrait.

    Attributes:
        basis: the ground.
        portrait_sha256: hex digest of the portrait file (`Avatar.source_sha256`).
        statement: one line that is shown when the portrait is used.
        made_on: the day of signing, by the maker's clock.
        grant: who agreed; with basis CONSENT, and only then.

    Raises:
        ConsentError: a field is out of bounds, or the fields contradict each other.
    """

    basis: Basis
    portrait_sha256: str
    statement: str
    made_on: date
    grant: Grant | None = None

    def __post_init__(self) -> None:
        check_sha256("portrait digest", self.portrait_sha256)
        check_line("statement", self.statement, MAX_STATEMENT)
        if (self.basis is Basis.CONSENT) != (self.grant is not None):
            raise refused(f"basis '{self.basis.value}' {'with' if self.grant else 'without'} who agreed")
        if self.grant is not None and self.grant.granted_on > self.made_on:
            raise refused(f"an agreement of {self.grant.granted_on}, later than {self.made_on}")

    @classmethod
    def make(cls, basis: Basis, portrait_sha256: str, grant: Grant | None = None) -> Claim:
        """Return today's statement in the basis's usual words.

        Raises:
            ConsentError: as the class.
        """
        who, when = ("nobody", "no day") if grant is None else (grant.subject, grant.granted_on)
        said = {
            Basis.SELF: "I am the person in this portrait.",
            Basis.CONSENT: f"{who} agreed on {when} to the use of this portrait.",
            Basis.PUBLIC_DOMAIN: "This portrait is in the public domain.",
            Basis.FICTIONAL: "This portrait shows no real person.",
        }
        return cls(basis, portrait_sha256, said[basis], date.today(), grant)

    def to_fields(self) -> dict[str, Any]:
        """Return the claim as plain values for JSON."""
        return {
            "basis": self.basis.value,
            "portrait_sha256": self.portrait_sha256,
            "statement": self.statement,
            "made_on": self.made_on.isoformat(),
            "grant": None if self.grant is None else _grant_fields(self.grant),
        }

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Claim:
        """Read what `to_fields` returned.

        Raises:
            ConsentError: fields are missing, unknown, or not of their kind.
        """
        check_keys("statement", fields, {"basis", "portrait_sha256", "statement", "made_on", "grant"})
        bases = {basis.value: basis for basis in Basis}
        if not isinstance(fields["basis"], str) or fields["basis"] not in bases:
            raise refused(f"basis {str(fields['basis'])[:40]!r}")
        return cls(
            bases[fields["basis"]],
            fields["portrait_sha256"],
            fields["statement"],
            parse_day(fields["made_on"]),
            None if fields["grant"] is None else _grant(fields["grant"]),
        )


def _bad_document(path: Path, what: str) -> ConsentError:
    return ConsentError(
        f"document '{path}', which {what}",
        f"the signed consent as a file of at most {MAX_DOCUMENT_BYTES // 1_000_000} MB",
        "Check the name, or leave it out.",
    )


def _grant_fields(grant: Grant) -> dict[str, Any]:
    paper = grant.document
    return {
        "subject": grant.subject,
        "granted_on": grant.granted_on.isoformat(),
        "document": None if paper is None else {"name": paper.name, "sha256": paper.sha256},
    }


def _grant(fields: Any) -> Grant:
    check_keys("grant", fields, {"subject", "granted_on", "document"})
    paper = fields["document"]
    if paper is not None:
        check_keys("document", paper, {"name", "sha256"})
        paper = Document(paper["name"], paper["sha256"])
    return Grant(fields["subject"], parse_day(fields["granted_on"]), paper)
