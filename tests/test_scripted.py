"""The scripted piece: a known truth that the rest of the suite is measured against."""

import numpy as np
import pytest
from scripted_faces import tracking_at

from facepuppet.core.geometry import euler_from_rotation, rotation_from_vector
from facepuppet.drivers.scripted import PIECE_S, Performance, ScriptedDriver, weights_at
from facepuppet.face.arkit import ARKIT_INDEX


def test_it_contains_everything_the_demo_promises():
    frames = [Performance().expression(t, i) for i, t in enumerate(np.arange(0, PIECE_S, 1 / 30))]
    poses = np.array([euler_from_rotation(rotation_from_vector(f.face.head.turn)) for f in frames])
    weights = np.array([f.face.deformation.weights for f in frames])
    gaze = np.array([f.face.gaze.mean(0) for f in frames])
    leans = np.array([f.torso.lean for f in frames])
    assert poses[:, 0].max() > 0.3 and poses[:, 0].min() < -0.3  # turns both ways
    assert poses[:, 1].max() > 0.2 and np.ptp(poses[:, 2]) > 0.1  # nods and tilts
    assert np.ptp(gaze[:, 0]) > 0.15 and np.ptp(gaze[:, 1]) > 0.05
    for name in ("jawOpen", "mouthPucker", "mouthSmileLeft", "browInnerUp", "eyeBlinkRight"):
        assert weights[:, ARKIT_INDEX[name]].max() > 0.4, name
    assert np.ptp(leans[:, 0]) > 0.3


def test_it_moves_like_a_person():
    """No landmark jumps: even a blink takes several frames."""
    frames = [tracking_at(t, i) for i, t in enumerate(np.arange(0, PIECE_S, 1 / 30))]
    landmarks = np.array([f.face.landmarks_px for f in frames])
    speed = np.linalg.norm(np.diff(landmarks[..., :2], axis=0), axis=-1).max()
    assert speed < 30  # px a frame, of a face 170 px between the eyes


def test_weights_stay_in_range_and_rest_at_the_ends():
    for t in np.arange(0, PIECE_S, 0.05):
        weights = weights_at(float(t))
        assert weights.min() >= 0 and weights.max() <= 1
    assert weights_at(0.0).max() == 0


@pytest.mark.parametrize("duration_s", [2.0, 6.0, 12.0, 30.0])
def test_any_length_starts_at_rest_and_stays_finite(duration_s):
    piece = Performance(duration_s)
    first = piece.expression(0.0, 0)
    assert np.allclose(first.face.head.turn, 0.0, atol=1e-6)
    for i in range(int(duration_s * 10)):
        assert np.isfinite(tracking_at(i / 10, i, piece).face.landmarks_px).all()


def test_long_shows_repeat_the_piece():
    piece = Performance(3 * PIECE_S)
    a, b = tracking_at(1.5, 0, piece), tracking_at(1.5 + PIECE_S, 1, piece)
    assert np.allclose(a.face.landmarks_px, b.face.landmarks_px, atol=1e-3)


def test_the_driver_plays_the_piece_once():
    driver = ScriptedDriver(2.0, 30.0)
    played = []
    while (expression := driver.read()) is not None:
        played.append(expression)
    assert len(played) == driver.n_frames == 60
    assert [e.frame_id for e in played] == list(range(60))
    assert played[30].captured_ns == 1_000_000_000
    driver.close()
    assert driver.read() is None
