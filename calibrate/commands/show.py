"""`facepuppet-calibrate show`: what is in a pack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from facepuppet.portrait import PACK_SUFFIX


def show(
    pack: Annotated[Path, typer.Argument(help=f"A {PACK_SUFFIX} file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    preview: Annotated[Path | None, typer.Option(help="PNG to write: the picture kept for people.")] = None,
) -> None:
    """Tell what is in an avatar pack: right to use, gates, safe range, views."""
    from calibrate.facts import pack_facts, pack_lines
    from calibrate.preview import pack_preview
    from facepuppet.cli import check_outputs
    from facepuppet.core import write_whole
    from facepuppet.portrait import load_pack, png_of

    check_outputs(preview)
    loaded = load_pack(pack)
    typer.echo(json.dumps(pack_facts(loaded), indent=2) if as_json else "\n".join(pack_lines(loaded)))
    if preview is not None:
        kept = loaded.preview_rgb
        write_whole(preview, png_of(pack_preview(loaded.avatar) if kept is None else kept))
        typer.echo(f"Wrote {preview}.", err=True)
