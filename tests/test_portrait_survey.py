"""The survey's rows and its summary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import portrait_survey
import pytest
from PIL import Image
from portrait_survey import Row

from facepuppet.portrait.load import sample_portrait_path


def test_a_row_keeps_the_bars_or_not() -> None:
    good = Row("a", None, (0.1, 0.25), 0.8)
    assert good.shuts and good.opens
    assert not Row("b", None, (0.1, 0.26), 0.9).shuts
    assert not Row("c", None, (0.1, 0.1), 0.79).opens
    lost = Row("d")
    assert not lost.shuts and not lost.opens


def test_portraits_are_surveyed_through_the_real_renderer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wall = tmp_path / "wall.png"
    Image.fromarray(np.full((300, 300, 3), 110, np.uint8)).save(wall)
    out = tmp_path / "out"
    monkeypatch.setattr("sys.argv", ["survey", str(sample_portrait_path()), str(wall), "--out", str(out)])
    portrait_survey.main()
    told = (out / "survey.md").read_text(encoding="utf-8")
    assert "1 of 2 portraits (50 %) make a pack" in told
    assert "| wall.png | NoFaceError: a picture in which no human face was found |" in told
    assert "1 refused: NoFaceError" in told
    assert "opened=" in capsys.readouterr().out
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.size == (4 * portrait_survey.CELL_PX, portrait_survey.CELL_PX)


def test_the_driver_shuts_and_opens_as_asked() -> None:
    rest, shut, opened = (portrait_survey._driver_head(name) for name in portrait_survey.EXPRESSIONS)
    assert portrait_survey.eye_openings(shut).max() < 0.02 < portrait_survey.eye_openings(rest).min()
    assert portrait_survey._parted(rest, opened) > 0.2
