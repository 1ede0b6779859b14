from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facepuppet.core.geometry import rotation_from_euler
from facepuppet.core.types import Frame
from facepuppet.drivers.camera.smooth import MAX_GAP_S, OneEuro, Response, TrackingSmoother
from facepuppet.drivers.camera.tracking import Face, Torso, Tracking
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.topology import EYES, LIPS, LOWER_LIP_INNER, RIGID, UPPER_LIP_INNER

S = 1_000_000_000
FRAME = S // 30
UNIT_PX = 150.0
N = 150


def tremble(values: np.ndarray) -> float:
    """Size of the second differences in time."""
    return float(np.std(np.diff(values, 2, axis=0), axis=0).mean())


def lag_frames(out: np.ndarray, raw: np.ndarray) -> float:
    """By how many frames out runs behind raw: peak of their correlation, between frames by a parabola."""
    a, b = raw - raw.mean(), out - out.mean()
    shifts = np.arange(-2, 6)
    score = [np.corrcoef(a[6:-8], b[6 + k : len(b) - 8 + k])[0, 1] for k in shifts]
    i = int(np.clip(np.argmax(score), 1, len(shifts) - 2))
    left, middle, right = score[i - 1 : i + 2]
    return float(shifts[i] + 0.5 * (left - right) / (left - 2 * middle + right))


def tracking(i: int, landmarks_head: np.ndarray | None = None, yaw: float = 0.0) -> Tracking:
    head = canonical_landmarks() if landmarks_head is None else landmarks_head
    rotation = rotation_from_euler(yaw, 0.05, 0.0)
    landmarks_px = (UNIT_PX * head @ rotation.T + [640.0, 360.0, 0.0]).astype(np.float32)
    face = Face.of(landmarks_px)
    shoulders_px = np.array([[400.0, 700.0], [880.0, 700.0]], np.float32)
    return Tracking(face, Torso(shoulders_px, 0.9), (1280, 720), i, i * FRAME)


def noisy(t: Tracking, rng: np.random.Generator, noise_px: float = 0.6) -> Tracking:
    assert t.face is not None
    assert t.torso is not None
    shaken = t.face.landmarks_px + rng.normal(0, noise_px, (478, 3)) + rng.normal(0, noise_px, 3)
    shoulders = t.torso.shoulders_px + rng.normal(0, 2.0, (2, 2))
    return replace(
        t,
        face=Face.of(shaken.astype(np.float32)),
        torso=replace(t.torso, shoulders_px=shoulders.astype(np.float32)),
    )


def landmarks(trackings: list[Tracking]) -> np.ndarray:
    return np.stack([t.face.landmarks_px for t in trackings if t.face is not None])


def mouth(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, UPPER_LIP_INNER[5]] - points[:, LOWER_LIP_INNER[5]], axis=1)


def lids(points: np.ndarray) -> np.ndarray:
    eye = EYES[0]
    return np.linalg.norm(points[:, eye.upper_lid[4]] - points[:, eye.lower_lid[4]], axis=1)


def smoothed(trackings: list[Tracking]) -> list[Tracking]:
    smoother = TrackingSmoother()
    return [smoother.smooth(t) for t in trackings]


def test_a_value_that_stays_is_left_alone() -> None:
    one = OneEuro(Response(1.0, 1.0))
    assert [float(one.filter(np.array([3.0]), i * FRAME)[0]) for i in range(5)] == [3.0] * 5


def test_a_step_is_reached() -> None:
    one = OneEuro(Response(1.0, 1.0))
    one.filter(np.array([0.0]), 0)
    values = [float(one.filter(np.array([1.0]), i * FRAME)[0]) for i in range(1, 60)]
    assert 0.0 < values[0] < 1.0
    assert np.all(np.diff(values) >= 0)
    assert values[-1] == pytest.approx(1.0, abs=1e-3)


def test_speed_opens_the_filter() -> None:
    ramp = np.arange(60) / 30.0

    def behind(beta: float) -> float:
        one = OneEuro(Response(0.5, beta))
        return float(ramp[-1] - [one.filter(ramp[i : i + 1], i * FRAME)[0] for i in range(60)][-1])

    assert behind(10.0) < 0.3 * behind(0.0)


def test_time_counts_not_the_number_of_samples() -> None:
    """With no speed term, two half steps towards a constant go as far as one whole step."""
    coarse, fine = OneEuro(Response(1.0, 0.0)), OneEuro(Response(1.0, 0.0))
    for one in (coarse, fine):
        one.filter(np.array([0.0]), 0)
    fine.filter(np.array([1.0]), FRAME)
    assert fine.filter(np.array([1.0]), 2 * FRAME) == pytest.approx(coarse.filter(np.array([1.0]), 2 * FRAME))


def test_channels_have_their_own_responses() -> None:
    one = OneEuro([Response(0.2, 0.0), Response(8.0, 0.0)])
    one.filter(np.zeros(2), 0)
    slow, quick = one.filter(np.ones(2), FRAME)
    assert slow < 0.1 < 0.7 < quick


