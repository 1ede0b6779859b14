"""The tool that times a voice's film says what was timed, and refuses what it cannot."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import voice_throughput
from spoken import silence, talk, write_wav


@pytest.mark.thorough  # analyses a portrait anew
def test_a_film_is_timed_and_its_memory_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(voice_throughput, "EARLY_S", 1.0)
    speech = write_wav(tmp_path / "a.wav", talk())
    words = ["--seconds", "2", "--portrait", "256", "--engine", "cpu", "--out", str(tmp_path / "a.mp4")]
    monkeypatch.setattr(sys, "argv", ["voice_throughput.py", str(speech), *words])
    voice_throughput.main()
    told = capsys.readouterr().out
    assert "cores: " in told and "hearing alone: " in told
    assert "rendering: 60 frames of 256x256" in told and "times real time" in told
    assert "MB after 1 s of sound" in told and "MB at the end" in told
    assert (tmp_path / "a.mp4").exists()


def test_a_file_without_sound_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speech = write_wav(tmp_path / "a.wav", silence(0.0))
    monkeypatch.setattr(sys, "argv", ["voice_throughput.py", str(speech)])
    with pytest.raises(SystemExit, match="no sound can be decoded"):
        voice_throughput.main()
