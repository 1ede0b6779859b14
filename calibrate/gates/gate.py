"""One measure of a portrait against its limit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """What a missed limit means."""

    REFUSE = "refuse"  # no pack without --force
    WARN = "warn"  # a pack, and a word about what will suffer


@dataclass(frozen=True, slots=True)
class Gate:
    """One measure of a portrait against its limit.

    Attributes:
        label: what is measured, in plain words.
        value: the measure, in unit.
        limit: the limit, in unit.
        unit: of value and limit.
        severity: what it means that the limit is not kept.
        harm: what will suffer then, a sentence in plain words.
        at_least: whether the limit is a minimum; else value's magnitude must not exceed it.
        digits: after the decimal point, in print.
    """

    label: str
    value: float
    limit: float
    unit: str
    severity: Severity
    harm: str
    at_least: bool = False
    digits: int = 0

    @property
    def passed(self) -> bool:
        """Whether the limit is kept."""
        return _keeps(self.value, self.limit, self.at_least)

    def __str__(self) -> str:
        bound = "at least" if self.at_least else "at most"
        return (
            f"{self.label}: {self.value:.{self.digits}f} {self.unit} ({bound} {self.limit:.{self.digits}f})"
        )


def graded(
    label: str,
    value: float,
    unit: str,
    *,
    good: float,
    needed: float | None,
    harm: str,
    at_least: bool = False,
    digits: int = 0,
) -> Gate:
    """Judge a measure by two limits: beyond `needed` it refuses, short of `good` it warns.

    Args:
        label: as in Gate, like those not named here.
        value: the measure.
        unit: of all numbers.
        good: what a good portrait keeps.
        needed: what every portrait must keep; None when a miss never refuses.
        harm: what will suffer.
        at_least: whether the limits are minima.
        digits: in print.
    """
    if needed is not None and not _keeps(value, needed, at_least):
        return Gate(label, value, needed, unit, Severity.REFUSE, harm, at_least, digits)
    return Gate(label, value, good, unit, Severity.WARN, harm, at_least, digits)


def _keeps(value: float, limit: float, at_least: bool) -> bool:
    return value >= limit if at_least else abs(value) <= limit
