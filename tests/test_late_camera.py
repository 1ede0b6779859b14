"""`facepuppet run` on a machine without a virtual camera."""

from __future__ import annotations

from pathlib import Path

import pytest
from program import run

from facepuppet.portrait import sample_portrait_path

SHOW = ("run", "--avatar", str(sample_portrait_path()), "--right", "public-domain", "--camera", "script")


@pytest.fixture(autouse=True)
def _no_camera(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("facepuppet.sinks.virtual_camera.list_virtual_cameras", tuple)
    monkeypatch.setattr("platform.system", lambda: "Linux")


def test_with_nothing_else_to_see_it_does_not_start(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, *SHOW, "--no-ui", "--sink", "virtual", "--seconds", "30")
    assert status == 2
    assert "modprobe v4l2loopback" in err and "frames in" not in err


@pytest.mark.parametrize("more", [("--sink", "beside.mp4", "--no-ui"), ("--ui",)])
def test_beside_a_file_or_the_page_the_show_goes_on_and_the_end_says_what_was_missing(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, more: tuple[str, ...]
) -> None:
    status, _, err = run(capsys, *SHOW, "--sink", "virtual", *more, "--seconds", "0.5")
    assert status == 2
    assert "frames in" in err
    told = [line for line in caplog.messages if "modprobe v4l2loopback" in line]
    assert len(told) == 1 and "joins it when it can be opened" in told[0]
    assert "modprobe v4l2loopback" in err.splitlines()[-1]
    assert Path("beside.mp4").exists() is ("beside.mp4" in more)
