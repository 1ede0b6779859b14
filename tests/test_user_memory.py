"""What is remembered of a user: learned from calm frames, known at once the next time, never overwritten."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fakes import ScriptedTracker
from scripted_faces import IMAGE_SIZE_PX, tracking_at
from typer.testing import CliRunner

from facepuppet.cli.app import app
from facepuppet.core.errors import SettingsError
from facepuppet.drivers import CHANNELS, CameraDriver, Face, KnownDriver, Rest, Tracking
from facepuppet.drivers import driver_words as words
from facepuppet.drivers.camera.acquaintance import Learner, UsualSeat
from facepuppet.session.user_file import RememberedUser, load_user, save_user
from facepuppet.session.user_memory import UserMemory, forget_user, path_of, remembered_users
from facepuppet.testing import ListSource

S = 1_000_000_000
CAMERA = "HD Webcam"
GREY = np.full((720, 1280, 3), 128, np.uint8)


def sitting(t_s: float, *, right_px: float = 0.0, moving: bool = False) -> Tracking:
    """Somebody at rest, with a tracker's tremble, or in the middle of the piece."""
    seen = tracking_at(t_s % 12.0 if moving else 0.0)
    assert seen.face is not None
    noise = np.random.default_rng(round(t_s * 1000)).normal(0.0, 0.3, (478, 3)).astype(np.float32)
    points = seen.face.landmarks_px + noise + np.array([right_px, 0.0, 0.0], np.float32)
    return replace(seen, face=Face.of(points.astype(np.float32)), captured_ns=round(t_s * S))


def taught(learner: Learner, *, seconds: float = 60.0, right_px: float = 0.0) -> None:
    """A run of which every fourth moment is not calm."""
    for i in range(round(2 * seconds)):
        seen = sitting(i / 2, right_px=right_px, moving=i % 4 == 3)
        assert learner.wants(seen)
        learner.look(seen, 0.4)


@cache
def known(right_px: float = 0.0) -> KnownDriver:
    learner = Learner()
    taught(learner, right_px=right_px)
    learned = learner.learned()
    assert learned is not None
    return learned


def test_calm_frames_teach_how_a_face_rests_and_where_it_sits() -> None:
    learned, rest = known(), sitting(0.0)
    assert rest.face is not None and rest.torso is not None
    pose = learned.seat.pose(IMAGE_SIZE_PX)
    assert pose is not None and pose.shoulders_px is not None
    usual = pose.image_from_head
    assert np.allclose(usual.translation, rest.face.image_from_head.translation, atol=3.0)
    assert usual.scale == pytest.approx(rest.face.image_from_head.scale, rel=0.01)
    assert np.allclose(pose.shoulders_px, rest.torso.shoulders_px, atol=1.0)
    assert learned.light == pytest.approx(0.4) and set(learned.ranges) == set(CHANNELS)
    assert learned.ranges["yaw"].high - learned.ranges["yaw"].low > 5.0


def test_too_little_and_what_is_hidden_teach_nothing() -> None:
    learner = Learner()
    taught(learner, seconds=9.0)
    assert learner.learned() is None
    away = Tracking(None, None, IMAGE_SIZE_PX, 0, 900 * S)
    assert not learner.wants(away)
    soon = replace(sitting(9.0), captured_ns=round(8.6 * S))
    assert not learner.wants(soon), "half a second has not passed"


def test_a_long_run_is_remembered_by_a_fair_sample() -> None:
    learner, seen = Learner(), sitting(0.0)
    for i in range(3000):
        learner.look(replace(seen, captured_ns=i * S), i / 3000)
    kept = [light for _, light in learner._sample]
    assert len(kept) == 240 and 0.4 < np.mean(kept) < 0.6


def test_the_next_run_measures_the_first_frame_and_sits_as_usual() -> None:
    learned = known()
    rest = Rest(learned.neutral, seat=learned.seat)
    face = rest.express(sitting(100.0)).face
    assert face is not None, "no settling"
    assert abs(face.head.shift[0]) < 0.03 and np.abs(face.head.turn).max() < 0.03
    aside = rest.express(sitting(100.1, right_px=85.0)).face
    assert aside is not None and aside.head.shift[0] == pytest.approx(0.5, abs=0.05)


