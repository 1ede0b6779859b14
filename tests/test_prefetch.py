"""Iterating ahead: order, errors where they belong, and no thread left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from facepuppet.core.prefetch import prefetch


def test_keeps_order_and_ends() -> None:
    with prefetch(range(1000), depth=3) as numbers:
        assert list(numbers) == list(range(1000))


def test_an_error_comes_where_its_item_would_have() -> None:
    def broken() -> Iterator[int]:
        yield from (1, 2)
        raise KeyError("third")

    taken = []
    with pytest.raises(KeyError, match="third"), prefetch(broken()) as numbers:
        for number in numbers:
            taken.append(number)  # noqa: PERF402 - the items before the error are the point
    assert taken == [1, 2]


def test_works_ahead_but_not_further_than_allowed() -> None:
    made: list[int] = []
    enough = threading.Event()

    def endless() -> Iterator[int]:
        while True:
            made.append(len(made))
            if len(made) == 5:
                enough.set()
            yield made[-1]

    with prefetch(endless(), depth=4) as numbers:
        assert enough.wait(10), "four wait in the queue and a fifth is in hand"
        assert not threading.Event().wait(0.3)
        assert len(made) == 5
        assert next(numbers) == 0


def test_leaving_early_leaves_no_thread() -> None:
    before = threading.active_count()
    with prefetch(iter(int, 1), depth=2) as zeros:
        next(zeros)
    assert threading.active_count() == before
