"""Driver profiles: the resting face is found among restless ones, or refused."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from pictures import canvas, hopper_rgb
from scripted_faces import tracking_at
from typer.testing import CliRunner

from calibrate.cli import app
from calibrate.driver_profile import make_profile
from facepuppet.core.errors import CameraMissingError, FacepuppetError, NoDriverFaceError, ProfileError
from facepuppet.core.geometry import rotation_from_euler
from facepuppet.drivers.camera.channels import CHANNELS
from facepuppet.drivers.camera.measure_channels import shut_aperture
from facepuppet.drivers.camera.profile import most_neutral, restlessness
from facepuppet.drivers.camera.profile_file import load_profile
from facepuppet.drivers.camera.tracking import Face, Tracking
from facepuppet.face.arkit import ARKIT_INDEX
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.deformation import compose_landmarks
from facepuppet.face.topology import EYES


def tracking(rotation=None, **shapes):
    weights = np.zeros(52, np.float32)
    for name, value in shapes.items():
        weights[ARKIT_INDEX[name]] = value
    head = compose_landmarks(canonical_landmarks(), weights)
    points = (150 * head @ (np.eye(3) if rotation is None else rotation).T + 300).astype(np.float32)
    return Tracking(Face.of(points), None, (640, 640), 0, 0)


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
    trackings = [tracking_at(i / 15, i) for i in range(180)]
    neutral = make_profile(trackings, "the piece").neutral
    assert np.abs(neutral.landmarks_head - canonical_landmarks()).max() < 0.03
    assert most_neutral(trackings) in range(180)


def test_nobody_at_rest_is_refused():
    talking = [tracking_at(8.25, i) for i in range(10)]
    with pytest.raises(ProfileError, match="open mouth"):
        make_profile(talking, "a shout")


def test_nobody_there_is_named():
    empty = [Tracking(None, None, (640, 480), i, i) for i in range(10)]
    with pytest.raises(NoDriverFaceError, match="0 of 10"):
        make_profile(empty, "an empty room")


def test_ranges_of_a_scripted_piece_are_those_of_its_script():
    profile = make_profile([tracking_at(i / 30, i) for i in range(360)], "the piece")
    ranges = profile.ranges
    assert set(ranges) == set(CHANNELS)
    # As the keyframes have it: turns of 0.34 rad, nods of 0.24, tilts of 0.12; low and high leave out 3 %.
    assert ranges["yaw"].high == pytest.approx(np.degrees(0.34), abs=2)
    assert ranges["yaw"].low == pytest.approx(-np.degrees(0.34), abs=2)
    assert np.degrees(0.12) < ranges["pitch"].high < np.degrees(0.25)
    assert 5 < ranges["roll"].high < 10
    assert ranges["mouth_opening"].high > ranges["mouth_opening"].rest + 0.08
    assert ranges["mouth_width"].low < ranges["mouth_width"].rest - 0.03  # pursed
    assert ranges["mouth_width"].high > ranges["mouth_width"].rest + 0.01  # smile
    assert ranges["brows"].high > ranges["brows"].rest + 0.01
    assert ranges["gaze_x"].high > 0.05 and ranges["gaze_x"].low < -0.05
    assert ranges["lean_x"].high > 0.2 and ranges["lean_x"].low < -0.2
    assert abs(ranges["yaw"].rest) < 1 and abs(ranges["lean_x"].rest) < 0.05
    for r in ranges.values():
        assert r.low <= r.rest <= r.high


def test_lids_that_never_look_quite_shut_have_their_own_shut_aperture():
    """Behind glasses, say, the tracker sees half of every blink."""
    trackings = [narrowed(tracking_at(i / 30, i), 0.4) for i in range(360)]
    neutral = make_profile(trackings, "glasses").neutral
    share = neutral.eye_shut / neutral.eye_opening
    assert share == pytest.approx([0.4, 0.4], abs=0.05)
    unmeasured = make_profile([tracking_at(0.0, i) for i in range(30)], "a stare").neutral
    assert unmeasured.eye_shut / unmeasured.eye_opening == pytest.approx([0.3, 0.3])


def narrowed(seen, least):
    """The same face, whose lids stay apart by the given share of a relaxed eye's aperture."""
    points = seen.face.landmarks_px.copy()
    for eye in EYES:
        upper, lower = eye.upper_lid[1:-1], eye.lower_lid[1:-1]
        rest = np.linalg.norm(canonical_landmarks()[upper] - canonical_landmarks()[lower], axis=1)
        gap = points[lower] - points[upper]
        missing = np.maximum(least * rest * 170.0 - np.linalg.norm(gap[:, :2], axis=1), 0.0)
        points[upper, 1] -= missing / 2
        points[lower, 1] += missing / 2
    return replace(seen, face=replace(seen.face, landmarks_px=points))


