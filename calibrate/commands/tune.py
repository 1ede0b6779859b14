"""`facepuppet-calibrate tune`: painters of a pack's own."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calibrate.outputs import check_pack_target, save_finished
from facepuppet.cli import refuse_clobbering
from facepuppet.core import AvatarPackError
from facepuppet.portrait import PACK_SUFFIX, PACK_VERSION

if TYPE_CHECKING:
    from rich.progress import TaskID


def tune(
    pack: Annotated[Path, typer.Argument(help=f"The {PACK_SUFFIX} file to improve.")],
    photos: Annotated[
        list[Path],
        typer.Argument(
            metavar="PHOTO...",
            help="Further pictures or a short video of the same person, at least two; those the pack "
            "was made of will do.",
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="The pack to write; by default PACK itself.")] = None,
) -> None:
    """Train the painters on this person's pictures; keep them only if they paint an unseen one better.

    Takes at most ten minutes. Interrupted, it leaves everything as it was.
    """
    from rich.console import Console
    from rich.progress import Progress

    from calibrate.tuning.tune import tune as tune_avatar
    from facepuppet.portrait import load_as_pack, save_pack

    loaded = load_as_pack(pack) if pack.suffix.lower() == PACK_SUFFIX else None
    if loaded is None or loaded.version < PACK_VERSION:
        raise AvatarPackError(
            f"{pack.name}, " + ("which is no pack" if loaded is None else "an older pack"),
            f"a pack of version {PACK_VERSION}",
            "Make it first: facepuppet-calibrate avatar PHOTO, or upgrade PACK.",
        )
    target = pack if out is None else out
    check_pack_target(target)
    refuse_clobbering(target, read=photos)
    with Progress(transient=True, console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: float) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=1.0)
            bar.update(tasks[what], completed=done)

        made, judgements = tune_avatar(loaded.avatar, photos, tell=typer.echo, progress=show)
    if not any(judgement.better for judgement in judgements):
        typer.echo(
            "Nothing was gained: " + (f"{pack} is as it was." if out is None else "nothing is written.")
        )
        return
    tuned = dataclasses.replace(loaded, avatar=made)
    save_finished(lambda path: save_pack(tuned, path), target)
    typer.echo(f"Wrote {target}. Try it: facepuppet run --avatar {target}")
