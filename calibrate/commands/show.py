"""`facepuppet-calibrate show`: what is in a pack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from facepuppet.avatar.pack import PACK_SUFFIX


def show(
    pack: Annotated[Path, typer.Argument(help=f"A {PACK_SUFFIX} file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell what is in an avatar pack."""
    from calibrate.gate_lines import gate_lines
    from calibrate.measures import describe
    from facepuppet.avatar.pack import load_pack

    avatar = load_pack(pack).avatar
    if as_json:
        typer.echo(json.dumps(describe(avatar), indent=2))
        return
    width, height = avatar.size_px
    typer.echo(f"{avatar.name}: {width}x{height} px, from a portrait with sha256 {avatar.source_sha256}")
    for line in gate_lines(avatar):
        typer.echo(line)