def test_who_sits_elsewhere_or_has_another_picture_settles_as_ever_and_so_does_who_recentres() -> None:
    learned = known()
    far = [sitting(100.0 + i / 30, right_px=400.0) for i in range(40)]
    rest = Rest(learned.neutral, seat=learned.seat)
    faces = [rest.express(one).face for one in far]
    assert faces[0] is None and faces[-1] is not None
    assert abs(faces[-1].head.shift[0]) < 0.05
    square = replace(learned.seat, aspect=1.0)
    assert Rest(learned.neutral, seat=square).express(sitting(1.0)).face is None
    rest = Rest(learned.neutral, seat=learned.seat)
    assert rest.express(sitting(1.0)).face is not None
    rest.recentre()
    assert rest.express(sitting(1.1)).face is None


def test_a_seat_is_the_same_in_a_larger_picture() -> None:
    seat = known().seat
    small, large = seat.pose((640, 360)), seat.pose((1920, 1080))
    assert small is not None and large is not None
    assert large.image_from_head.scale == pytest.approx(3 * small.image_from_head.scale)
    assert UsualSeat.of(large, (1920, 1080)).centre == pytest.approx(seat.centre)


def test_a_camera_driver_is_looked_at_twice_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    source = ListSource([GREY] * 300)
    source.description = f"camera 0 ({CAMERA})"
    monkeypatch.setattr(words, "open_source", lambda spec, fps: source)
    memory = UserMemory("ada", Path("nowhere"))
    driver = words.open_driver(0, user=memory.acquaintance)
    assert isinstance(driver, CameraDriver)
    driver._make_tracker = ScriptedTracker
    while driver.read() is not None:
        pass
    lights = [light for _, light in memory.acquaintance.learner(CAMERA)._sample]
    assert 18 <= len(lights) <= 21 and lights[0] == pytest.approx(128 / 255, abs=0.01)


def test_without_a_user_nobody_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "open_source", lambda spec, fps: ListSource([GREY]))
    driver = words.open_driver(0)
    assert isinstance(driver, CameraDriver) and driver._learner is None


def test_what_a_run_taught_is_known_to_the_next_run_alone_for_that_camera(tmp_path: Path) -> None:
    first = UserMemory("Ada L", tmp_path)
    assert "learned in this run" in first.hint
    taught(first.acquaintance.learner(CAMERA))
    assert str(tmp_path / "Ada L.toml") in first.keep()
    second = UserMemory("Ada L", tmp_path)
    again = second.acquaintance.known(CAMERA)
    assert CAMERA in second.hint and again is not None and again.runs == 1
    assert second.acquaintance.known("another") is None
    before = known()
    assert np.allclose(again.neutral.landmarks_head, before.neutral.landmarks_head, atol=1e-5)
    assert np.allclose(again.neutral.eye_shut, before.neutral.eye_shut, atol=1e-4)
    taught(second.acquaintance.learner(CAMERA), right_px=40.0)
    second.keep()
    third = UserMemory("Ada L", tmp_path).acquaintance.known(CAMERA)
    assert third is not None and third.runs == 2
    assert third.seat.centre[0] - again.seat.centre[0] == pytest.approx(40 / 1280, abs=2e-3)
    assert not list(tmp_path.glob("*.lock"))


def test_one_odd_run_moves_what_is_remembered_by_a_fifth_at_most() -> None:
    usual = replace(known(), runs=10)
    odd = replace(usual.neutral, landmarks_head=usual.neutral.landmarks_head + np.float32(0.1))
    after = usual.after(replace(usual, neutral=odd, runs=1))
    moved = after.neutral.landmarks_head - usual.neutral.landmarks_head
    assert np.allclose(moved, 0.02, atol=1e-5) and after.runs == 11


def test_a_style_is_kept_and_a_run_that_teaches_nothing_writes_nothing(tmp_path: Path) -> None:
    assert "Too few calm moments" in UserMemory("ada", tmp_path).keep() and not list(tmp_path.iterdir())
    memory = UserMemory("ada", tmp_path)
    memory.style = "calm"
    memory.keep()
    assert UserMemory("ada", tmp_path).style == "calm"


