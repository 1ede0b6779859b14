"""`facepuppet ctl`: ask something of the run that is going on."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from facepuppet.cli.options import JsonOption

_STATE = "state"


class VerbsInHelp(TyperCommand):
    """Names all that can be asked of a run at the end of its help, where somebody asks for that."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the verbs; Typer's versions do not agree on where these types come from."""
        from facepuppet.control_room.verbs_json import all_verbs

        with formatter.section("Verbs"):
            told = [_explained(verb) for verb in all_verbs()]
            formatter.write_dl([(_STATE, "Tell how the run stands."), *told])


def ctl(
    verb: Annotated[str | None, typer.Argument(help="What to do; state tells how the run stands.")] = None,
    values: Annotated[list[str] | None, typer.Argument(help="With which values, in order.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Tell all that can be asked for.")] = False,
    port: Annotated[
        int | None, typer.Option("--port", help="Which run, where several are: the port of its page.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask something of the run that is going on: facepuppet ctl panic on, ctl gain head 0.5, ctl state.

    A switch without a value is turned over.
    """
    from facepuppet.control_room.room_client import find_room

    if listed or verb is None:
        _tell_verbs(as_json)
        return
    room = find_room(port)
    if verb == _STATE:
        state = room.ask("GET", "/api/state")
        typer.echo(json.dumps(state, indent=2) if as_json else "\n".join(_state_lines(state)))
        return
    words = list(values or ())
    room.do(verb, words)
    typer.echo(json.dumps({"done": verb}) if as_json else f"done: {' '.join([verb, *words])}")


def _tell_verbs(as_json: bool) -> None:
    from facepuppet.control_room.verbs_json import all_verbs

    verbs = all_verbs()
    if as_json:
        typer.echo(json.dumps(verbs, indent=2))
        return
    lines = [_explained(verb) for verb in verbs]
    width = max(len(usage) for usage, _ in lines)
    typer.echo("\n".join(f"{usage:{width}}  {meaning}" for usage, meaning in lines))


def _explained(verb: dict[str, Any]) -> tuple[str, str]:
    """Say how a verb is used, and what it does."""
    usage = " ".join([verb["name"], *(_value_words(parameter) for parameter in verb["parameters"])])
    return usage, str(verb["meaning"])


def _value_words(parameter: dict[str, Any]) -> str:
    match parameter["kind"]:
        case "switch":
            return "[on|off]"
        case "choice":
            return "|".join(map(str, parameter["words"]))
        case "number":
            off = "|off" if parameter["can_be_off"] else ""
            return f"{parameter['low']:g}..{parameter['high']:g}{off}"
        case _:
            return str(parameter["name"]).upper()


def _state_lines(told: dict[str, Any]) -> list[str]:
    """Tell a person what matters of the state."""
    state, figures = told["state"], told["figures"]
    on = [name for name in ("panic", "away", "frozen") if state[name]]
    if (told["recording"] or {}).get("on"):
        on.append("recording")
    p95 = figures["latency_p95_ms"]
    delay = "no picture yet" if p95 is None else f"capture to sink p95 {p95:.0f} ms"
    cores = f", {figures['cpu']:.2f} cores" if figures["cpu"] else ""  # unknown at the first look
    hidden = [f"the driver's {', '.join(told['hidden'])} hidden"] if told["hidden"] else []
    lines = [
        f"{told['driver']} → {told['output']}",
        f"puppet {state['puppet']} of {', '.join(state['puppets'])}: {', '.join(on or [state['presence']])}",
        f"{figures['fps']:.1f} pictures a second, {delay}{cores}, quality {state['quality']}",
        f"mark {told['mark']}",
        *hidden,
    ]
    return lines + ([f"last refused: {state['refused']}"] if state["refused"] else [])
