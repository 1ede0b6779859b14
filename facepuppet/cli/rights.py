"""By what right a portrait is shown: the options, the question, and what is told at the start."""

from __future__ import annotations

import sys
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facepuppet.core.errors import ConsentError, ConsentMissingError

if TYPE_CHECKING:
    from facepuppet.portrait.consent import Claim, Consent, Grant
    from facepuppet.portrait.pack import Pack

RIGHTS = ("self", "consent", "public-domain", "fictional")
_CHOICES = f"{', '.join(RIGHTS[:-1])} or {RIGHTS[-1]}"
_FIRST_SIGNED_VERSION = 2  # packs of version 1 had no place for a statement
_QUESTION = """By what right do you use this portrait?
  self           it shows me
  consent        the person in it agreed
  public-domain  it is free of rights, as old paintings are
  fictional      it shows nobody real
The answer is signed, kept on this machine, and not asked again."""
_OLD_PACK = """This pack is of an older version, without safe range and right to use. To give it both:
facepuppet-calibrate upgrade PACK"""


def _right(text: str | None) -> str | None:
    if text is not None and text not in RIGHTS:
        raise typer.BadParameter(f"got {text!r}, expected {_CHOICES}")
    return text


RightOption = Annotated[
    str | None,
    typer.Option(
        "--right",
        callback=_right,
        metavar="RIGHT",
        help=f"By what right you use the portrait: {_CHOICES}; asked once and remembered.",
    ),
]
SubjectOption = Annotated[
    str | None, typer.Option("--subject", metavar="NAME", help="Who agreed, with --right consent.")
]
GrantedOption = Annotated[
    datetime | None,
    typer.Option("--granted", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="When they agreed."),
]
RevokedOption = Annotated[
    Path | None, typer.Option("--revoked", help="Revocation list to honour besides this machine's own.")
]


@dataclass(frozen=True, slots=True)
class RightsOptions:
    """What the options say about the right to use a portrait; nothing at all when `right` is None.

    Raises:
        ConsentError: the options contradict each other.
    """

    right: str | None = None
    subject: str | None = None
    granted: datetime | None = None
    document: Path | None = None

    def __post_init__(self) -> None:
        details = (self.subject, self.granted, self.document)
        if self.right != "consent" and details != (None, None, None):
            raise ConsentError(
                "an agreement without --right consent",
                "--subject, --granted and --document only with it",
                "Add --right consent, or leave them out.",
            )
        if self.right == "consent" and (self.subject is None or self.granted is None):
            raise ConsentError(
                "--right consent without who agreed and when",
                "--subject NAME --granted YYYY-MM-DD",
                "Add both.",
            )

    def claim(self, portrait_sha256: str) -> Claim | None:
        """Return it as a claim about a portrait; None when nothing was said.

        Raises:
            ConsentError: a name, date or document will not do.
        """
        from facepuppet.portrait.consent import Basis, Claim

        return None if self.right is None else Claim.make(Basis(self.right), portrait_sha256, self._grant())

    def _grant(self) -> Grant | None:
        from facepuppet.portrait.consent import Document, Grant

        if self.subject is None or self.granted is None:
            return None
        paper = None if self.document is None else Document.of_file(self.document)
        return Grant(_tidy(self.subject), self.granted.date(), paper)


def cleared(pack: Pack, rights: RightsOptions, revoked: Path | None) -> Consent:
    """Return the statement of right to use a portrait, and tell it; asks once for what carries none.

    Args:
        pack: the portrait, as `facepuppet.portrait.load.load_as_pack` returns it.
        rights: what the options say; a statement inside the pack stands before them.
        revoked: a revocation list besides this machine's own.

    Raises:
        ConsentError: there is no statement, or none that holds (its subclasses say why).
    """
    from facepuppet.portrait.consent.clearance import clear_pack
    from facepuppet.portrait.consent.revocation import Revocations

    if pack.version < _FIRST_SIGNED_VERSION:
        if pack.version > 0:  # 0 is a bare picture
            typer.echo(_OLD_PACK, err=True)
        return cleared_portrait(pack.avatar.source_sha256, rights, revoked)
    consent = clear_pack(pack.consent, pack.avatar.source_sha256, Revocations.load(revoked))
    typer.echo(consent.sentence(), err=True)
    return consent


def cleared_portrait(portrait_sha256: str, rights: RightsOptions, revoked: Path | None) -> Consent:
    """Return the statement about a portrait file, which carries none itself; as `cleared`."""
    from facepuppet.portrait.consent.clearance import clear_portrait
    from facepuppet.portrait.consent.revocation import Revocations

    stated, listed = rights.claim(portrait_sha256), Revocations.load(revoked)
    consent = clear_portrait(portrait_sha256, stated, lambda: _ask(portrait_sha256), listed)
    typer.echo(consent.sentence(), err=True)
    return consent


def _ask(portrait_sha256: str) -> Claim:
    from facepuppet.portrait.consent import Basis, Claim, Grant

    if not all(stream and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        raise ConsentMissingError(
            "a portrait of which nobody said by what right it is used",
            f"--right {_CHOICES}",
            "Add it (consent needs --subject NAME --granted YYYY-MM-DD too); it is remembered.",
        )
    typer.echo(_QUESTION, err=True)
    basis = Basis(typer.prompt("Right", value_proc=_right, err=True))
    if basis is not Basis.CONSENT:
        return Claim.make(basis, portrait_sha256)
    subject = typer.prompt("Who agreed", value_proc=_name, err=True)
    granted_on = typer.prompt("When (YYYY-MM-DD)", value_proc=_past_day, err=True)
    return Claim.make(basis, portrait_sha256, Grant(subject, granted_on))


def _name(text: str) -> str:
    """Read a name; typer asks again when this refuses."""
    from facepuppet.portrait.consent import Grant

    try:
        return Grant(_tidy(text), date.min).subject
    except ConsentError as error:
        raise typer.BadParameter(f"got {error.got}") from error


def _past_day(text: str) -> date:
    """Read a day that has come; typer asks again when this refuses."""
    from facepuppet.portrait.consent.field_checks import parse_day

    try:
        day = parse_day(text.strip())
    except ConsentError as error:
        raise typer.BadParameter(f"got {error.got}, expected YYYY-MM-DD") from error
    if day > date.today():
        raise typer.BadParameter(f"got {day}, which is still to come")
    return day


def _tidy(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip())
