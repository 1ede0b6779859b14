"""A portrait's gates in words, one a line."""

from __future__ import annotations

from collections.abc import Iterable

from calibrate.gates import Gate, Severity


def gate_lines(gates: Iterable[Gate]) -> list[str]:
    """Return for each gate "ok", "note" or "BAD", the measure and its limit, and what will suffer."""
    return [_line(gate) for gate in gates]


def _line(gate: Gate) -> str:
    if gate.passed:
        return f"  ok    {gate}"
    return f"  {'BAD ' if gate.severity is Severity.REFUSE else 'note'}  {gate}. {gate.harm}"
