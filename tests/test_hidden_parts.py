from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facepuppet.core.types import F32, NO_PARTS, Part, Parts
from facepuppet.face.topology import CHIN, EYES, LIPS_INNER
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.hidden_parts import BEFORE_NS, EASE_S, HOLD_S, HiddenParts

FRAME_NS = 33_333_333
MOUTH = frozenset({Part.MOUTH})
LIP = int(LIPS_INNER[5])
LID = int(EYES[0].upper_fold[3])


def deltas(lower: float, *, eyes: float = 1.0) -> Deltas:
    """A face whose points have all gone down by so much."""
    offsets = np.zeros((478, 3), np.float32)
    offsets[:, 1] = lower
    return replace(Deltas.rest(), offsets=offsets, eye_opening=np.full(2, eyes, np.float32))


def play(*frames: tuple[int, float, Parts]) -> list[Deltas]:
    """Show so many frames each of a face that is so low, of which parts are hidden."""
    parts, shown, n = HiddenParts(), [], 0
    for count, lower, hidden in frames:
        for _ in range(count):
            shown.append(parts.update(deltas(lower), hidden, n * FRAME_NS))
            n += 1
    return shown


def low(shown: list[Deltas], point: int = LIP) -> F32:
    return np.array([one.offsets[point, 1] for one in shown])


def test_where_all_is_seen_nothing_changes() -> None:
    given = deltas(0.1)
    assert HiddenParts().update(given, NO_PARTS, 0) is given


def test_a_hidden_mouth_holds_what_it_showed_before_it_was_noticed() -> None:
    noticed_late = int(BEFORE_NS / FRAME_NS) - 1
    shown = low(play((60, 0.1, NO_PARTS), (noticed_late, 0.5, NO_PARTS), (30, 0.5, MOUTH)))
    held = shown[-30:]
    assert np.abs(np.diff(held[:5])).max() < 0.25, "no jump back"
    assert np.abs(held[5 : int(HOLD_S * 30)] - 0.1).max() < 0.01
    assert held.max() <= 0.5


def test_it_eases_to_how_it_was_held_of_late_and_stays() -> None:
    talk = [(3, 0.2 * (n % 2), NO_PARTS) for n in range(40)]
    shown = low(play(*talk, (120, 0.9, MOUTH)))
    eased = shown[-120 + int((HOLD_S + EASE_S) * 30) + 2 :]
    assert np.ptp(eased) < 1e-3
    assert eased[0] == pytest.approx(0.1, abs=0.03)
    assert np.abs(np.diff(shown[-115:])).max() < 0.02, "softly"


def test_what_is_seen_again_is_followed_softly_and_then_exactly() -> None:
    shown = low(play((60, 0.1, NO_PARTS), (30, 0.5, MOUTH), (20, 0.6, NO_PARTS)))
    back = shown[-20:]
    assert np.all(np.diff(back) >= -1e-6) and np.diff(shown[-21:]).max() < 0.2
    assert back[-1] == np.float32(0.6)


def test_a_mouth_that_is_hidden_anew_on_its_way_back_does_not_jump() -> None:
    shown = low(play((60, 0.1, NO_PARTS), (30, 0.5, MOUTH), (3, 0.6, NO_PARTS), (30, 0.6, MOUTH)))
    assert np.abs(np.diff(shown[60:])).max() < 0.2


def test_a_hidden_mouth_takes_the_chin_along_and_leaves_lids_and_brows() -> None:
    (*_, last) = play((60, 0.1, NO_PARTS), (30, 0.5, MOUTH))
    assert last.offsets[CHIN, 1] == pytest.approx(0.1, abs=0.01)
    assert last.offsets[LID, 1] == last.offsets[int(EYES[0].brow_upper[2]), 1] == np.float32(0.5)


def test_hidden_jaw_and_chin_leave_the_mouth() -> None:
    (*_, last) = play((60, 0.1, NO_PARTS), (30, 0.5, frozenset({Part.LOWER_FACE})))
    assert last.offsets[LIP, 1] > 0.45
    assert last.offsets[CHIN, 1] < 0.2


def test_a_hidden_eye_does_what_the_other_does() -> None:
    parts = HiddenParts()
    for n in range(30):
        parts.update(deltas(0.0), NO_PARTS, n * FRAME_NS)
    shut = replace(deltas(0.0), eye_opening=np.array([1.7, 0.0], np.float32))
    for n in range(30, 40):
        shown = parts.update(shut, frozenset({Part.LEFT_EYE}), n * FRAME_NS)
    assert shown.eye_opening.tolist() == pytest.approx([0.0, 0.0], abs=1e-6)
    assert shut.eye_opening[0] == np.float32(1.7), "what was measured is not written to"


def test_two_hidden_eyes_hold() -> None:
    parts, both = HiddenParts(), frozenset({Part.LEFT_EYE, Part.RIGHT_EYE})
    for n in range(60):
        parts.update(deltas(0.0, eyes=0.9), NO_PARTS, n * FRAME_NS)
    for n in range(60, 120):
        shown = parts.update(deltas(0.0, eyes=0.1), both, n * FRAME_NS)
    assert shown.eye_opening.tolist() == pytest.approx([0.9, 0.9], abs=0.01)


def test_who_begins_hidden_begins_at_rest() -> None:
    (first, *_, last) = play((30, 0.5, MOUTH))
    assert low([last])[0] == pytest.approx(0.0, abs=1e-6)
    assert low([first])[0] <= 0.5
