"""The measured safe range: bad pictures score badly, and limits lie where they become bad."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from avatars import hopper
from compare import RESAMPLED, Tolerance, assert_pictures_differ, assert_pictures_equal
from hypothesis import given, settings
from hypothesis import strategies as st

from calibrate.reduce import reduced
from calibrate.sweep import Sample, Sweep, measures, sweep
from calibrate.sweep.observe import Observer
from calibrate.sweep.sweeping import limit_from
from calibrate.sweep.travels import CHANNELS, Channel
from facepuppet.core.geometry import rotation_from_euler
from facepuppet.core.types import U8
from facepuppet.face.topology import EYES
from facepuppet.portrait.safe_range import SafeRange
from facepuppet.portrait.views import View, view_box
from facepuppet.vision.face_mesh import FaceMesh


@pytest.fixture(scope="module")
def swept() -> tuple[Sweep, list[tuple[Sample, U8]]]:
    shown: list[tuple[Sample, U8]] = []
    return sweep(hopper(), lambda sample, rgb: shown.append((sample, rgb))), shown


def test_every_limit_is_measured_and_plausible(swept: tuple[Sweep, list[tuple[Sample, U8]]]) -> None:
    found = swept[0].safe_range
    assert swept[0].tracked
    for channel in CHANNELS:
        limit = getattr(found, channel.field)
        limit = limit if channel.side is None else limit[channel.side]
        assert channel.least <= limit <= channel.values[-1] + 0.1
    assert min(found.yaw_rad) > 0.3 and max(found.yaw_rad) < 0.8  # this photo does not bear everything
    assert min(found.pitch_rad) > 0.3 and max(found.pitch_rad) < 0.7
    assert found.mouth_opening > 0.35  # lower teeth that show let a tracker take the lips for nearer


def test_pictures_get_worse_outwards(swept: tuple[Sweep, list[tuple[Sample, U8]]]) -> None:
    for field in ("yaw_rad", "pitch_rad", "gaze_x", "gaze_y"):
        for side in (0, 1):
            row = [s.badness for s in swept[0].samples if (s.field, s.side) == (field, side)]
            assert row[0] < 0.7 and row[-1] > row[0]
    worst = max(s.badness for s in swept[0].samples if s.field == "pitch_rad")
    assert worst > 1.3  # the far nod folds the forehead over the brows


def test_every_sample_is_shown_with_its_picture(swept: tuple[Sweep, list[tuple[Sample, U8]]]) -> None:
    samples, shown = swept[0].samples, swept[1]
    assert [sample for sample, _ in shown] == list(samples)
    assert len(samples) == sum(len(channel.values) for channel in CHANNELS)
    assert all(rgb.dtype == np.uint8 and rgb.shape == shown[0][1].shape for _, rgb in shown)
    rest_like = reduced(hopper(), 512).portrait_rgb
    for _, rgb in shown:  # each of them moved
        assert_pictures_differ(rgb, rest_like, Tolerance(mean=0.05))


def test_a_turned_portrait_turns_no_farther_than_a_profile_unless_another_picture_shows_it() -> None:
    """The yaw that counts is the face's in the picture; a view of that side moves the limit."""
    turned = hopper().landmarks_px.copy()
    middle = turned.mean(0)
    turned = ((turned - middle) @ rotation_from_euler(0.5, 0.0, 0.0).T + middle).astype(np.float32)
    *_, width, height = view_box(turned)
    side = View(turned, np.zeros((height, width, 3), np.uint8))
    far = Channel("yaw_rad", 1, (0.65,), 0.2).deltas(0.65)
    mesh = FaceMesh()
    found = []
    for views in ((), (side,)):
        observer = Observer(dataclasses.replace(hopper(), views=views), mesh)
        found.append(observer.observe(far, "yaw_rad")[2]["profile"])
        back = Channel("yaw_rad", 0, (0.65,), 0.2).deltas(0.65)
        assert observer.observe(back, "yaw_rad")[2]["profile"] == pytest.approx(0.65, abs=0.06)
    mesh.close()
    assert found[0] == pytest.approx(0.65, abs=0.06)
    assert found[1] == pytest.approx(found[0] - 0.5, abs=0.06)


@pytest.mark.slow
def test_an_avatar_s_own_range_does_not_matter(swept: tuple[Sweep, list[tuple[Sample, U8]]]) -> None:
    tight = SafeRange((0.1, 0.1), (0.1, 0.1), (0.1, 0.1), (0.05, 0.05), (0.05, 0.05), 0.1, 1.1)
    assert sweep(dataclasses.replace(hopper(), safe_range=tight)).safe_range == swept[0].safe_range


