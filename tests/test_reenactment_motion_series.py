"""Motion metrics on motions whose truth is known: the scripted performance, and series made by hand."""

import numpy as np
import pytest
from reenactment import motion_series
from scripted_faces import tracking_at

from facepuppet.face.topology import OUTER_CORNERS

FPS = 30.0


@pytest.fixture(scope="module")
def landmarks():
    return np.stack([tracking_at(n / FPS, n).face.landmarks_px for n in range(360)])


@pytest.fixture(scope="module")
def series(landmarks):
    return motion_series.channels_of(landmarks)


def test_channels_agree_with_themselves(series):
    for name in motion_series.CHANNELS + motion_series.GAZE_ANGLES:
        assert motion_series.correlation(series[name], series[name]) == pytest.approx(1.0)
        assert motion_series.gain(series[name], series[name]) == pytest.approx(1.0)


def test_channels_are_what_the_performance_plays(series):
    assert series["yaw"][45] > 0.25  # turned to the image's right at 1.5 s
    assert series["yaw"][84] < -0.25
    assert series["mouth_open"][int(8.25 * FPS)] > series["mouth_open"][0] + 0.1
    assert series["gaze_x"][int(5.4 * FPS)] > 0.05 > -0.05 > series["gaze_x"][int(5.95 * FPS)]
    assert series["gaze_yaw"][int(5.4 * FPS)] > 0.2
    assert series["gaze_y"][int(6.75 * FPS)] > series["gaze_y"][int(6.4 * FPS)]


def test_channels_do_not_depend_on_the_size_of_the_picture(landmarks, series):
    small = motion_series.channels_of(0.5 * landmarks[::30] + np.float32(7))
    for name in motion_series.CHANNELS:
        assert small[name] == pytest.approx(series[name][::30], abs=1e-3)


def test_unseen_frames_are_left_out(landmarks, series):
    gappy = landmarks.copy()
    gappy[10:20] = np.nan
    found = motion_series.channels_of(gappy)
    assert np.isnan(found["yaw"][10:20]).all()
    assert motion_series.correlation(series["yaw"], found["yaw"]) == pytest.approx(1.0)


def test_gain_tells_half_a_motion_and_correlation_does_not_mind(series):
    half = 0.5 * series["yaw"] + 3.0
    assert motion_series.gain(series["yaw"], half) == pytest.approx(0.5)
    assert motion_series.correlation(series["yaw"], half) == pytest.approx(1.0)
    assert motion_series.correlation(series["yaw"], -half) == pytest.approx(-1.0)


def test_nothing_can_be_said_of_a_puppet_that_stands_still(series):
    assert np.isnan(motion_series.correlation(series["yaw"], np.zeros(360)))
    assert motion_series.gain(series["yaw"], np.zeros(360)) == 0.0
    assert np.isnan(motion_series.correlation(series["yaw"][:4], series["yaw"][:4]))


def test_every_blink_of_the_performance_is_found_and_closes(series):
    blinks = motion_series.find_blinks(series, series)
    expected = [round(t * FPS) for t in (0.45, 2.1, 3.45, 4.95, 6.95, 8.9, 10.1, 11.6)]
    assert len(blinks.frames) == len(expected)
    assert np.abs(np.subtract(blinks.frames, expected)).max() <= 1
    assert blinks.closed == len(expected) and blinks.output == blinks.deepest


@pytest.mark.parametrize(("share", "closed"), [(0.0, 0), (0.3, 0), (0.9, 8), (1.0, 8)])
def test_lids_that_go_part_of_the_way_do_not_count_as_closed(series, share, closed):
    neutral = motion_series.neutral_opening(series)
    output = dict(series)
    for eye in ("eye_left", "eye_right"):
        output[eye] = neutral + share * (series[eye] - neutral)
    assert motion_series.find_blinks(series, output).closed == closed


@pytest.mark.parametrize(("frames_late", "closed"), [(1, 8), (8, 0)])
def test_a_blink_may_come_a_frame_late_but_not_much_later(series, frames_late, closed):
    output = {name: np.roll(values, frames_late) for name, values in series.items()}
    assert motion_series.find_blinks(series, output).closed == closed


def test_a_lost_face_closes_nothing(series):
    lost = {name: values.copy() for name, values in series.items()}
    blink = motion_series.find_blinks(series, series).frames[2]
    for values in lost.values():
        values[blink - 8 : blink + 8] = np.nan
    found = motion_series.find_blinks(series, lost)
    assert found.closed == len(found.frames) - 1 and found.output[2] == float("inf")


def test_gaze_counts_while_the_eyes_are_open(series):
    open_ = motion_series.both_open(series, series)
    for blink in motion_series.find_blinks(series, series).frames:
        assert not open_[blink]
    assert open_.mean() > 0.7


def test_jitter_sees_tremble_and_not_steady_motion(landmarks):
    unit = np.linalg.norm(np.subtract(*landmarks[0, OUTER_CORNERS, :2]))
    drift = landmarks[0] + np.arange(20, dtype=np.float32)[:, None, None] * np.float32(2.0)
    assert motion_series.jitter(drift) == pytest.approx(0.0, abs=1e-5)
    trembling = drift.copy()
    trembling[::2, :, 0] += 1.0  # one pixel to and fro: second differences of two pixels
    assert motion_series.jitter(trembling) == pytest.approx(2.0 / unit, rel=1e-3)


def test_landmark_distance_is_in_inter_ocular_distances(landmarks):
    unit = np.linalg.norm(np.subtract(*landmarks[0, OUTER_CORNERS, :2]))
    moved = landmarks[0] + np.array([0.06 * unit, 0.08 * unit, 40.0], np.float32)
    assert motion_series.landmark_distance(landmarks[0], moved) == pytest.approx(0.1, rel=1e-4)
    assert motion_series.landmark_distance(landmarks[0], landmarks[0]) == 0.0
