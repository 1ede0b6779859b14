"""`facepuppet-calibrate avatar`: a pack from one or more pictures of one person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calibrate.commands.report import OpenOption, ReportOption, page_files, report_page, write_report
from calibrate.consent import DocumentOption, consent_from_options
from calibrate.outputs import check_pack_target, save_finished
from facepuppet.cli import (
    GrantedOption,
    RevokedOption,
    RightOption,
    SubjectOption,
    check_outputs,
    refuse_clobbering,
)
from facepuppet.portrait import PACK_SUFFIX


def avatar(
    photos: Annotated[
        list[Path],
        typer.Argument(
            metavar="PHOTO [MORE]...",
            help="A portrait: photo, painting or drawing with a human face; then, in any order, further "
            "pictures or videos of the same person: mouth open, smiling, eyes shut, turned to either side.",
        ),
    ],
    out: Annotated[Path, typer.Option(help=f"The pack to write, NAME{PACK_SUFFIX}.")],
    preview: Annotated[
        Path | None, typer.Option(help="PNG to write: points found, person cut out, background behind.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Go on past the limits; each line tells what will suffer.")
    ] = False,
    landmarks: Annotated[
        Path | None,
        typer.Option(
            help="Landmarks placed by hand, for statues and cartoons whose face is not found; "
            "`facepuppet-calibrate landmarks PHOTO` writes a file to begin with."
        ),
    ] = None,
    first: Annotated[
        bool,
        typer.Option("--first", help="Animate the first picture, even if another suits better."),
    ] = False,
    right: RightOption = None,
    subject: SubjectOption = None,
    granted: GrantedOption = None,
    document: DocumentOption = None,
    revoked: RevokedOption = None,
    report: ReportOption = None,
    show: OpenOption = False,
) -> None:
    """Analyse a portrait and keep the result in one file."""
    from calibrate.make_pack import make_pack
    from calibrate.preview import save_preview
    from calibrate.views.collect import portrait_first
    from facepuppet.portrait import save_pack

    check_pack_target(out)
    page = report_page(report, out, show)
    refuse_clobbering(out, preview, *page_files(page), read=[*photos, landmarks])
    check_outputs(preview, *page_files(page))
    if not first and landmarks is None:
        photos = portrait_first(photos)
        if len(photos) > 1:
            typer.echo(f"Portrait: {photos[0]} (--first takes the first picture instead)")
    consent = consent_from_options(photos[0], right, subject, granted, document, revoked)
    pack = make_pack(photos, consent, tell=typer.echo, force=force, landmarks=landmarks)
    save_finished(lambda path: save_pack(pack, path), out)
    typer.echo(f"Wrote {out}. Try it: facepuppet run --avatar {out}")
    if preview is not None:
        save_preview(pack.avatar, preview)
        typer.echo(f"Wrote {preview}.")
    if page is not None:
        from calibrate.report.make_report import report_on_pack

        write_report(report_on_pack(pack), page, show)
