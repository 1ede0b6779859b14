"""The tool that times the end of a frame times every step of both ways."""

from __future__ import annotations

from avatars import hopper
from finish_time import Stopwatch, draw, measure


def test_every_step_has_a_row_of_four_times() -> None:
    rows = measure(hopper(), draw(hopper(), 2), (256, 144), frames=3)
    names = [row[:28].strip() for row in rows]
    assert names == [
        "RGB: compose",
        "RGB: mark",
        "RGB: convert to I420",
        "RGB in all",
        "I420: compose",
        "I420: mark",
        "I420 in all",
        "either: the puppet's resize",
    ]
    times = {name: [float(time) for time in row[28:].split()] for name, row in zip(names, rows, strict=True)}
    assert all(len(of_one) == 4 and min(of_one) >= 0 for of_one in times.values())
    assert times["RGB in all"][0] >= times["RGB: compose"][0]


def test_a_stopwatch_returns_what_was_done() -> None:
    assert Stopwatch().time("adding", lambda: 1 + 1) == 2
