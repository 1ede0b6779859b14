"""The `facepuppet` program: its commands, and how errors are told."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Annotated

import typer

from facepuppet.cli import (
    bench,
    ctl,
    demo,
    detect,
    devices,
    doctor,
    engines,
    latency,
    record,
    render,
    run,
    serve,
    style,
    user,
)
from facepuppet.core.console import write_in_any_encoding
from facepuppet.core.errors import FacepuppetError

EXIT_ERROR = 2
_EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="facepuppet",
    help="Your face drives a portrait in a live video call, and every frame says it is synthetic.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (demo, run, serve, render, record, detect, devices, doctor, bench, latency):
    name = module.__name__.rpartition(".")[2]
    app.command(name)(getattr(module, name))
# An amount below 0 is no option.
app.command("ctl", cls=ctl.VerbsInHelp, context_settings={"ignore_unknown_options": True})(ctl.ctl)
app.add_typer(engines.app)
app.add_typer(user.app)
app.add_typer(style.app)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from facepuppet.core.version import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def facepuppet(
    debug: Annotated[bool, typer.Option("--debug", help="Log everything; show tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Global options."""
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    # The loop raises what its threads meet, so that one line tells it; the log need not repeat it.
    logging.getLogger("facepuppet.sinks.pacer").setLevel(logging.DEBUG if debug else logging.CRITICAL)


def main(arguments: list[str] | None = None) -> None:
    """Run the program; leaves by SystemExit.

    Args:
        arguments: without the program's name; the process's own if None.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    # Understood anywhere on the line, because that is where people append it.
    arguments = (["--debug"] if debug else []) + [word for word in arguments if word != "--debug"]
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")  # the errors it logs are told in our own words
    write_in_any_encoding()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service's stop is a Ctrl-C to us
    try:
        app(arguments)
    except KeyboardInterrupt:
        sys.exit(_EXIT_INTERRUPTED)
    except Exception as error:
        if debug:
            raise
        if "--json" in arguments:
            with suppress(OSError):  # standard output may be what failed
                typer.echo(json.dumps({"error": _sentence(error)}))
        typer.echo(_sentence(error), err=True)
        sys.exit(EXIT_ERROR)


def _sentence(error: Exception) -> str:
    if isinstance(error, FacepuppetError):
        return f"facepuppet: {error}"
    if isinstance(error, OSError) and error.strerror:
        what = f"'{str(error.filename or 'standard output')[:80]}' ({error.strerror})"
        return f"facepuppet: Got {what}; expected a file or folder that can be used. Check the name."
    return f"facepuppet: unexpected {type(error).__name__}: {error}. Run again with --debug to see where."