def test_shut_is_what_most_blinks_reach_however_rare_they_are():
    apertures = np.full(900, 0.3)
    for begin, deepest in ((100, 0.05), (400, 0.06), (700, 0.02)):
        apertures[begin : begin + 3] = 0.15, deepest, 0.15
    assert 0.05 <= shut_aperture(apertures, 0.3) <= 0.06
    assert shut_aperture(np.full(10, 0.3), 0.3) == pytest.approx(0.3)


@pytest.mark.parametrize(
    "bad",
    [
        tracking(jawOpen=0.7),
        tracking(rotation_from_euler(0.7, 0, 0)),
        tracking(rotation_from_euler(0, -0.7, 0)),
        tracking(eyeBlinkLeft=1, eyeBlinkRight=1),
    ],
    ids=["open mouth", "turned", "head back", "eyes shut"],
)
def test_no_profile_without_a_face_at_rest(bad):
    with pytest.raises(ProfileError, match="Look straight into the camera"):
        make_profile([bad] * 60, "a clip")
    with pytest.raises(ProfileError, match="Look straight into the camera"):
        make_profile([bad] * 120 + [tracking()] * 2, "a clip")  # two frames at rest may be chance
    assert make_profile([bad] * 60 + [tracking()] * 10, "a clip").neutral.eye_opening.min() > 0.2


def test_the_command_writes_a_profile_that_run_can_read(tmp_path):
    picture, out = tmp_path / "frames", tmp_path / "me.toml"
    picture.mkdir()
    for i in range(6):
        cv2.imwrite(str(picture / f"{i}.png"), canvas((hopper_rgb(), (640, 330), 1.0, 0.0))[..., ::-1])
    result = CliRunner().invoke(
        app, ["driver", "--camera", str(picture), "--out", str(out), "--seconds", "2"]
    )
    assert result.exit_code == 0, result.output
    profile = load_profile(out)
    assert profile.neutral.eye_opening.min() >= 0.2 and set(profile.ranges) == set(CHANNELS)


@pytest.mark.parametrize(
    ("camera", "out", "said"),
    [
        ("nobody.mp4", "me.toml", "does not exist"),
        ("text.mp4", "me.toml", "cannot be opened"),
        ("empty", "me.toml", "no readable image"),
        ("wall.png", "me.toml", "face in 0 of 1 frames"),
        ("shout", "me.toml", "open mouth"),
        ("wall.png", "me.txt", "ends in .toml"),
        ("wall.png", "nowhere/me.toml", "mkdir -p"),
        ("wall.png", "folder.toml", "which is a folder"),
        ("me.toml", "me.toml", "also another input or output"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_no_file(tmp_path, monkeypatch, camera, out, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.mp4").write_text("hello")
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "me.toml").write_text("precious")
    cv2.imwrite("wall.png", np.full((300, 300, 3), 110, np.uint8))
    if camera == "shout":
        shout = [tracking(jawOpen=0.8)] * 30
        monkeypatch.setattr("calibrate.watch.track_source", lambda *args: shout)
        camera = "wall.png"
    with pytest.raises(FacepuppetError, match=said):
        CliRunner().invoke(app, ["driver", "--camera", camera, "--out", out], catch_exceptions=False)
    assert (tmp_path / "me.toml").read_text() == "precious"
    assert not (tmp_path / "me.txt").exists()


def test_a_camera_leads_through_the_steps(tmp_path, monkeypatch):
    """With --guide a recording stands for a camera; it ends before the steps do, and nothing is written."""
    cv2.imwrite(str(tmp_path / "me.png"), canvas((hopper_rgb(), (640, 330), 1.0, 0.0))[..., ::-1])
    out = tmp_path / "me.toml"
    with pytest.raises(CameraMissingError, match="--no-guide"):
        words = ["driver", "--camera", str(tmp_path / "me.png"), "--guide", "--out", str(out)]
        CliRunner().invoke(app, words, catch_exceptions=False)
    assert not out.exists()
