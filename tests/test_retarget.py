"""Relative motion: what the driver does goes over, what the driver is does not."""

from dataclasses import replace

import numpy as np
import pytest
from avatars import hopper
from fakes import Follower
from hypothesis import given, settings
from hypothesis import strategies as st

from facepuppet.core.geometry import euler_from_rotation, geodesic_angle, rotation_from_euler
from facepuppet.core.types import N_BLENDSHAPES, Blendshapes, FacePose, HeadPose, Presence
from facepuppet.drivers.camera.profile import neutral_from
from facepuppet.drivers.camera.tracking import Face, Torso, Tracking
from facepuppet.drivers.scripted import Performance
from facepuppet.face.arkit import ARKIT_INDEX
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.deformation import compose_landmarks
from facepuppet.face.gaze import eye_openings
from facepuppet.face.head_pose import fit_head
from facepuppet.face.irises import iris_position
from facepuppet.face.topology import (
    EYES,
    FACE_OVAL,
    LOWER_LIP_INNER,
    N_MESH,
    OUTER_CORNERS,
    UPPER_LIP_INNER,
)
from facepuppet.portrait.safe_range import ASSUMED_POSE, SafeRange
from facepuppet.retarget import Retargeter, Target
from facepuppet.retarget.deltas import deltas_of
from facepuppet.retarget.limits import limit_gaze, limit_lids, limit_mouth, limit_turn, soft_limit

UNIT_PX = 170.0


def tracking(
    second, *, head=None, rotation=None, shift_px=(0.0, 0.0), scale=1.0, shoulders_px=None, face=True
) -> Tracking:
    """A perfect tracker's view of a head-frame face."""
    head = canonical_landmarks() if head is None else head
    rotation = np.eye(3) if rotation is None else rotation
    landmarks = UNIT_PX * scale * head @ rotation.T
    landmarks[:, :2] += np.array([640, 300]) + shift_px
    seen = Face.of(landmarks.astype(np.float32))
    torso = None if shoulders_px is None else Torso(np.array(shoulders_px, np.float32), 1.0)
    return Tracking(seen if face else None, torso, (1280, 720), int(second * 30), int(second * 1e9))


def expression(**shapes) -> np.ndarray:
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    for name, value in shapes.items():
        weights[ARKIT_INDEX[name]] = value
    return compose_landmarks(canonical_landmarks(), weights)


def follow(*later: Tracking):
    """Motions of a retargeter that saw the driver at rest first."""
    retargeter = Follower(hopper())
    retargeter.update(tracking(0.0))
    retargeter.update(tracking(1.0))  # the presence machine has arrived
    return [retargeter.update(t) for t in later]


def presences(*later: Tracking) -> list[Presence]:
    """How the puppet stands to its driver at each of these."""
    retargeter = Follower(hopper())
    retargeter.update(tracking(0.0))
    told = []
    for seen in later:
        retargeter.update(seen)
        told.append(retargeter.presence)
    return told


def test_a_driver_at_rest_leaves_the_portrait_as_it_is():
    (motion,) = follow(tracking(2.0))
    assert np.abs(motion.landmarks_px - hopper().landmarks_px).max() < 0.1
    assert presences(tracking(2.0)) == [Presence.PRESENT]
    assert motion.head.scale == pytest.approx(1.0, abs=1e-4)
    assert np.allclose(motion.eye_opening, 1.0, atol=0.01)


