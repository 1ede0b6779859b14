"""`facepuppet demo`: see it work, without a camera."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facepuppet.cli.options import finite
from facepuppet.cli.rights import RevokedOption


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("facepuppet-demo"),
    seconds: Annotated[
        float, typer.Option("--seconds", callback=finite, min=0.5, max=600, help="Length of the piece.")
    ] = 12.0,
    revoked: RevokedOption = None,
) -> None:
    """Let two public-domain portraits perform a scripted piece; writes videos, sheet.png and stats.json."""
    from facepuppet.cli.progress import progress_bar
    from facepuppet.session.demo import run_demo

    with progress_bar() as show:
        stats = run_demo(out, seconds, lambda done, total: show("demo", done, total), revoked)
    for name, one in stats.items():
        typer.echo(f"{out / name}: {one.frames_out} frames in {one.seconds:.1f} s ({one.fps:.0f} a second)")
    for name in ("sheet.png", "stats.json"):
        typer.echo(str(out / name))
