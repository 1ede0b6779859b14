"""`facepuppet-calibrate landmarks`: a file of landmarks to correct by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def landmarks(
    photo: Annotated[Path, typer.Argument(help="The picture in which landmarks are to be placed.")],
    out: Annotated[
        Path | None, typer.Option(help="The file to write, NAME.toml; else it is printed.")
    ] = None,
) -> None:
    """Write a file of landmarks for a face that is not found, or found wrongly.

    It holds what the tracker sees, or an average face in the middle where it sees none. Correct the
    points in any editor, then: facepuppet-calibrate avatar PHOTO --landmarks FILE --out NAME.puppet
    """
    from calibrate.landmarks import guess_points, template
    from facepuppet.cli import check_outputs, refuse_clobbering
    from facepuppet.core import write_whole
    from facepuppet.media import load_picture

    refuse_clobbering(out, read=[photo])
    check_outputs(out)
    points, seen = guess_points(load_picture(photo))
    text = template(points)
    if out is None:
        typer.echo(text, nl=False)
        return
    write_whole(out, text.encode())
    what = "what the tracker sees" if seen else "an average face, for the tracker sees none"
    typer.echo(f"Wrote {out}: {what}. Correct it, then give it as --landmarks.")
