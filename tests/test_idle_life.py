"""A puppet without its driver: it breathes, blinks and sways, and hands over without a jump."""

from __future__ import annotations

import random

import numpy as np
import pytest
from avatars import hopper
from hypothesis import given, settings
from hypothesis import strategies as st

from facepuppet.core.geometry import rotation_from_vector
from facepuppet.core.types import F64, N_BLENDSHAPES, Expression, FacePose, HeadPose, Motion
from facepuppet.drivers.scripted import Performance
from facepuppet.face import ARKIT_INDEX, EYES, FACE_OVAL, eye_widths_from_angles, face_of_blendshapes
from facepuppet.face.life_signs import GAP_RANGE_S
from facepuppet.retarget import Deltas, Retargeter
from facepuppet.retarget.idle_gaze import IdleGaze
from facepuppet.retarget.idle_life import WAKE_S, IdleLife
from facepuppet.retarget.idle_posture import IdlePosture

S = 1_000_000_000
FPS = 30


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
    assert np.abs(turns).max() < 0.1, "but only a little"


def test_it_breathes_between_the_portrait_and_in() -> None:
    for seed in range(5):  # before anybody shifts their weight
        rise = -np.array([deltas.lean[1] for deltas in live(8.0, seed=seed)])[round(WAKE_S * FPS) :]
        assert rise.min() == pytest.approx(0.0, abs=1e-3) and rise.max() == pytest.approx(0.022, abs=1e-3)
    chest = np.array([deltas.torso_log_scale - deltas.log_scale for deltas in live(44.0)])
    chest = chest[round(WAKE_S * FPS) :]
    assert 8 <= int((np.diff(np.sign(chest - chest.mean())) > 0).sum()) <= 10  # breaths in 42 s


def test_it_blinks_as_people_do() -> None:
    lived = live(300.0)
    starts = blinks_s(lived)
    gaps = np.diff(starts)
    assert 13 <= len(starts) / 5 <= 21  # a minute
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


def looked(seconds: float, *, rate: int = 1000) -> F64:
    """Gaze (n, 2) in degrees."""
    gaze = IdleGaze(random.Random(0))
    return np.degrees([gaze.update(i / rate) for i in range(round(seconds * rate))])


def saccades(gaze: F64) -> list[tuple[float, float]]:
    """How far (degrees) and how long (seconds) each turn of the eyes was."""
    moving = np.linalg.norm(np.diff(gaze, axis=0), axis=1) > 0.0
    edges = np.flatnonzero(np.diff(moving.astype(int), prepend=0, append=0))
    return [
        (float(np.linalg.norm(gaze[end] - gaze[begin])), (end - begin) / 1000)
        for begin, end in edges.reshape(-1, 2)
    ]


def test_eyes_turn_as_fast_as_human_ones_and_tremble_as_little() -> None:
    found = saccades(looked(60.0))
    for far, lasts_s in found:
        assert lasts_s == pytest.approx(0.021 + 0.0022 * far, abs=0.003)
    small = [far for far, _ in found if far < 1.0]
    assert 1.0 <= len(small) / 60 <= 3.0, "microsaccades a second, and the smallest hops among them"
    assert np.median(small) < 0.5
    assert 0.5 <= (len(found) - len(small)) / 60 <= 1.5, "saccades"


def test_eyes_stay_on_the_viewer_most_of_the_time_and_never_turn_beyond_what_eyes_do_alone() -> None:
    gaze = np.linalg.norm(looked(600.0, rate=FPS), axis=1)
    away = gaze > 4.5
    assert 0.02 < away.mean() < 0.12
    assert 5.0 < gaze.max() < 15.0 + 4.0
    assert 20 <= int((np.diff(away.astype(int)) > 0).sum()) <= 80  # glances in ten minutes


def test_eyes_stay_where_they_look_while_the_head_sways() -> None:
    lived, eyes = live(20.0, seed=3), IdleGaze(random.Random("gaze 3"))
    eyes.begin(0.0)  # as a spell of idle life does
    for i, deltas in enumerate(lived):
        right, down = eyes.update(i / FPS)
        pitch, yaw = deltas.turn[0], -deltas.turn[1]  # head up is negative, head right of the image positive
        seen = eye_widths_from_angles(np.array([right - yaw, down - pitch]))
        assert deltas.gaze == pytest.approx(np.tile(seen, (2, 1)), abs=3e-3)
    assert np.ptp([deltas.turn[1] for deltas in lived]) > 0.03


