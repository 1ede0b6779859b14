"""`facepuppet bench`: what this machine does."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from facepuppet.cli.options import (
    CanvasOption,
    EngineOption,
    JsonOption,
    MakerOption,
    TrackerOption,
    canvas_px,
    finite,
)


def bench(
    seconds: Annotated[
        float, typer.Option("--seconds", callback=finite, min=1, max=3600, help="Length of each measurement.")
    ] = 15.0,
    driver: Annotated[
        str | None,
        typer.Option("--input", help="Driver video; by default the demo's puppet plays the driver."),
    ] = None,
    canvas: CanvasOption = "1280x720",
    engine: EngineOption = "auto",
    maker: MakerOption = "auto",
    tracker: TrackerOption = "builtin",
    cpu: Annotated[
        bool,
        typer.Option("--cpu", help="Also what a frame costs, by stage and by thread: CPU time, wake-ups."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure the live loop with all stages on: time per stage, drops, latency, memory."""
    from facepuppet.cli.bench_table import table
    from facepuppet.cli.progress import progress_bar
    from facepuppet.diagnose.bench import run_bench

    with progress_bar() as show:
        result = run_bench(seconds, driver, show, engine, tracker, canvas_px(canvas), maker)
    typer.echo(json.dumps(result.to_json(), indent=2) if as_json else table(result, cpu=cpu))
