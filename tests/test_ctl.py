"""`facepuppet ctl`: how it finds a run, what it asks for, and what it says where there is none."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from control_rooms import Room, open_room
from program import one_line, run

from facepuppet.control_room import find_room, find_running
from facepuppet.control_room.run_file import this_run, told
from facepuppet.core.errors import ControlRoomError
from facepuppet.session import VERBS


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's state folder: empty."""
    import platformdirs

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return Path(platformdirs.user_state_dir("facepuppet", appauthor=False))


@pytest.fixture
def room(here: Path) -> Iterator[Room]:
    with open_room(here) as opened:
        yield opened


def test_a_run_is_asked_and_tells(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "ctl", "gain", "head", "0.5") == (0, "done: gain head 0.5\n", "")
    assert run(capsys, "ctl", "direction", "smile", "-0.5")[0] == 0  # a number, and no option
    assert run(capsys, "ctl", "panic", "on")[0] == 0 and room.live.control.panic
    assert run(capsys, "ctl", "panic")[0] == 0 and not room.live.control.panic
    assert json.loads(run(capsys, "ctl", "head-speed", "off", "--json")[1]) == {"done": "head-speed"}
    room.obey()
    status, out, _ = run(capsys, "ctl", "state", "--json")
    state = json.loads(out)["state"]
    assert state["directions"]["smile"] == -0.5
    assert status == 0 and state["gains"]["head"] == 0.5 and state["head_speed_rad_s"] is None
    status, out, _ = run(capsys, "ctl", "state")
    assert status == 0 and "puppet one of one, two: away" in out and room.token not in out


def test_a_background_is_the_file_that_the_asker_means(
    room: Room, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((20, 30, 3), 77, np.uint8))
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "ctl", "background", "wall.png")[0] == 0
    room.obey()
    assert room.live.control.puppet.scene.backdrop.word == str(tmp_path / "wall.png")
    assert run(capsys, "ctl", "background", "green")[0] == 0


WRONG = {
    "fly": "Got 'fly'; expected one of state, panic",
    "gain head": "Got amount 'None'; expected a number from 0 to 4",
    "gain head 9": "Got amount '9'; expected a number from 0 to 4",
    "gain head 1 2": "Got gain with 3 values; expected gain REGION AMOUNT.",
    "panic perhaps": "expected on or off",
    "avatar three": "Got avatar 'three'; expected one of one, two.",
    "background no-such.png": "Got background 'no-such.png'",
    "panic --port 1": "Got port 1, where no run is; expected one of",
}


def test_what_cannot_be_done_is_one_line(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    for words, expected in WRONG.items():
        status, out, err = run(capsys, "ctl", *words.split())
        assert (status, out) == (2, "") and expected in one_line(err), words


def test_no_run_and_several_are_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "ctl", "panic")
    assert status == 2 and "no run on this machine" in one_line(err)
    with open_room(here) as one, open_room(here) as two:
        status, _, err = run(capsys, "ctl", "panic")
        assert status == 2 and f"--port: {two.room.port}, {one.room.port}" in one_line(err).replace(
            f"{one.room.port}, {two.room.port}", f"{two.room.port}, {one.room.port}"
        )
        assert run(capsys, "ctl", "panic", "--port", str(two.room.port))[0] == 0
        assert two.live.control.panic and not one.live.control.panic
    assert find_running() == [] and list((here / "running").iterdir()) == []


def test_runs_are_told_to_their_user_alone_and_dead_ones_to_nobody(here: Path) -> None:
    folder = here / "running"
    running = this_run(1234, "secret")
    with told(running, folder):
        (path,) = folder.iterdir()
        assert find_running(folder) == [running]
        if os.name == "posix":
            assert path.stat().st_mode & 0o77 == 0 and folder.stat().st_mode & 0o77 == 0
        for name, other in (
            ("dead", replace(running, pid=2**22 + 5)),
            ("reused", replace(running, begun_s=running.begun_s - 100)),
        ):
            (folder / f"{name}.json").write_text(json.dumps(asdict(other)))
        for name, content in (("a", b""), ("b", b"{"), ("c", b"[1]"), ("d", b"\xff"), ("e", b"[" * 5000)):
            (folder / f"{name}.json").write_bytes(content)
        assert find_running(folder) == [running]
        with pytest.raises(ControlRoomError, match="no answer from the run at port 1234"):
            find_room(1234, folder).ask("GET", "/api/state")
        path.write_bytes(b"another run's by now")
    assert path.exists(), "what is not ours any more stays"


def test_a_home_that_cannot_be_written_closes_no_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    with open_room(tmp_path / "file") as room:
        assert room.ask("GET", "/api/state")[0] == 200
    assert "`facepuppet ctl` will not find this run" in caplog.text


def test_help_and_list_tell_every_verb_without_a_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["ctl", "--help"], ["ctl", "--list"], ["ctl"]):
        status, out, _ = run(capsys, *words)
        told = {line.split()[0] for line in out.splitlines() if line.strip()}
        assert status == 0 and set(VERBS) <= told
    assert [verb["name"] for verb in json.loads(run(capsys, "ctl", "--list", "--json")[1])] == list(VERBS)
