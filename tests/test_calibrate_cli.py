"""`facepuppet-calibrate` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from calibrate.cli import app
from facepuppet.portrait.load import load_avatar, sample_portrait_path

runner = CliRunner()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A pack, its preview, and what was printed on the way."""
    folder = tmp_path_factory.mktemp("packs")
    pack, preview = folder / "grace.puppet", folder / "grace.png"
    result = runner.invoke(
        app, ["avatar", str(sample_portrait_path()), "--out", str(pack), "--preview", str(preview)]
    )
    assert result.exit_code == 0, result.output
    return pack, preview, result.output


def test_avatar_makes_a_pack_that_loads(made: tuple[Path, Path, str]) -> None:
    assert load_avatar(made[0]).size_px == (512, 600)


def test_avatar_prints_each_gate_with_a_number(made: tuple[Path, Path, str]) -> None:
    printed = made[2]
    assert "face width: 1" in printed
    assert "px (at least 110)" in printed
    assert printed.count("degrees (at most") == 3
    assert "BAD" not in printed


def test_the_preview_shows_three_panels(made: tuple[Path, Path, str]) -> None:
    with Image.open(made[1]) as preview:
        assert preview.size == (3 * 512, 600)


def test_show_tells_the_same_in_words_and_json(made: tuple[Path, Path, str]) -> None:
    words = runner.invoke(app, ["show", str(made[0])]).output
    facts = json.loads(runner.invoke(app, ["show", str(made[0]), "--json"]).output)
    assert "grace_hopper: 512x600 px" in words
    assert facts["size_px"] == [512, 600]
    assert len(facts["source_sha256"]) == 64
    assert 0.2 < facts["person_share"] < 0.8
    assert all(gate["passed"] for gate in facts["gates"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["avatar", "nobody.jpg", "--out", "me.puppet"], "No such file"),
        (["avatar", str(sample_portrait_path()), "--out", "me.zip"], "ends in .puppet"),
        (["show", str(sample_portrait_path())], "no intact zip"),
    ],
)
def test_problems_end_in_one_sentence_and_status_2(tmp_path: Path, arguments: list[str], words: str) -> None:
    command = [sys.executable, "-m", "calibrate", *arguments]
    root = Path(__file__).resolve().parents[1]
    result = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())
