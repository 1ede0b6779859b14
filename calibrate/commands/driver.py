"""`facepuppet-calibrate driver`: a person's resting face."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress


def driver(
    source: Annotated[str, typer.Argument(help="Camera index or name, or a recording of you.")],
    out: Annotated[Path, typer.Option(help="The profile to write, NAME.toml.")],
    seconds: Annotated[float, typer.Option(min=1.0, help="How long to look.")] = 20.0,
) -> None:
    """Find your resting face, so that `run --profile` starts from it at once."""
    from calibrate.driver import make_profile, track_source
    from facepuppet.capture import open_source
    from facepuppet.profile_file import save_profile

    with open_source(source) as opened, Progress(transient=True) as bar:
        task = bar.add_task("Look straight, mouth shut, then move a little", total=seconds)
        trackings = track_source(opened, seconds, lambda done_s: bar.update(task, completed=done_s))
        profile = make_profile(trackings, opened.description)
    save_profile(out, profile)
    typer.echo(f"Wrote {out}. Use it: facepuppet run --avatar PORTRAIT --profile {out}")
