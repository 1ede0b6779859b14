"""A portrait's gates in words, one a line."""

from __future__ import annotations

from calibrate.measures import measure_gates
from facepuppet.avatar.model import Avatar


def gate_lines(avatar: Avatar) -> list[str]:
    """Return "ok" or "BAD", the measure and its limit, for each gate."""
    return [f"  {'ok ' if gate.passed else 'BAD'}  {gate}" for gate in measure_gates(avatar)]
