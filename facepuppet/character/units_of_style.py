"""Numbers of a style as people write them: "120 ms", "6 / min", "4 deg", or bare where they have no unit."""

from __future__ import annotations

import math
import re
from types import MappingProxyType
from typing import Any

from facepuppet.character.style import ANGLE, DURATION, NUMBER, RATE, Setting

_WRITTEN = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s*(.*)", re.ASCII)
_UNITS = MappingProxyType(
    {
        DURATION: {"s": 1.0, "ms": 1e-3},
        RATE: {"/ min": 1.0, "per minute": 1.0},
        ANGLE: {"deg": math.pi / 180.0, "rad": 1.0},
    }
)
_EXAMPLES = MappingProxyType({DURATION: '"120 ms" or "1.5 s"', RATE: '"6 / min"', ANGLE: '"4 deg"'})


def value_of(said: Any, setting: Setting) -> float:
    """Return what a value of a TOML file means.

    Raises:
        ValueError: no number, another unit, or beyond the bounds; the message says what was expected.
    """
    number = _bare(said) if setting.kind == NUMBER else _with_unit(said, setting.kind)
    if number is None or not 0.0 <= number <= setting.most * (1.0 + 1e-9):  # nor NaN
        raise ValueError(f"from {written(0.0, setting)} to {written(setting.most, setting)}{_how(setting)}")
    return number


def written(value: float, setting: Setting) -> str:
    """Return a value as a TOML file has it."""
    match setting.kind:
        case "duration":
            return f'"{value * 1e3:.0f} ms"'
        case "rate":
            return f'"{_short(value)} / min"'
        case "angle":
            return f'"{_short(math.degrees(value))} deg"'
        case _:
            return f"{float(_short(value))}"


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _how(setting: Setting) -> str:
    return (
        ", without a unit"
        if setting.kind == NUMBER
        else f", with its unit, such as {_EXAMPLES[setting.kind]}"
    )


def _bare(said: Any) -> float | None:
    return float(said) if isinstance(said, int | float) and not isinstance(said, bool) else None


def _with_unit(said: Any, kind: str) -> float | None:
    found = _WRITTEN.fullmatch(said.strip()) if isinstance(said, str) and len(said) < 60 else None
    if found is None:
        return None
    unit = " ".join(found[2].replace("/", "/ ").split())
    return float(found[1]) * _UNITS[kind][unit] if unit in _UNITS[kind] else None
