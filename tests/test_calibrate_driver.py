"""Driver profiles: the resting face is found among restless ones, or refused."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from pictures import canvas, hopper_rgb
from typer.testing import CliRunner

from calibrate.cli import app
from calibrate.driver import resting_face
from facepuppet.errors import NoDriverFaceError, ProfileError
from facepuppet.geometry import rotation_from_euler
from facepuppet.performance import Performance
from facepuppet.profile import most_neutral, restlessness
from facepuppet.profile_file import load_profile
from facepuppet.track.arkit import ARKIT_INDEX
from facepuppet.track.canonical import canonical_landmarks
from facepuppet.track.expression import compose_landmarks
from facepuppet.types import Tracking


def tracking(rotation=None, **shapes):
    weights = np.zeros(52, np.float32)
    for name, value in shapes.items():
        weights[ARKIT_INDEX[name]] = value
    head = compose_landmarks(canonical_landmarks(), weights)
    points = (150 * head @ (np.eye(3) if rotation is None else rotation).T + 300).astype(np.float32)
    face = replace(Performance().tracking(0.0, 0).face, landmarks_px=points)
    return Tracking(face, None, (640, 640), 0, 0)


def test_restlessness_tells_rest_from_everything_else():
    restless = [
        tracking(rotation_from_euler(0.5, 0, 0)),
        tracking(jawOpen=0.6),
        tracking(eyeBlinkLeft=1, eyeBlinkRight=1),
        tracking(eyeLookOutLeft=1, eyeLookInRight=1),
    ]
    usual = [tracking()] * 5  # so that the person's usual mouth width is known
    unrest = restlessness([*usual, *restless, tracking(mouthPucker=0.9)])
    assert unrest[:5].max() < 0.15 < unrest[5:].min()
    assert unrest[5:8].min() > 0.4


def test_the_resting_face_of_a_lively_piece_is_the_neutral_one():
    piece = Performance()
    trackings = [piece.tracking(i / 15, i) for i in range(180)]
    neutral = resting_face(trackings, "the piece")
    assert np.abs(neutral.landmarks_head - canonical_landmarks()).max() < 0.03
    assert most_neutral(trackings) in range(180)


def test_nobody_at_rest_is_refused():
    piece = Performance()
    talking = [piece.tracking(8.25, i) for i in range(10)]
    with pytest.raises(ProfileError, match="open mouth"):
        resting_face(talking, "a shout")


def test_nobody_there_is_named():
    empty = [Tracking(None, None, (640, 480), i, i) for i in range(10)]
    with pytest.raises(NoDriverFaceError, match="0 of 10"):
        resting_face(empty, "an empty room")


def test_the_command_writes_a_profile_that_run_can_read(tmp_path):
    picture, out = tmp_path / "frames", tmp_path / "me.toml"
    picture.mkdir()
    for i in range(6):
        cv2.imwrite(str(picture / f"{i}.png"), canvas((hopper_rgb(), (640, 330), 1.0, 0.0))[..., ::-1])
    result = CliRunner().invoke(app, ["driver", str(picture), "--out", str(out), "--seconds", "2"])
    assert result.exit_code == 0, result.output
    assert load_profile(out).eye_opening.min() >= 0.2
