"""A peer that never comes, falls silent, leaves or sends too much ends its session, each in its own way."""

from __future__ import annotations

import pytest

from facepuppet.server.messages import Why
from facepuppet.server.peer_presence import COMES_S, GONE_S, LARGE_S, SILENT_S, Large, LargePictures, Presence

BEGUN_NS = 5_000_000_000


def why(
    *,
    now_s: float,
    came_s: float = 0.0,
    is_connected: bool = True,
    has_left: bool = False,
    lacks_pictures: bool = False,
) -> Why | None:
    came_ns = BEGUN_NS + round(came_s * 1e9)
    over = Presence(BEGUN_NS, came_ns, is_connected, has_left, lacks_pictures).over(
        BEGUN_NS + round(now_s * 1e9)
    )
    return None if over is None else over.why


def test_who_sends_stays() -> None:
    assert all(why(now_s=now_s, came_s=now_s - 0.1) is None for now_s in (0.2, 60.0, 86_400.0))


@pytest.mark.parametrize(("late_s", "expected"), [(-0.1, None), (0.1, Why.LOST)])
def test_who_was_answered_has_a_while_to_connect(late_s: float, expected: Why | None) -> None:
    assert why(now_s=COMES_S + late_s, is_connected=False) is expected


@pytest.mark.parametrize(("late_s", "expected"), [(-0.1, None), (0.1, Why.SILENT)])
def test_who_never_sends_anything_is_silent(late_s: float, expected: Why | None) -> None:
    assert why(now_s=SILENT_S + late_s) is expected


@pytest.mark.parametrize(("late_s", "expected"), [(-0.1, None), (0.1, Why.SILENT)])
def test_a_page_that_talks_makes_up_for_no_camera(late_s: float, expected: Why | None) -> None:
    now_s = SILENT_S + late_s
    assert why(now_s=now_s, came_s=now_s - 0.1, lacks_pictures=True) is expected


@pytest.mark.parametrize(("late_s", "expected"), [(-0.1, None), (0.1, Why.LOST)])
def test_who_sent_and_stopped_is_lost(late_s: float, expected: Why | None) -> None:
    assert why(now_s=30.0 + GONE_S + late_s, came_s=30.0) is expected


def test_who_left_has_left_whatever_else_is_wrong() -> None:
    assert why(now_s=1000.0, has_left=True, is_connected=False, lacks_pictures=True) is Why.LEFT


def test_large_pictures_are_asked_for_smaller_once_then_end_it() -> None:
    large, second_ns = LargePictures(), 1_000_000_000
    assert large.look(0, 0, 0) is None
    said = [large.look(n, n, n * second_ns) for n in range(1, round(LARGE_S) + 3)]
    assert said == [Large.ASK, *[None] * round(LARGE_S), Large.END]


def test_large_pictures_that_come_seldom_end_it_too() -> None:
    large, second_ns = LargePictures(), 1_000_000_000
    said = [large.look(1 + n // 4, 1 + n // 4, n * second_ns) for n in range(13)]
    assert said == [Large.ASK, *[None] * 11, Large.END]


def test_a_peer_that_sends_smaller_ones_begins_anew() -> None:
    large, second_ns = LargePictures(), 1_000_000_000
    assert large.look(3, 3, second_ns) is Large.ASK
    assert large.look(9, 3, 2 * second_ns) is None
    assert large.look(10, 4, 100 * second_ns) is Large.ASK
