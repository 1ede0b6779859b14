"""`facepuppet-calibrate`: avatar packs from portraits, driver profiles from people."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from calibrate.measures import describe, measure_gates
from calibrate.preview import save_preview
from facepuppet.avatar.load import load_avatar
from facepuppet.avatar.model import Avatar
from facepuppet.avatar.pack import PACK_SUFFIX, load_pack, save_pack
from facepuppet.errors import FacepuppetError, OutputUnwritableError
from facepuppet.profile_file import save_profile

ERROR = 2

app = typer.Typer(
    name="facepuppet-calibrate",
    help="Make avatar packs from portraits and driver profiles from people.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command()
def avatar(
    photo: Annotated[Path, typer.Argument(help="A portrait: photo, painting or drawing with a human face.")],
    out: Annotated[Path, typer.Option(help=f"The pack to write, NAME{PACK_SUFFIX}.")],
    preview: Annotated[
        Path | None, typer.Option(help="PNG to write: points found, person cut out, background behind.")
    ] = None,
) -> None:
    """Analyse a portrait and keep the result in one file."""
    if out.suffix.lower() != PACK_SUFFIX:
        raise OutputUnwritableError(f"--out {out}", f"a name that ends in {PACK_SUFFIX}", "Rename it.")
    made = load_avatar(photo)
    _print_gates(made)
    save_pack(made, out)
    typer.echo(f"Wrote {out}. Try it: facepuppet run --avatar {out}")
    if preview is not None:
        save_preview(made, preview)
        typer.echo(f"Wrote {preview}.")


@app.command()
def show(
    pack: Annotated[Path, typer.Argument(help=f"A {PACK_SUFFIX} file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell what is in an avatar pack."""
    avatar = load_pack(pack)
    if as_json:
        typer.echo(json.dumps(describe(avatar), indent=2))
        return
    width, height = avatar.size_px
    typer.echo(f"{avatar.name}: {width}x{height} px, from a portrait with sha256 {avatar.source_sha256}")
    _print_gates(avatar)


@app.command()
def driver(
    source: Annotated[str, typer.Argument(help="Camera index or name, or a recording of you.")],
    out: Annotated[Path, typer.Option(help="The profile to write, NAME.toml.")],
    seconds: Annotated[float, typer.Option(min=1.0, help="How long to look.")] = 20.0,
) -> None:
    """Find your resting face, so that `run --profile` starts from it at once."""
    from calibrate.driver import resting_face, track_source
    from facepuppet.capture import open_source

    with open_source(source) as opened, Progress(transient=True) as bar:
        task = bar.add_task("Look straight, mouth shut, then move a little", total=seconds)
        trackings = track_source(opened, seconds, lambda done_s: bar.update(task, completed=done_s))
        neutral = resting_face(trackings, opened.description)
    save_profile(out, neutral)
    typer.echo(f"Wrote {out}. Use it: facepuppet run --avatar PORTRAIT --profile {out}")


def _print_gates(avatar: Avatar) -> None:
    for gate in measure_gates(avatar):
        typer.echo(f"  {'ok ' if gate.passed else 'BAD'}  {gate}")


def main() -> None:
    """Run the command line; a problem ends in one sentence and exit status 2."""
    try:
        app()
    except FacepuppetError as error:
        typer.echo(str(error), err=True)
        sys.exit(ERROR)
