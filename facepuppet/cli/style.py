"""`facepuppet style`: which personalities there are, what they say, and one learnt from a recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facepuppet.cli.options import check_outputs, refuse_clobbering

if TYPE_CHECKING:
    from facepuppet.core.types import Expression
    from facepuppet.drivers.base import Driver

app = typer.Typer(
    name="style",
    help="Personalities of a puppet: shipped ones, your own, and learnt ones.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_styles() -> None:
    """Name the shipped styles, each with what it is like."""
    from facepuppet.character.style_file import STYLE_NAMES, shipped_text

    for name in STYLE_NAMES:
        typer.echo(shipped_text(name).splitlines()[0].removeprefix("# "))


@app.command()
def show(name: Annotated[str, typer.Argument(help="Of a shipped style.")]) -> None:
    """Print a shipped style's file, to begin one of your own with: style show calm > my.toml."""
    from facepuppet.character.style_file import shipped_text

    typer.echo(shipped_text(name), nl=False)


@app.command()
def check(file: Annotated[str, typer.Argument(help="A style's name or file.")]) -> None:
    """Say whether a style can be used, and if not, what is wrong on which line."""
    from facepuppet.character.style_file import load_style

    style = load_style(file)
    typer.echo(f"{style.name}: {len(style.values)} settings, {len(style.looks)} moods")


@app.command()
def learn(
    take: Annotated[Path, typer.Argument(help="Recording of somebody (facepuppet record; .npz or .csv).")],
    output: Annotated[Path, typer.Option("--output", help="Style to write (.toml).")],
) -> None:
    """Move like this: make a style of how somebody moves in a recording of at least 20 s."""
    from facepuppet.character.learning import learn_style, style_text
    from facepuppet.character.style_file import STYLE_SUFFIX
    from facepuppet.core.errors import OutputUnwritableError, RecordingError
    from facepuppet.core.files import write_whole
    from facepuppet.drivers.recording_words import is_playable, open_playable

    refuse_clobbering(output, read=[take])
    if output.suffix.lower() != STYLE_SUFFIX:
        raise OutputUnwritableError(f"'{output}'", f"a name that ends in {STYLE_SUFFIX}", "Rename the style.")
    check_outputs(output)
    if not is_playable(take):
        raise RecordingError(
            f"'{take}'",
            "a recording that ends in .npz or .csv",
            "Make one: facepuppet record --output TAKE.npz",
        )
    with open_playable(take) as driver:
        style = learn_style(_expressions(driver), output.stem)
    write_whole(output, style_text(style, f"Learnt from '{take.name}'.").encode())
    typer.echo(f"{output}: facepuppet run --style {output}", err=True)


def _expressions(driver: Driver) -> Iterator[Expression]:
    while (expression := driver.read()) is not None:
        yield expression
