"""Making a pack that cannot be finished leaves nothing behind, and a good one loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from avatars import hopper

from calibrate.outputs import check_pack_target
from facepuppet.core.errors import OutputUnwritableError
from facepuppet.portrait.load import sample_portrait_path
from facepuppet.portrait.pack import Pack, load_pack, save_pack

resource = pytest.importorskip("resource")  # limits of a process are POSIX
ROOT = Path(__file__).resolve().parents[1]
RIGHT = ("--right", "public-domain")


def start(folder: Path, out: str, file_limit: int | None = None) -> subprocess.Popen[str]:
    """Run `facepuppet-calibrate avatar` in a folder; file_limit bounds the files it can write, in bytes."""

    def bounded() -> None:
        if file_limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then writing fails, as on a full disk
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

    command = [
        sys.executable,
        "-u",
        "-m",
        "calibrate",
        "avatar",
        str(sample_portrait_path()),
        "--out",
        out,
        *RIGHT,
    ]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=bounded,
    )


@pytest.mark.parametrize("stop", [pytest.param(signal.SIGINT, marks=pytest.mark.thorough), signal.SIGTERM])
def test_an_interrupted_run_leaves_the_old_pack_as_it_was(tmp_path: Path, stop: signal.Signals) -> None:
    (tmp_path / "me.puppet").write_bytes(b"the old one")
    process = start(tmp_path, "me.puppet")
    assert process.stdout is not None
    for line in process.stdout:
        if "Measuring" in line:
            break
    process.send_signal(stop)
    _, err = process.communicate(timeout=120)
    assert process.returncode not in (0, 2)
    assert "Traceback" not in err
    assert (tmp_path / "me.puppet").read_bytes() == b"the old one"
    assert [path.name for path in tmp_path.iterdir()] == ["me.puppet"]


@pytest.mark.thorough  # makes a whole pack in a process of its own; a save that fails is looked at below
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    process = start(tmp_path, "me.puppet", file_limit=100_000)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 2
    assert "me.puppet" in err and "Traceback" not in err
    assert not list(tmp_path.iterdir())


def test_a_failing_save_keeps_the_old_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_pack(Pack(hopper()), tmp_path / "me.puppet")

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", no_space)
    with pytest.raises(OutputUnwritableError, match="No space"):
        save_pack(Pack(hopper(), consent=b"{}"), tmp_path / "me.puppet")
    monkeypatch.undo()
    assert load_pack(tmp_path / "me.puppet").consent is None
    assert [path.name for path in tmp_path.iterdir()] == ["me.puppet"]


def test_where_a_pack_cannot_go_is_told_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_pack_target(tmp_path / "me.puppet")
    (tmp_path / "folder.puppet").mkdir()
    for out, said in (
        ("me.zip", "ends in .puppet"),
        ("none/me.puppet", "does not exist"),
        ("folder.puppet", "is a folder"),
    ):
        with pytest.raises(OutputUnwritableError, match=said):
            check_pack_target(tmp_path / out)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(OutputUnwritableError, match="without write permission"):
        check_pack_target(tmp_path / "me.puppet")