@given(st.floats(0.8, 1.3), st.floats(0.8, 1.3), st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_the_driver_s_face_shape_never_shows(width, height, seed):
    """Whatever the driver's resting face looks like, at rest the portrait keeps its own."""
    shape = canonical_landmarks() * np.array([width, height, 1.0], np.float32)
    shape += np.random.default_rng(seed).normal(0, 0.02, shape.shape).astype(np.float32)
    retargeter = Follower(hopper())
    retargeter.update(tracking(0.0, head=shape))
    motion = retargeter.update(tracking(1.0, head=shape))
    unit = np.linalg.norm(np.subtract(*hopper().landmarks_px[OUTER_CORNERS, :2]))
    moved = np.abs(motion.landmarks_px[:, :2] - hopper().landmarks_px[:, :2])
    # Lids and folds: an eye tracked narrower than any relaxed one counts as a little shut.
    assert moved.max() < 0.04 * unit


@given(st.floats(-0.3, 0.3), st.floats(-0.2, 0.2), st.floats(-0.3, 0.3))
@settings(max_examples=25, deadline=None)
def test_small_turns_go_over_nearly_whole(yaw, pitch, roll):
    rotation = rotation_from_euler(yaw, pitch, roll)
    (motion,) = follow(tracking(2.0, rotation=rotation))
    turned = euler_from_rotation(motion.head.rotation)
    for got, wanted in zip(turned, (yaw, pitch, roll), strict=True):
        assert np.sign(got) == np.sign(wanted) or abs(wanted) < 0.02
        assert 0.8 * abs(wanted) - 0.02 <= abs(got) <= abs(wanted) + 0.02


def test_huge_turns_stay_within_what_one_picture_can_show():
    (motion,) = follow(tracking(2.0, rotation=rotation_from_euler(1.3, 0.9, 1.2)))
    own = fit_head(hopper().landmarks_px).rotation
    pose = euler_from_rotation(motion.head.rotation @ own)
    assert abs(pose[0]) < 0.8 and abs(pose[1]) < 0.7 and geodesic_angle(motion.head.rotation, np.eye(3)) < 1.2


def test_a_portrait_in_three_quarter_view_turns_back_farther_than_away():
    safe = SafeRange.assumed(0.5, 0.0, 0.0)
    away = euler_from_rotation(limit_turn(rotation_from_euler(0.6, 0, 0), safe))[0]
    back = euler_from_rotation(limit_turn(rotation_from_euler(-0.6, 0, 0), safe))[0]
    assert away < 0.25 < 0.4 < -back <= ASSUMED_POSE[0]


def test_a_measured_range_holds_each_channel_on_each_side():
    safe = SafeRange(
        yaw_rad=(0.1, 0.4), gaze_x=(0.05, 0.3), gaze_y=(0.1, 0.2), mouth_opening=0.2, eye_opening=1.1
    )
    left, right = (euler_from_rotation(limit_turn(rotation_from_euler(y, 0, 0), safe))[0] for y in (-1, 1))
    assert -0.1 <= left < -0.09 and 0.38 < right <= 0.4
    for eye in limit_gaze(np.full((2, 2), -1.0), safe):
        assert eye == pytest.approx((-0.05, -0.1), abs=1e-4)
    assert limit_lids(np.array([0.4, 9.0], np.float32), safe) == pytest.approx([0.4, 1.1], abs=1e-4)
    assert limit_mouth(0.14, safe) == 0.14 and 0.19 < limit_mouth(0.5, safe) <= 0.2


def test_eyes_look_as_far_as_the_driver_s_until_near_the_limit():
    safe = SafeRange()
    near, far = limit_gaze(np.array([[-0.31, 0.2], [2.0, -2.0]]), safe)
    assert near == (-0.31, 0.2)
    assert far == pytest.approx((safe.gaze_x[1], -safe.gaze_y[0]), abs=1e-4)


def test_the_live_loop_keeps_within_the_avatar_s_range():
    avatar = replace(hopper(), safe_range=SafeRange(yaw_rad=(0.15, 0.3), mouth_opening=0.12))
    wide = expression(jawOpen=1.0)
    retargeter = Follower(avatar)
    retargeter.update(tracking(0.0))
    motion = retargeter.update(tracking(1.0, rotation=rotation_from_euler(-0.9, 0, 0), head=wide))
    assert -0.151 < euler_from_rotation(motion.head.rotation)[0] < -0.13
    assert 0.08 < motion.mouth_opening < 0.125
    free = Follower(hopper())
    free.update(tracking(0.0))
    assert free.update(tracking(1.0, head=wide)).mouth_opening > 0.25


@given(st.floats(-10, 10), st.floats(0.05, 2))
def test_soft_limit_is_odd_monotone_and_bounded(value, limit):
    assert abs(soft_limit(value, limit)) <= limit
    assert soft_limit(-value, limit) == pytest.approx(-soft_limit(value, limit))
    assert soft_limit(value + 0.1, limit) >= soft_limit(value, limit)


@pytest.mark.parametrize("eye_scale", [0.6, 1.0, 1.6])
def test_a_blink_shuts_eyes_of_any_size(eye_scale):
    """The portrait's eyes are made smaller or larger; a shut driver's eye shuts them all the same."""
    avatar = hopper()
    landmarks = avatar.landmarks_px.copy()
    for eye in EYES:
        middle = (landmarks[eye.upper_lid] + landmarks[eye.lower_lid]) / 2
        for lid in (eye.upper_lid, eye.lower_lid):
            landmarks[lid] = middle + eye_scale * (landmarks[lid] - middle)
    retargeter = Follower(replace(avatar, landmarks_px=landmarks))
    retargeter.update(tracking(0.0))
    retargeter.update(tracking(1.0))
    motion = retargeter.update(tracking(2.0, head=expression(eyeBlinkLeft=1.0, eyeBlinkRight=1.0)))
    assert motion.eye_opening.max() < 0.02
    for eye in EYES:
        gap = np.linalg.norm(
            motion.landmarks_px[eye.upper_lid, :2] - motion.landmarks_px[eye.lower_lid, :2], axis=1
        )
        assert gap.max() < 0.5  # px


def test_one_eye_can_wink():
    (motion,) = follow(tracking(2.0, head=expression(eyeBlinkRight=1.0)))  # the person's right: image left
    assert motion.eye_opening[0] < 0.05 and motion.eye_opening[1] > 0.9


@pytest.mark.parametrize("apart", [-0.2, 0.2])
def test_eyes_that_cross_or_diverge_do_so_and_others_look_at_one_thing(apart):
    def looking(half):
        gaze = np.array([[0.05 - half, 0.0], [0.05 + half, 0.0]])
        still = Blendshapes(np.zeros(N_BLENDSHAPES, np.float32))
        face = FacePose(HeadPose(np.zeros(3, np.float32)), gaze, np.ones(2, np.float32), still)
        motion = Target(hopper()).motion(deltas_of(face, None))
        return iris_position(motion.landmarks_px) - iris_position(hopper().landmarks_px)

    one_thing, each_its_own = looking(apart / 4), looking(apart)
    assert one_thing[0] == pytest.approx(one_thing[1], abs=1e-5) and one_thing[0, 0] > 0.04
    assert (each_its_own[1, 0] - each_its_own[0, 0]) / 2 == pytest.approx(apart, abs=0.05)
    assert each_its_own[:, 0].mean() == pytest.approx(one_thing[:, 0].mean(), abs=0.02)


def test_gaze_moves_the_irises_and_nothing_else():
    (right,) = follow(tracking(2.0, head=expression(eyeLookOutLeft=0.7, eyeLookInRight=0.7)))
    rest = hopper().landmarks_px
    for eye in EYES:
        width = np.linalg.norm(rest[eye.outer, :2] - rest[eye.inner, :2])
        moved = right.landmarks_px[eye.iris, :2] - rest[eye.iris, :2]
        assert (moved[:, 0] > 0.05 * width).all()  # to the image's right
        assert np.ptp(moved, axis=0).max() < 0.02 * width  # rigidly
        corners = np.abs(right.landmarks_px[[eye.outer, eye.inner]] - rest[[eye.outer, eye.inner]])
        assert corners.max() < 0.06 * width


def test_speech_opens_the_mouth_in_proportion():
    half, full = follow(
        tracking(2.0, head=expression(jawOpen=0.3)), tracking(2.1, head=expression(jawOpen=0.6))
    )
    (rest,) = follow(tracking(2.0))
    assert rest.mouth_opening < half.mouth_opening < full.mouth_opening
    assert full.mouth_opening > 0.15


def test_lips_never_pass_through_each_other():
    """The driver's neutral was taken with an open mouth: shutting it must not invert the portrait's."""
    retargeter = Follower(hopper())
    retargeter.update(tracking(0.0, head=expression(jawOpen=0.7)))
    motion = retargeter.update(tracking(1.0, head=expression(mouthPressLeft=0.5, mouthPressRight=0.5)))
    upper, lower = motion.landmarks_px[UPPER_LIP_INNER, 1], motion.landmarks_px[LOWER_LIP_INNER, 1]
    assert (lower - upper).min() > -0.5
    outer = motion.landmarks_px[17, 1] - motion.landmarks_px[14, 1]
    assert outer > 0.5 * (hopper().landmarks_px[17, 1] - hopper().landmarks_px[14, 1])  # red is not swallowed


def test_shoulders_carry_the_torso_and_the_head_goes_with_them():
    rest, lean = [(340.0, 690.0), (940.0, 690.0)], [(420.0, 690.0), (1020.0, 690.0)]
    retargeter = Follower(hopper())
    retargeter.update(tracking(0.0, shoulders_px=rest))
    motion = retargeter.update(tracking(1.0, shift_px=(80.0, 0.0), shoulders_px=lean))
    assert motion.torso.shift_px[0] > 10
    assert motion.head.shift_px[0] == pytest.approx(motion.torso.shift_px[0], abs=4)


def test_rolled_shoulders_roll_the_torso_clockwise():
    retargeter = Follower(hopper())
    retargeter.update(tracking(0.0, shoulders_px=[(340, 690), (940, 690)]))
    motion = retargeter.update(tracking(1.0, shoulders_px=[(340, 660), (940, 720)]))
    assert motion.torso.roll_rad == pytest.approx(0.1, abs=0.02)


def test_without_a_face_it_holds_then_eases_home_and_comes_back():
    turned = rotation_from_euler(0.3, 0.0, 0.0)
    lost = [tracking(2.0 + t, face=False) for t in (0.1, 0.3, 0.8, 3.0)]
    present, held, _, easing, away = follow(tracking(2.0, rotation=turned), *lost)
    told = presences(tracking(2.0, rotation=turned), *lost)
    assert told == [
        Presence.PRESENT,
        Presence.HELD,
        Presence.HELD,
        Presence.EASING,
        Presence.AWAY,
    ]
    assert np.allclose(held.landmarks_px, present.landmarks_px)
    home = hopper().landmarks_px
    assert np.abs(away.landmarks_px - home).max() < 6.0  # it sways a little
    distance = [np.abs(m.landmarks_px - home).max() for m in (held, easing, away)]
    assert distance[0] > distance[1] > distance[2]


def returning(gap_s: float, rotation) -> list[float]:
    """Steps (px) of the fastest landmark but irises, 30 a second, while a held face comes back elsewhere."""
    turned = rotation_from_euler(0.3, 0.0, 0.0)
    lost = [tracking(2.0 + t, face=False) for t in np.arange(1 / 30, gap_s, 1 / 30)]
    back = [tracking(2.0 + gap_s + i / 30, rotation=rotation) for i in range(40)]
    motions = follow(tracking(2.0, rotation=turned), *lost, *back)
    places = np.array([m.landmarks_px[:N_MESH, :2] for m in motions])
    return np.linalg.norm(np.diff(places, axis=0), axis=2).max(1).tolist()


@pytest.mark.parametrize("gap_s", [0.2, 0.35, 0.7])
def test_a_face_that_returns_elsewhere_does_not_make_the_puppet_pop(gap_s):
    """Neither while the pose was held nor while it eased home."""
    elsewhere = rotation_from_euler(-0.3, 0.1, 0.0)
    (old,), (new,) = (
        follow(tracking(2.0, rotation=rotation_from_euler(0.3, 0, 0))),
        follow(tracking(2.0, rotation=elsewhere)),
    )
    jump = np.abs(new.landmarks_px - old.landmarks_px).max()
    steps = returning(gap_s, elsewhere)
    assert jump > 20
    assert max(steps) < 0.02 * np.ptp(hopper().landmarks_px[FACE_OVAL, 1])
    assert max(steps[-3:]) < 0.1  # arrived


def test_a_face_missed_for_one_frame_is_followed_again_at_once():
    elsewhere = rotation_from_euler(0.25, 0.0, 0.0)
    steps = returning(2 / 30, elsewhere)
    assert max(steps[7:]) < 0.1  # the fade is over within five frames of the return


def test_a_face_lost_again_while_fading_is_held_where_it_was_shown():
    turned, elsewhere = rotation_from_euler(0.3, 0.0, 0.0), rotation_from_euler(-0.3, 0.0, 0.0)
    seen = (
        tracking(2.0, rotation=turned),
        tracking(2.2, face=False),
        tracking(2.3, rotation=elsewhere),
        tracking(2.35, face=False),
    )
    _, _, shown, held = follow(*seen)
    assert presences(*seen)[-1] is Presence.HELD
    assert np.allclose(held.landmarks_px, shown.landmarks_px)


def test_a_face_that_returns_to_an_idle_puppet_fades_in_from_rest_alone():
    """The pose of long ago must not come back on the way."""
    turned, nod = rotation_from_euler(0.3, 0.0, 0.0), rotation_from_euler(0.0, 0.15, 0.0)
    away = [tracking(2.0 + t, face=False) for t in (0.3, 1.0, 4.0)]
    back = [tracking(7.0 + i / 30, rotation=nod) for i in range(10)]
    motions = follow(tracking(2.0, rotation=turned), *away, *back)[-10:]
    yaws = [abs(euler_from_rotation(m.head.rotation)[0]) for m in motions]
    assert max(yaws) < 0.04  # it sways by so much, and was turned by 0.3


@pytest.mark.parametrize("start_s", [-333e-9, -1.0, 0.0, 1e6])
def test_time_may_start_anywhere_and_stand_still(start_s):
    """A recording's first frame may lie a hair before its start; a damaged one's clock may stop."""
    turned = rotation_from_euler(0.3, 0.0, 0.0)
    times_s = [0.0, 0.0, 0.1, 0.1, 0.1, 0.4]
    lost = [False, False, False, True, False, False]

    def yaws(begin_s):
        driver = Follower(hopper())
        seen = [
            tracking(begin_s + t, rotation=turned if i else None, face=not gone)
            for i, (t, gone) in enumerate(zip(times_s, lost, strict=True))
        ]
        return [euler_from_rotation(driver.update(one).head.rotation)[0] for one in seen]

    assert yaws(start_s) == pytest.approx(yaws(1.0), abs=1e-6)


def test_before_any_face_the_portrait_idles():
    idle = Follower(hopper())
    motion = idle.update(tracking(0.0, face=False))
    assert idle.presence is Presence.AWAY
    assert np.abs(motion.landmarks_px - hopper().landmarks_px).max() < 0.1


def test_a_held_lean_recentres():
    retargeter = Follower(hopper(), recentre_s=2.0)
    for i in range(3):
        retargeter.update(tracking(i / 10))
    at_once = retargeter.update(tracking(0.5, shift_px=(60.0, 0.0)))
    for i in range(100):
        later = retargeter.update(tracking(0.6 + i / 10, shift_px=(60.0, 0.0)))
    assert at_once.head.shift_px[0] > 10
    assert abs(later.head.shift_px[0]) < 0.1 * at_once.head.shift_px[0]


@pytest.mark.parametrize("known", [False, True], ids=["neutral from the camera", "neutral from a profile"])
def test_recentre_takes_the_next_pose_as_rest(known):
    retargeter = Follower(hopper(), neutral_from([tracking(0.0)]) if known else None)
    retargeter.update(tracking(0.0))
    turned = rotation_from_euler(0.25, 0.1, 0.0)
    retargeter.rest.recentre()
    retargeter.update(tracking(1.0, rotation=turned))
    motion = retargeter.update(tracking(2.0, rotation=turned))
    assert np.abs(motion.landmarks_px - hopper().landmarks_px).max() < 0.1


def test_lids_of_a_driver_who_never_looks_quite_shut_shut_with_a_profile():
    """By the usual ratio, a blink tracked at half the open aperture leaves the portrait's eyes open."""
    half = expression(eyeBlinkLeft=0.5, eyeBlinkRight=0.5)
    neutral = neutral_from([tracking(0.0)])
    own = replace(neutral, eye_shut=eye_openings(half))
    for known, expected in ((neutral, 0.2), (own, 0.0)):
        retargeter = Follower(hopper(), known)
        retargeter.update(tracking(0.0))
        retargeter.update(tracking(1.0))
        opening = retargeter.update(tracking(2.0, head=half)).eye_opening
        assert (opening > expected).all() if expected else opening.max() < 0.02
        assert retargeter.update(tracking(3.0)).eye_opening == pytest.approx([1.0, 1.0], abs=0.01)


def test_neutral_of_a_blinking_sample_still_has_open_eyes():
    shut = tracking(0.0, head=expression(eyeBlinkLeft=1.0, eyeBlinkRight=1.0))
    assert neutral_from([shut]).eye_opening.min() >= 0.2


def test_the_whole_piece_gives_finite_motions():
    retargeter = Retargeter(hopper())
    piece = Performance()
    for i in range(120):
        motion = retargeter.update(piece.expression(i / 10, i))
        assert np.isfinite(motion.landmarks_px).all() and motion.frame_id == i