def test_who_was_forgotten_in_mid_run_stays_forgotten(tmp_path: Path) -> None:
    save_user(path_of("ada", tmp_path), RememberedUser({CAMERA: known()}))
    memory = UserMemory("ada", tmp_path)
    taught(memory.acquaintance.learner(CAMERA))
    assert remembered_users(tmp_path) == ["ada"]
    forget_user("ada", tmp_path)
    assert memory.keep() == "" and remembered_users(tmp_path) == []
    with pytest.raises(SettingsError, match="nothing is remembered; expected one of those who are: nobody"):
        forget_user("ada", tmp_path)


@pytest.mark.parametrize("name", ["", "../ada", "a/b", ".ada", "x" * 41, "ada\n", "C:x"])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="expected a name of 1 to 40"):
        path_of(name, tmp_path)


DAMAGE: dict[str, tuple[str, str, str, int]] = {
    # what is in the file, what stands there instead, what is told, and how many lines below the former
    "no TOML": ("light = 0.400", "light = = 0.4", "at line", 0),
    "no number": ("light = 0.400", 'light = "bright"', "light bright, not a number from 0 to 1", 0),
    "NaN": ("light = 0.400", "light = nan", "light nan, not", 0),
    "another key": ("aspect = ", "size_px = 3\naspect = ", "'size_px', which means nothing here", 0),
    "no seat": ("turn = [", "turn = [9e9, ", "turn that are not 3 numbers within ±3.2", 0),
    "a range upside down": (
        "yaw = { rest",
        "yaw = { rest = 8, low = 9, high = 3 } # ",
        "yaw with rest",
        0,
    ),
    "schema": ("schema = 1", "schema = 7", "has schema 7", 0),
    "runs": ("runs = 1", "runs = -1", "runs -1", 0),
    "no face": ("landmarks_head = [", "landmarks_head = [ [0, 0, 0],", "arrays of shape", -2),
}


@pytest.mark.parametrize(
    "case",
    [
        case
        if case in ("no TOML", "no number", "a range upside down")
        else pytest.param(case, marks=pytest.mark.thorough)
        for case in DAMAGE
    ],
)
def test_a_damaged_file_is_told_with_its_line_and_never_overwritten(
    case: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    there, instead, told, below = DAMAGE[case]
    path = path_of("ada", tmp_path)
    save_user(path, RememberedUser({CAMERA: known()}))
    text = path.read_text(encoding="utf-8")
    assert text.count(there) == 1
    line = text[: text.index(there)].count("\n") + 1 + below
    path.write_text(text.replace(there, instead), encoding="utf-8")
    damaged = path.read_bytes()
    with pytest.raises(SettingsError, match="It stays as it is") as problem:
        load_user(path)
    assert told in str(problem.value) and f"line {line}" in str(problem.value)
    memory = UserMemory("ada", tmp_path)
    assert memory.acquaintance.known(CAMERA) is None and f"line {line}" in caplog.text
    taught(memory.acquaintance.learner(CAMERA))
    assert memory.keep() == "" and path.read_bytes() == damaged


def test_the_commands_list_show_export_and_forget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facepuppet.session.user_memory.settings_folder", lambda: tmp_path)
    say = CliRunner().invoke
    assert "Nobody is remembered." in say(app, ["user", "list"]).output
    path = path_of("ada")
    save_user(path, RememberedUser({'My "best" cam': replace(known(), runs=3)}, "calm"))
    assert say(app, ["user", "list", "--json"]).output.strip() == '["ada"]'
    shown = say(app, ["user", "show", "ada"]).output
    assert 'My "best" cam: learned in 3 runs, light 0.40, eyes 13% of' in shown and "style calm" in shown
    copy = tmp_path / "copy.toml"
    assert say(app, ["user", "export", "ada", "--output", str(copy)]).exit_code == 0
    assert copy.read_bytes() == path.read_bytes()
    assert math.isclose(load_user(copy).cameras['My "best" cam'].light, 0.4, abs_tol=1e-3)
    assert "Forgotten: " in say(app, ["user", "forget", "ada"]).output and not path.exists()
    assert isinstance(say(app, ["user", "show", "ada"]).exception, SettingsError)
