"""`facepuppet-calibrate upgrade`: an older pack in the current version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calibrate.consent import DocumentOption
from calibrate.outputs import check_pack_target, save_finished
from facepuppet.cli import GrantedOption, RevokedOption, RightOption, RightsOptions, SubjectOption
from facepuppet.core import AvatarPackError
from facepuppet.portrait import PACK_SUFFIX, PACK_VERSION


def upgrade(
    pack: Annotated[Path, typer.Argument(help=f"A {PACK_SUFFIX} file of an older version.")],
    out: Annotated[Path | None, typer.Option(help="The pack to write; by default PACK itself.")] = None,
    right: RightOption = None,
    subject: SubjectOption = None,
    granted: GrantedOption = None,
    document: DocumentOption = None,
    revoked: RevokedOption = None,
) -> None:
    """Bring an older pack to the current version: analysed anew, safe range measured, right stated."""
    from calibrate.upgrade import upgraded
    from facepuppet.cli import cleared_portrait
    from facepuppet.portrait import load_as_pack, save_pack

    if pack.suffix.lower() != PACK_SUFFIX:
        todo = "Make a pack of a picture with: facepuppet-calibrate avatar PHOTO --out NAME.puppet"
        raise AvatarPackError(str(pack), f"a pack, a name that ends in {PACK_SUFFIX}", todo)
    target = pack if out is None else out
    check_pack_target(target)
    old = load_as_pack(pack)
    if old.version >= PACK_VERSION:
        typer.echo(f"{pack} is of version {old.version} already; nothing to do.")
        return
    consent = cleared_portrait(
        old.avatar.source_sha256, RightsOptions(right, subject, granted, document), revoked
    )
    made = upgraded(old, consent, tell=typer.echo)
    save_finished(lambda path: save_pack(made, path), target)
    typer.echo(f"Wrote {target}, version {PACK_VERSION}.")
