"""`facepuppet-calibrate driver`: how a person's face rests, and how far it moves."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calibrate.commands.report import OpenOption, ReportOption, page_files, report_page, write_report
from calibrate.outputs import save_finished
from facepuppet.cli import finite
from facepuppet.core import OutputUnwritableError, check_target

if TYPE_CHECKING:
    from facepuppet.drivers import Tracking
    from facepuppet.media import Source


def driver(
    out: Annotated[Path, typer.Option("--out", help="The profile to write, NAME.toml.")],
    camera: Annotated[
        str, typer.Option("--camera", help="Camera index or name, or a recording of you.")
    ] = "0",
    guide: Annotated[
        bool | None,
        typer.Option("--guide/--no-guide", help="Lead me through the steps.  [default: with a camera]"),
    ] = None,
    window: Annotated[bool, typer.Option("--window", help="Show the steps in a window, too.")] = False,
    seconds: Annotated[
        float,
        typer.Option(
            "--seconds", callback=finite, min=1.0, max=600.0, help="How much to watch without a guide."
        ),
    ] = 60.0,
    report: ReportOption = None,
    show: OpenOption = False,
) -> None:
    """Learn how your face rests and how far it moves, for `run --profile`.

    With a camera you are led through eight steps of 30 seconds in all. A recording of 20 seconds or more,
    in which you look straight, turn, speak and blink, gives the same profile without any steps.
    """
    from calibrate.driver_profile import make_profile
    from facepuppet.cli import camera_word, check_outputs, refuse_clobbering
    from facepuppet.drivers import save_profile
    from facepuppet.media import open_source

    page = report_page(report, out, show)
    refuse_clobbering(out, *page_files(page), read=[camera])
    _check_writable(out)
    check_outputs(*page_files(page))
    with open_source(camera_word(camera)) as source:
        guided = source.live if guide is None else guide
        trackings = _guided(source, window) if guided else _watched(source, seconds)
        profile = make_profile(trackings, source.description)
    save_finished(lambda path: save_profile(path, profile), out)
    typer.echo(f"Wrote {out}. Use it: facepuppet run --avatar PORTRAIT --profile {out}")
    if page is not None:
        from calibrate.report.make_report import report_on_driver

        write_report(report_on_driver(profile, out.stem), page, show)


def _guided(source: Source, window: bool) -> list[Tracking]:
    from rich.console import Console

    from calibrate.guide.guide import Guide, Prompt
    from calibrate.guide.guide_window import WindowView
    from calibrate.guide.terminal import TerminalView
    from calibrate.watch import track_guided

    guide = Guide(source.description)
    with ExitStack() as stack:
        drawing = stack.enter_context(WindowView()) if window else None
        terminal = stack.enter_context(TerminalView(Console(stderr=True)))

        def show(prompt: Prompt, tracking: Tracking) -> None:
            terminal.show(prompt)
            if drawing is not None:
                drawing.show(prompt, tracking)

        trackings = track_guided(source, guide, show)
    if guide.missed:
        typer.echo(
            f"Not seen as far as asked: {', '.join(guide.missed)}. Run again to improve on it.", err=True
        )
    return trackings


def _watched(source: Source, seconds: float) -> list[Tracking]:
    from rich.console import Console
    from rich.progress import Progress

    from calibrate.watch import track_source

    with Progress(transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task("Watching", total=seconds)
        return track_source(source, seconds, lambda done_s: bar.update(task, completed=done_s))


def _check_writable(out: Path) -> None:
    """Refuse at once what could not be written after half a minute of work."""
    if out.suffix.lower() != ".toml":
        raise OutputUnwritableError(f"--out {out}", "a name that ends in .toml", "Rename it.")
    check_target(out)
