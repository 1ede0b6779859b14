from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepuppet.core.types import Presence
from facepuppet.retarget.presence import PresenceMachine

S = 1_000_000_000
FRAME = S // 30


def play(seen: list[bool], step_ns: int = FRAME) -> list[tuple[Presence, float]]:
    machine = PresenceMachine()
    return [machine.update(face, i * step_ns) for i, face in enumerate(seen)]


def test_a_face_that_stays_is_followed_at_once() -> None:
    assert play([True] * 5) == [(Presence.PRESENT, 1.0)] * 5


def test_nobody_yet_is_away() -> None:
    assert play([False] * 3) == [(Presence.AWAY, 0.0)] * 3


def test_loss_is_held_then_eased_then_away() -> None:
    states = play([True] * 3 + [False] * 60)
    spells = [p for i, (p, _) in enumerate(states) if i == 0 or p is not states[i - 1][0]]
    assert spells == [Presence.PRESENT, Presence.HELD, Presence.EASING, Presence.AWAY]
    count = {p: sum(q is p for q, _ in states) for p in Presence}
    assert count[Presence.HELD] == pytest.approx(0.4 * 30, abs=1)
    assert count[Presence.EASING] == pytest.approx(0.8 * 30, abs=1)
    assert all(b == 1.0 for p, b in states if p is Presence.HELD)
    assert states[-1] == (Presence.AWAY, 0.0)


def test_first_face_after_an_empty_chair_eases_in() -> None:
    blends = [b for _, b in play([False] * 3 + [True] * 12)]
    assert blends[3] == 0.0
    assert blends[-1] == 1.0
    assert np.all(np.diff(blends[3:]) >= 0)


def test_return_while_easing_starts_from_where_it_is() -> None:
    states = play([True] * 3 + [False] * 24 + [True] * 10)
    before, after = states[26], states[27]
    assert before[0] is Presence.EASING and 0.1 < before[1] < 0.9
    assert after[0] is Presence.PRESENT
    assert abs(after[1] - before[1]) < 0.15
    assert states[-1][1] == 1.0


def test_return_during_the_hold_is_not_noticed() -> None:
    assert {b for _, b in play([True] * 3 + [False] * 6 + [True] * 3)} == {1.0}


def test_long_silence_between_updates_means_away() -> None:
    machine = PresenceMachine()
    machine.update(True, 0)
    assert machine.update(False, 60 * S) == (Presence.AWAY, 0.0)
    assert machine.update(True, 61 * S) == (Presence.PRESENT, 0.0)


@pytest.mark.parametrize("start_ns", [-333, -5 * S, 0, 10**18])
def test_time_may_start_anywhere(start_ns: int) -> None:
    seen = [False, *[True] * 9, *[False] * 40, *[True] * 9]
    machine = PresenceMachine()
    assert [machine.update(face, start_ns + i * FRAME) for i, face in enumerate(seen)] == play(seen)


@given(st.lists(st.booleans(), min_size=2, max_size=120), st.integers(-S, 0))
def test_without_any_easing_it_switches(seen: list[bool], start_ns: int) -> None:
    machine = PresenceMachine(0.0, 0.0, 0.0)
    blends = [machine.update(face, start_ns + i * FRAME)[1] for i, face in enumerate(seen)]
    assert blends == [float(face) for face in seen]


@given(st.lists(st.booleans(), min_size=2, max_size=120))
def test_blend_never_jumps(seen: list[bool]) -> None:
    blends = [b for _, b in play(seen, step_ns=S // 100)]
    steepest = 1.5 / 0.25 / 100  # of the smoothstep that eases in, a hundredth of a second
    assert all(0.0 <= b <= 1.0 for b in blends)
    assert np.abs(np.diff(blends)).max() <= steepest + 1e-9
