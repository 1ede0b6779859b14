"""`facepuppet-calibrate diff`: how two packs differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from facepuppet.portrait import PACK_SUFFIX

DIFFERENT = 1


def diff(
    a: Annotated[Path, typer.Argument(help=f"A {PACK_SUFFIX} file.")],
    b: Annotated[Path, typer.Argument(help="Another.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    picture: Annotated[
        Path | None, typer.Option(help="PNG to write: both portraits and what differs, amplified.")
    ] = None,
) -> None:
    """Tell how two packs differ; exit status 0 when they do not, 1 when they do."""
    from calibrate.compare import difference_lines, differences, side_by_side
    from facepuppet.cli import check_outputs
    from facepuppet.core import write_whole
    from facepuppet.portrait import load_pack, png_of

    check_outputs(picture)
    first, second = load_pack(a), load_pack(b)
    found = differences(first, second)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        typer.echo("\n".join(difference_lines(first, second)) or "No difference.")
    if picture is not None:
        write_whole(picture, png_of(side_by_side(first, second)))
        typer.echo(f"Wrote {picture}.", err=True)
    if found:
        raise typer.Exit(DIFFERENT)