def test_a_repeated_time_changes_nothing_and_a_gap_starts_afresh() -> None:
    one = OneEuro(Response(0.5, 0.0))
    one.filter(np.array([0.0]), 0)
    first = one.filter(np.array([1.0]), FRAME)
    assert one.filter(np.array([9.0]), FRAME) == first
    assert one.filter(np.array([5.0]), FRAME + int((MAX_GAP_S + 0.1) * S)) == 5.0


def test_a_still_face_trembles_much_less() -> None:
    rng = np.random.default_rng(0)
    raw = [noisy(tracking(i), rng) for i in range(N)]
    out = smoothed(raw)
    before, after = landmarks(raw), landmarks(out)
    assert tremble(after[:, RIGID, :2]) < 0.5 * tremble(before[:, RIGID, :2])
    assert tremble(after[:, LIPS, :2]) < 0.6 * tremble(before[:, LIPS, :2])
    shoulders = [np.stack([t.torso.shoulders_px for t in ts if t.torso is not None]) for ts in (raw, out)]
    assert tremble(shoulders[1]) < 0.4 * tremble(shoulders[0])


def spoken(shape: Callable[[float], float]) -> list[Tracking]:
    """A mouth that opens by shape(t_s) inter-ocular distances, on a trembling face."""
    rng = np.random.default_rng(1)
    frames = []
    for i in range(N):
        head = canonical_landmarks().copy()
        head[LOWER_LIP_INNER[1:-1], 1] += shape(i / 30.0)
        frames.append(noisy(tracking(i, head), rng, 0.3))
    return frames


def test_speech_is_on_time_and_full() -> None:
    raw = spoken(lambda t: 0.07 * (1 - np.cos(2 * np.pi * 4 * t)))  # four syllables a second
    before, after = mouth(landmarks(raw)), mouth(landmarks(smoothed(raw)))
    assert lag_frames(after, before) < 0.5
    assert np.ptp(np.percentile(after, [5, 95])) > 0.9 * np.ptp(np.percentile(before, [5, 95]))


def test_a_blink_is_on_time_and_shuts() -> None:
    frames = []
    for i in range(60):
        head = canonical_landmarks().copy()
        shut = np.exp(-(((i - 30) / 1.8) ** 2))  # about 150 ms
        for eye in EYES:
            gap = head[eye.lower_lid[1:-1], 1] - head[eye.upper_lid[1:-1], 1]
            head[eye.upper_lid[1:-1], 1] += shut * gap
        frames.append(tracking(i, head))
    before, after = lids(landmarks(frames)), lids(landmarks(smoothed(frames)))
    assert abs(int(after.argmin()) - 30) <= 1
    assert after.min() < before.min() + 0.05 * np.ptp(before)


def test_a_turning_head_keeps_up() -> None:
    frames = [tracking(i, yaw=0.4 * np.sin(2 * np.pi * 0.5 * i / 30)) for i in range(N)]
    x = landmarks(frames)[:, 1, 0], landmarks(smoothed(frames))[:, 1, 0]
    assert lag_frames(x[1], x[0]) < 1.5
    assert np.ptp(x[1]) > 0.95 * np.ptp(x[0])


def test_landmarks_and_rotation_tell_the_same_pose() -> None:
    rng = np.random.default_rng(2)
    face = smoothed([noisy(tracking(i, yaw=0.01 * i), rng, 0.2) for i in range(30)])[-1].face
    assert face is not None
    centred = canonical_landmarks()[RIGID] - canonical_landmarks()[RIGID].mean(axis=0)
    seen = face.landmarks_px[RIGID] - face.landmarks_px[RIGID].mean(axis=0)
    np.testing.assert_allclose(seen, UNIT_PX * centred @ face.image_from_head.rotation.T, atol=2.0)


def test_what_was_not_seen_stays_unseen_and_the_rest_is_carried() -> None:
    smoother = TrackingSmoother()
    empty = Tracking(None, None, (1280, 720), 5, 6)
    assert smoother.smooth(empty) == empty


def test_after_a_gap_the_new_pose_is_taken_as_it_is() -> None:
    smoother = TrackingSmoother()
    smoother.smooth(tracking(0))
    late = tracking(60, yaw=0.4)
    assert late.face is not None
    got = smoother.smooth(late).face
    assert got is not None
    np.testing.assert_allclose(got.landmarks_px, late.face.landmarks_px, atol=0.05)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["grid_lrwp9a", "ls_demo1", "vr_4"])
def test_real_speech_is_on_time_and_steadier(shared: Path, name: str) -> None:
    import av

    from facepuppet.drivers.camera.tracker import Tracker

    raw = []
    with Tracker(torso_every=1000) as tracker, av.open(str(shared / "clips" / f"{name}.mp4")) as video:
        for i, picture in zip(range(100), video.decode(video=0), strict=False):
            raw.append(tracker.track(Frame(picture.to_ndarray(format="rgb24"), i, i * FRAME)))
    out = smoothed(raw)
    before, after = landmarks(raw), landmarks(out)
    for measure in (mouth, lids):
        assert lag_frames(measure(after), measure(before)) < 0.5
    # Most of it is true motion, above all on vr_4; the tracker itself leaves little to take out.
    assert tremble(after[:, RIGID, :2]) < 0.93 * tremble(before[:, RIGID, :2])
