"""`facepuppet doctor`: what works here, what is missing, and what mends it."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from facepuppet.cli.options import JsonOption


def doctor(as_json: JsonOption = False) -> None:
    """Examine this machine. Exit status 1 when something that facepuppet cannot do without is missing."""
    from facepuppet.diagnose.doctor import Verdict, examine_machine

    checks = examine_machine()
    healthy = all(check.verdict is not Verdict.FAIL for check in checks)
    if as_json:
        typer.echo(json.dumps({"ok": healthy, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        colours = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}
        for check in checks:
            verdict = typer.style(f"{check.verdict.value:<4}", fg=colours[check.verdict])
            typer.echo(f"{verdict}  {check.name:<15} {check.detail}")
            if check.mend:
                typer.echo(f"      {'':<15} → {check.mend}")
    raise typer.Exit(0 if healthy else 1)