def test_a_face_that_no_tracker_sees_gets_no_more_than_is_assumed() -> None:
    # Noise, as the painters would paint something like a face on a plain picture.
    noise = np.random.default_rng(0).integers(0, 256, hopper().portrait_rgb.shape, np.uint8)
    unseen = dataclasses.replace(hopper(), portrait_rgb=noise, foreground_rgb=noise, background_rgb=noise)
    found = sweep(unseen)
    assert not found.tracked
    default = SafeRange()
    assert max(found.safe_range.yaw_rad) <= max(default.yaw_rad)
    assert found.safe_range.gaze_x[0] <= default.gaze_x[0]


def samples(*badnesses: float) -> list[Sample]:
    return [Sample("yaw_rad", 1, 0.1 * (i + 1), {}, bad) for i, bad in enumerate(badnesses)]


@pytest.mark.parametrize(
    ("badnesses", "limit"),
    [
        ((0.1, 0.2, 0.3), 0.3),  # never bad: the farthest
        ((0.5, 1.5, 2.0), 0.15),  # half-way between 0.1 and 0.2
        ((2.0, 2.0, 2.0), 0.05),  # bad from the start
        ((9.0, 9.0, 9.0), 0.02),  # but never paralysed
        ((0.2, 3.0, 0.4), 0.3),  # a slip of the tracker
        ((0.2, 0.2, 3.0), 0.229),  # the last one has no successor to excuse it
    ],
)
def test_the_limit_is_where_badness_passes_1(badnesses: tuple[float, ...], limit: float) -> None:
    assert limit_from(samples(*badnesses), 0.02, 0.0) == pytest.approx(limit, abs=1e-3)


@settings(max_examples=100)
@given(st.lists(st.floats(0, 50), min_size=1, max_size=6), st.integers(0, 5))
def test_worse_pictures_never_widen_a_limit(found: list[float], at: int) -> None:
    at %= len(found)
    worse = [bad + 1.0 if i == at else bad for i, bad in enumerate(found)]
    assert limit_from(samples(*worse), 0.01, 0.0) <= limit_from(samples(*found), 0.01, 0.0)


def test_tears_tells_stretching_and_folding_from_moving() -> None:
    rows, columns = np.mgrid[0:200, 0:200].astype(np.float32)
    alpha = np.full((200, 200), 255, np.uint8)
    landmarks = np.zeros((478, 3), np.float32)
    angles = np.linspace(0, 2 * np.pi, 478)
    landmarks[:, :2] = 100 + 60 * np.stack([np.cos(angles), np.sin(angles)], 1)

    def found(x: np.ndarray) -> dict[str, float]:
        return measures.tears(np.dstack([x, rows]), alpha, landmarks)

    assert found(columns + 7) == {"torn": 0.0, "folded": 0.0, "body": 0.0}
    assert found(columns / 2)["torn"] == 0.0  # twice as wide is within bounds
    assert found(columns / 4)["torn"] == 1.0
    assert found(-columns)["folded"] == 1.0
    half = np.where(columns < 100, columns, 100 + (columns - 100) / 5)
    assert 0.4 < found(half)["torn"] < 0.6
    aside = np.where(columns > 170, 170 - columns, columns)
    assert found(aside)["body"] > 0.1 and found(aside)["folded"] == 0.0


def test_detail_falls_with_blur() -> None:
    avatar = hopper()
    blurred = cv2.GaussianBlur(avatar.portrait_rgb, (0, 0), 3)
    sharp = measures.detail(avatar.portrait_rgb, avatar.landmarks_px)
    assert measures.detail(blurred, avatar.landmarks_px) < 0.5 * sharp


def test_irises_hide_behind_corners_and_lids() -> None:
    landmarks = hopper().landmarks_px
    rest = measures.visible_iris(landmarks)
    away = landmarks.copy()
    for eye in EYES:
        away[eye.iris, 0] += 2.0 * float(np.ptp(landmarks[eye.ring, 0]))
    assert rest > 0.03
    assert measures.visible_iris(away) == 0.0


def test_a_reduced_avatar_is_the_same_at_another_scale() -> None:
    avatar = hopper()
    x, y, width, height = view_box(avatar.landmarks_px)
    own = View(avatar.landmarks_px, np.ascontiguousarray(avatar.portrait_rgb[y : y + height, x : x + width]))
    small = reduced(dataclasses.replace(avatar, views=(own,)), 300)
    assert small.size_px == (256, 300)
    assert reduced(avatar, 600) is avatar
    assert small.inter_ocular_px == pytest.approx(avatar.inter_ocular_px / 2, rel=0.01)
    (view,) = small.views
    x, y, width, height = view_box(view.landmarks_px)
    assert view.rgb.shape == (height, width, 3)
    there = small.portrait_rgb[y : y + height, x : x + width]
    assert_pictures_equal(view.rgb, there, RESAMPLED.but(mean=4))  # half as large, so each edge counts twice
