"""A puppet without its driver: it breathes, blinks and sways, and hands over without a jump."""

from __future__ import annotations

import numpy as np
import pytest
from avatars import hopper
from hypothesis import given, settings
from hypothesis import strategies as st

from facepuppet.core.geometry import rotation_from_vector
from facepuppet.core.types import Expression, Motion
from facepuppet.drivers.scripted import Performance
from facepuppet.face.life_signs import GAP_RANGE_S
from facepuppet.retarget import Deltas, Retargeter
from facepuppet.retarget.idle_life import WAKE_S, IdleLife
from facepuppet.retarget.presence import EASE_IN_S

S = 1_000_000_000
FPS = 30
SWAY_PX = 6.0  # of an idle nose from the portrait's own


def live(seconds: float, *, seed: int = 0, start_ns: int = 0) -> list[Deltas]:
    life = IdleLife(seed)
    return [life.update(start_ns + i * S // FPS) for i in range(round(seconds * FPS))]


def blinks_s(lived: list[Deltas]) -> list[float]:
    """When lids began to fall."""
    opening = [float(deltas.eye_opening[0]) for deltas in lived]
    return [i / FPS for i in range(1, len(opening)) if opening[i] < 1.0 <= opening[i - 1]]


def test_it_begins_at_rest_and_never_stands_still() -> None:
    lived = live(60.0)
    assert not lived[0].turn.any() and not lived[0].lean.any()
    turns = np.array([deltas.turn for deltas in lived[round(WAKE_S * FPS) :]])
    assert np.abs(np.diff(turns, axis=0)).max(axis=1).min() > 0.0
    assert (np.ptp(turns, axis=0) > 0.01).all(), "it sways about every axis"
    assert np.abs(turns).max() < 0.04, "but only a little"


def test_it_breathes_between_the_portrait_and_in() -> None:
    rise = -np.array([deltas.lean[1] for deltas in live(44.0)])[round(WAKE_S * FPS) :]
    assert rise.min() == pytest.approx(0.0, abs=1e-3) and rise.max() == pytest.approx(0.022, abs=1e-3)
    assert 8 <= int((np.diff(np.sign(rise - rise.mean())) > 0).sum()) <= 10  # breaths in 42 s


def test_it_blinks_as_people_do() -> None:
    lived = live(600.0)
    starts = blinks_s(lived)
    gaps = np.diff(starts)
    assert 13 <= len(starts) / 10 <= 21  # a minute
    assert gaps.min() >= GAP_RANGE_S[0]
    assert np.std(np.log(gaps)) > 0.3, "and not like a clock"
    assert min(float(deltas.eye_opening.min()) for deltas in lived) < 0.1, "lids meet"
    shut = np.mean([float(deltas.eye_opening[0]) < 0.5 for deltas in lived])
    assert shut < 0.1


def test_a_seed_decides_and_the_hour_does_not() -> None:
    assert blinks_s(live(60.0, seed=1)) != blinks_s(live(60.0, seed=2))
    for start_ns in (-5 * S, 10**15):
        one, other = live(20.0, seed=1), live(20.0, seed=1, start_ns=start_ns)
        assert np.allclose([d.turn for d in one], [d.turn for d in other], atol=1e-5)
        assert blinks_s(one) == blinks_s(other)


def test_each_spell_begins_at_rest_and_blinks_at_other_times() -> None:
    life = IdleLife()
    spells = []
    for begin_ns in (0, 500 * S):
        life.end()
        spells.append([life.update(begin_ns + i * S // FPS) for i in range(20 * FPS)])
    assert not spells[1][0].turn.any() and spells[1][0].eye_opening.tolist() == [1.0, 1.0]
    assert blinks_s(spells[0]) != blinks_s(spells[1])


def test_a_machine_that_slept_wakes_up_with_open_eyes() -> None:
    life = IdleLife()
    life.update(0)
    assert life.update(3600 * S).eye_opening.tolist() == [1.0, 1.0]
    assert life.update(3600 * S).eye_opening.tolist() == [1.0, 1.0]


def test_the_head_sways_about_the_neck() -> None:
    neck = np.array([0.0, 1.05, 0.75])
    for deltas in live(30.0)[:: FPS // 2]:
        moved = (rotation_from_vector(deltas.turn) @ neck)[:2] + deltas.shift
        assert moved[0] == pytest.approx(neck[0], abs=2e-3)
        assert moved[1] == pytest.approx(neck[1] - 0.6 * deltas.lean[1], abs=8e-3)  # and breathes less


def placed(seen: list[bool], *, fps: int) -> list[Motion]:
    """Motions while a driver who stands in the middle of the piece comes and goes."""
    retargeter, face = Retargeter(hopper()), Performance().expression(1.5, 0).face
    return [
        retargeter.update(Expression(face if here else None, None, i, i * S // fps))
        for i, here in enumerate(seen)
    ]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0.05, 6.0)), min_size=2, max_size=4))
def test_no_hand_over_jumps(spells: list[tuple[bool, float]]) -> None:
    """Whenever the driver comes or goes, the nose moves no faster than it does when one eases in."""
    seen = [False] + [here for here, seconds in spells for _ in range(round(seconds * FPS))]
    motions = placed(seen, fps=FPS)
    noses = np.array([motion.landmarks_px[1] for motion in motions])
    (followed,) = placed([True], fps=FPS)
    way_px = np.abs(followed.landmarks_px[1] - hopper().landmarks_px[1]).max() + SWAY_PX
    steps_px = np.abs(np.diff(noses, axis=0)).max(axis=1)
    assert steps_px.max() < 1.5 / (EASE_IN_S * FPS) * way_px  # the steepest a smoothstep gets


def test_a_followed_driver_is_not_mixed_with_idle_life() -> None:
    followed = placed([True] * 90, fps=FPS)
    assert all(np.array_equal(motion.landmarks_px, followed[0].landmarks_px) for motion in followed)
    returned = placed([False] * 300 + [True] * 30, fps=FPS)[-1]
    assert np.array_equal(returned.landmarks_px, followed[0].landmarks_px)
