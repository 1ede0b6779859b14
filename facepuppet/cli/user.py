"""`facepuppet user`: what is remembered of whom, to look at, take along and forget."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from facepuppet.cli.options import JsonOption, check_outputs

app = typer.Typer(
    name="user",
    help="What `facepuppet run --user NAME` remembers: list, show, export, forget.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
NameArgument = Annotated[str, typer.Argument(help="The name that was given to --user.")]


@app.command("list")
def list_users(as_json: JsonOption = False) -> None:
    """List who is remembered."""
    from facepuppet.session.user_memory import remembered_users

    names = remembered_users()
    typer.echo(json.dumps(names) if as_json else "\n".join(names) or "Nobody is remembered.")


@app.command()
def show(name: NameArgument, as_json: JsonOption = False) -> None:
    """Show what is remembered of somebody, in short; the file has all of it."""
    from facepuppet.session.user_file import load_user
    from facepuppet.session.user_memory import file_of

    path = file_of(name)
    user = load_user(path)
    told = {
        "file": str(path),
        "style": user.style,
        "cameras": {
            camera: {"runs": known.runs, "light": known.light, "size": known.seat.size}
            for camera, known in user.cameras.items()
        },
    }
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(f"{path}" + (f"\nstyle {user.style}" if user.style else ""))
    for camera, known in user.cameras.items():
        typer.echo(
            f"{camera}: learned in {known.runs} run{'s' if known.runs > 1 else ''}, "
            f"light {known.light:.2f}, eyes {known.seat.size:.0%} of the picture's width apart"
        )


@app.command()
def export(
    name: NameArgument,
    output: Annotated[Path, typer.Option("--output", help="Where to write it (.toml).")],
) -> None:
    """Write all that is remembered of somebody into a file of their own."""
    from facepuppet.core.files import write_whole
    from facepuppet.session.user_memory import file_of

    check_outputs(output)
    write_whole(output, file_of(name).read_bytes(), private=True)
    typer.echo(f"{output}")


@app.command()
def forget(name: NameArgument) -> None:
    """Forget all that is remembered of somebody."""
    from facepuppet.session.user_memory import forget_user

    typer.echo(f"Forgotten: {forget_user(name)}")
