"""Rows or columns from a first one to a last one, as slices with a start and a stop."""

from __future__ import annotations

from collections.abc import Iterable


def overlap(one: slice, other: slice) -> slice:
    """Return what is in both; of length 0 where there is nothing."""
    start = max(one.start, other.start)
    return slice(start, max(start, min(one.stop, other.stop)))


def joined(spans: Iterable[slice]) -> slice:
    """Return the least span that holds all those that are longer than 0; of length 0 where none is."""
    there = [span for span in spans if span.start < span.stop]
    if not there:
        return slice(0, 0)
    return slice(min(span.start for span in there), max(span.stop for span in there))


def seen_from(span: slice, start: int) -> slice:
    """Return the same span in numbers that count from `start`."""
    return slice(span.start - start, span.stop - start)