def test_the_weight_shifts_now_and_then_and_takes_its_time() -> None:
    posture = IdlePosture(random.Random(0))
    seats = [posture.update(i / FPS) for i in range(600 * FPS)]
    leans = np.array([(*seat.lean, seat.roll_rad, *seat.turn) for seat in seats])
    moving = np.abs(np.diff(leans, axis=0)).max(axis=1) > 0.0
    edges = np.flatnonzero(np.diff(moving.astype(int), prepend=0, append=0)).reshape(-1, 2)
    assert 12 <= len(edges) <= 40, "in ten minutes"
    lasted_s = (edges[:, 1] - edges[:, 0]) / FPS
    assert lasted_s.min() > 1.0 and lasted_s.max() < 2.4
    assert ((edges[1:, 0] - edges[:-1, 1]) / FPS).min() > 7.5
    assert np.ptp(leans[:, 0]) > 0.03


def test_no_two_seeds_live_the_same() -> None:
    one, other, again = (live(40.0, seed=seed) for seed in (1, 2, 1))
    for part in ("gaze", "lean", "turn", "eye_opening"):
        first, second, third = (np.array([getattr(d, part) for d in lived]) for lived in (one, other, again))
        assert np.array_equal(first, third) and not np.allclose(first, second, atol=1e-3), part


def test_a_machine_that_slept_wakes_up_with_open_eyes() -> None:
    life = IdleLife()
    life.update(0)
    assert life.update(3600 * S).eye_opening.tolist() == [1.0, 1.0]
    assert life.update(3600 * S).eye_opening.tolist() == [1.0, 1.0]


def test_the_head_sways_about_the_neck() -> None:
    neck = np.array([0.0, 1.05, 0.75])
    for deltas in live(8.0)[:: FPS // 4]:  # before anybody shifts their weight
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


def largest_step(motions: list[Motion]) -> float:
    """The farthest that any point but lids and irises goes in a frame, over the height of the face."""
    eyes = np.concatenate([[*eye.ring, *eye.upper_fold, *eye.lower_fold, *eye.iris] for eye in EYES])
    points = np.delete(np.array([motion.landmarks_px[:, :2] for motion in motions]), eyes, axis=1)
    steps_px = np.linalg.norm(np.diff(points, axis=0), axis=2)
    return float(steps_px.max() / np.ptp(hopper().landmarks_px[FACE_OVAL, 1]))


@settings(max_examples=4, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0.05, 3.0)), min_size=2, max_size=4))
def test_no_hand_over_jumps(spells: list[tuple[bool, float]]) -> None:
    """Whenever the driver comes or goes, no point moves by more than 2 % of the face in a frame."""
    seen = [False] + [here for here, seconds in spells for _ in range(round(seconds * FPS))]
    assert largest_step(placed(seen, fps=FPS)) < 0.02


def test_idle_life_moves_by_a_tenth_of_what_may_be_seen_as_a_jump() -> None:
    assert largest_step(placed([False] * 30 * FPS, fps=FPS)) < 0.002


def test_a_wild_driver_who_comes_and_goes_is_handed_over_without_a_jump_and_then_followed() -> None:
    retargeter, far = Retargeter(hopper()), placed_far()
    seen = [False] * 60 + [True] * 90 + [False] * 90 + [True] * 5 + [False] * 12 + [True] * 90
    motions = [
        retargeter.update(Expression(far if here else None, None, i, i * S // FPS))
        for i, here in enumerate(seen)
    ]
    assert largest_step(motions) < 0.02
    followed = Retargeter(hopper()).update(Expression(far, None, 0, 0))
    assert np.array_equal(motions[149].landmarks_px, followed.landmarks_px)
    assert np.array_equal(motions[-1].landmarks_px, followed.landmarks_px)


def placed_far() -> FacePose:
    """Somebody who leans and turns as far as a portrait goes, mouth open."""
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    weights[ARKIT_INDEX["jawOpen"]] = 1.0
    return face_of_blendshapes(weights, HeadPose(np.array([0.4, -0.6, 0.5], np.float32), (0.8, -0.4), 0.3))


def test_a_followed_driver_is_not_mixed_with_idle_life() -> None:
    followed = placed([True] * 90, fps=FPS)
    assert all(np.array_equal(motion.landmarks_px, followed[0].landmarks_px) for motion in followed)
    returned = placed([False] * 300 + [True] * 60, fps=FPS)[-1]
    assert np.array_equal(returned.landmarks_px, followed[0].landmarks_px)
