"""All that can be asked of a run, as plain values."""

from __future__ import annotations

from typing import Any

from facepuppet.session.verbs import VERBS, Choice, Number, Parameter, Word


def all_verbs() -> list[dict[str, Any]]:
    """Return all that can be asked of a run, as plain values."""
    return [
        {
            "name": verb.name,
            "meaning": verb.meaning,
            "key": verb.key,
            "parameters": [_parameter_json(one) for one in verb.parameters],
        }
        for verb in VERBS.values()
    ]


def _parameter_json(parameter: Parameter) -> dict[str, Any]:
    told = {"kind": type(parameter).__name__.lower(), "name": parameter.name, "meaning": parameter.meaning}
    match parameter:
        case Choice():
            return {**told, "words": list(parameter.words)}
        case Number():
            names = ("low", "high", "step", "unit", "can_be_off")
            return {**told, **{name: getattr(parameter, name) for name in names}}
        case Word(words=words) if words:
            return {**told, "words": list(words)}
        case _:
            return told
