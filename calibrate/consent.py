"""By what right a pack's portrait is used: no pack is made without a signed answer."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facepuppet.cli import RightsOptions, cleared_portrait

if TYPE_CHECKING:
    from facepuppet.portrait import Consent

DocumentOption = Annotated[
    Path | None,
    typer.Option(help="The signed consent as a file; its name and SHA-256 are kept, not the file itself."),
]


def consent_from_options(
    portrait: Path,
    right: str | None = None,
    subject: str | None = None,
    granted: datetime | None = None,
    document: Path | None = None,
    revoked: Path | None = None,
) -> Consent:
    """Return the signed statement that goes into the portrait's pack, and tell it.

    What the options leave open is taken from what this machine remembers of the portrait, or asked on
    the terminal and remembered.

    Args:
        portrait: the picture that will be animated.
        right: self, consent, public-domain or fictional.
        subject: who agreed; with consent, and only then, as the next two.
        granted: when.
        document: the agreement as a signed file.
        revoked: a revocation list besides this machine's own.

    Raises:
        ImageUnreadableError: the picture cannot be read.
        ConsentError: there is no statement, or none that holds (its subclasses say why).
    """
    from facepuppet.portrait import portrait_sha256

    rights = RightsOptions(right, subject, granted, document)
    return cleared_portrait(portrait_sha256(portrait), rights, revoked)
