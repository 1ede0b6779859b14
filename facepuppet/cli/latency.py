"""`facepuppet latency`: how late a picture is, from glass to sink and from glass to glass."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facepuppet.cli.options import CanvasOption, JsonOption, camera_word, canvas_px, finite

if TYPE_CHECKING:
    from facepuppet.diagnose.flashes import FlashDelay


def latency(
    camera: Annotated[
        str | None,
        typer.Option("--camera", help="Index or name; without it a film of a face plays the camera."),
    ] = None,
    avatar: Annotated[
        Path | None, typer.Option("--avatar", help="Portrait or pack; without it the demo's.")
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", callback=finite, min=2, max=3600, help="Length of the live run.")
    ] = 15.0,
    glass: Annotated[
        bool,
        typer.Option(
            "--glass/--no-glass", help="Also flash a window (2.5 times a second) and film it with the camera."
        ),
    ] = False,
    flash_seconds: Annotated[
        float, typer.Option("--flash-seconds", callback=finite, min=8, max=120, help="How long it flashes.")
    ] = 15.0,
    canvas: CanvasOption = "1280x720",
    as_json: JsonOption = False,
) -> None:
    """Measure how late pictures are here: from capture to sink, and with --glass from glass to glass."""
    from facepuppet.core.hardware import describe_hardware
    from facepuppet.diagnose.glass_to_glass import capture_to_sink

    word = None if camera is None else camera_word(camera)
    loop = _screen_and_camera(word or "0", flash_seconds) if glass else None  # first: it fails at once
    spread, played_by = capture_to_sink(seconds, word, avatar, canvas_px(canvas))
    machine = describe_hardware()
    told: dict[str, Any] = {
        "schema": 1,
        "hardware": asdict(machine),
        "camera": played_by,
        "capture_to_sink": None if spread is None else asdict(spread),
        "screen_and_camera": None if loop is None else asdict(loop),
    }
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    typer.echo(
        f"{machine.cpu}, {machine.cores} cores, {machine.memory_gb} GB, {machine.system}, {machine.python}"
    )
    if spread is None:
        typer.echo("capture to sink    no picture came")
        return
    of = f"{spread.n} pictures, {canvas} out, driven by {played_by}"
    typer.echo(f"capture to sink    median {spread.median_ms:.1f} ms, p95 {spread.p95_ms:.1f} ms  ({of})")
    if loop is not None:
        loop_ms = 1e3 * loop.delay_s
        typer.echo(f"screen and camera  {loop_ms:.0f} ms  (certainty {loop.certainty:.2f})")
        typer.echo(f"glass to glass     {loop_ms + spread.median_ms:.0f} ms  (without the call itself)")


def _screen_and_camera(camera: str, seconds: float) -> FlashDelay:
    from facepuppet.cli.progress import progress_bar
    from facepuppet.diagnose.glass_to_glass import FlashWindow, screen_to_camera
    from facepuppet.media.source_words import open_source

    window = FlashWindow()
    try:
        with open_source(camera) as source, progress_bar() as show:
            typer.echo("Point the camera at the flashing window. It flashes 2.5 times a second.", err=True)
            return screen_to_camera(
                source, window, seconds, lambda done: show("flashes", round(100 * done), 100)
            )
    finally:
        window.close()
