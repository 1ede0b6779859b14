"""`facepuppet record`: how a driver moves, without a picture of anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facepuppet.cli.options import (
    CameraOption,
    ProfileOption,
    camera_word,
    check_outputs,
    finite,
    refuse_clobbering,
)

MAX_SECONDS = 86_400.0


def record(
    output: Annotated[
        Path, typer.Option("--output", help="Recording to write (.npz, or .csv as Live Link Face's).")
    ],
    camera: CameraOption = "0",
    profile: ProfileOption = None,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", callback=finite, min=0.1, max=MAX_SECONDS, help="Stop after so long."),
    ] = None,
) -> None:
    """Record how a person moves, to play it later: run --camera FILE.npz, or render --input FILE.npz.

    The file holds expressions, no pictures. Ctrl-C ends it and keeps what was recorded.
    """
    from facepuppet.core.errors import NoDriverFaceError
    from facepuppet.drivers.camera.profile_file import load_profile
    from facepuppet.drivers.driver_words import open_driver
    from facepuppet.drivers.recording_words import open_writer
    from facepuppet.session.record import record as record_driver

    refuse_clobbering(output, read=[camera, profile])
    check_outputs(output)
    neutral = None if profile is None else load_profile(profile).neutral
    with (
        open_driver(camera_word(camera), neutral=neutral) as driver,
        open_writer(output, driver.description, driver.fps) as writer,
    ):
        typer.echo(f"{driver.description} → recording {str(output)!r}. Ctrl-C ends it.", err=True)
        n = n_with_face = 0
        try:
            done = record_driver(driver, writer, seconds)
            n, n_with_face = done.n, done.n_with_face
        except KeyboardInterrupt:  # the usual way to end it
            n, n_with_face = writer.n, writer.n_with_face
        if n_with_face == 0:
            raise NoDriverFaceError(
                f"{driver.description}, in which no frame shows a face",
                "one person's face, at least about 60 pixels across",
                "Sit in the light, face the camera, and try again.",
            )
    typer.echo(f"{output}: {n} expressions, {n_with_face} with a face", err=True)
