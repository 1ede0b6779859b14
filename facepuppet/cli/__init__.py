"""The command line: one module a command, heavy imports only inside the command that needs them."""

from facepuppet.cli.app import main

__all__ = ["main"]
