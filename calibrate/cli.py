"""`facepuppet-calibrate`: avatar packs from portraits, driver profiles from people."""

from __future__ import annotations

import signal
import sys
import threading

import typer

from calibrate.commands import avatar, diff, driver, landmarks, report, show, tune, upgrade
from facepuppet.core import FacepuppetError, write_in_any_encoding

ERROR = 2

app = typer.Typer(
    name="facepuppet-calibrate",
    help="Make avatar packs from portraits and driver profiles from people.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (avatar, driver, landmarks, tune, show, diff, upgrade, report):
    name = module.__name__.rpartition(".")[2]
    app.command(name)(getattr(module, name))


def main() -> None:
    """Run the command line; a problem ends in one sentence and exit status 2."""
    write_in_any_encoding()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # cleans up as on Ctrl-C
    try:
        app()
    except FacepuppetError as error:
        typer.echo(str(error), err=True)
        sys.exit(ERROR)
