"""`show`, `diff` and `upgrade`, as a user meets them."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from avatars import hopper
from compare import EXACT, assert_pictures_equal
from consents import agreed
from PIL import Image
from typer.testing import CliRunner

from calibrate.cli import app
from calibrate.compare import difference_lines, differences, side_by_side
from calibrate.facts import pack_facts, pack_lines
from calibrate.upgrade import upgraded
from facepuppet.cli.rights import RightsOptions, cleared
from facepuppet.core.errors import AvatarPackError, ConsentError
from facepuppet.portrait.avatar import TunedPainter
from facepuppet.portrait.load import load_as_pack, sample_portrait_path
from facepuppet.portrait.pack import PACK_VERSION, Pack, load_pack, save_pack
from facepuppet.portrait.safe_range import SafeRange
from facepuppet.portrait.views import View, view_box

runner = CliRunner()
SAFE = SafeRange(yaw_rad=(0.5, 0.25), mouth_opening=0.44)


def view() -> View:
    x, y, width, height = view_box(hopper().landmarks_px)
    picture = np.ascontiguousarray(hopper().portrait_rgb[y : y + height, x : x + width])
    return View(hopper().landmarks_px, picture)


def full_pack() -> Pack:
    painters = (TunedPainter("mouth", b"12345"),)
    avatar = dataclasses.replace(hopper(), safe_range=SAFE, views=(view(),), painters=painters)
    return Pack(avatar, agreed(avatar.source_sha256).to_json())


@pytest.fixture
def full(tmp_path: Path) -> Path:
    save_pack(full_pack(), tmp_path / "full.puppet")
    return tmp_path / "full.puppet"


def write_version_1(path: Path, **manifest_changes: object) -> Path:
    """The same portrait in a pack of version 1."""
    save_pack(Pack(hopper()), path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members["manifest.json"]) | {"version": 1, **manifest_changes}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, json.dumps(manifest) if name == "manifest.json" else content)
    return path


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return write_version_1(tmp_path / "old.puppet")


def run(*words: str | Path) -> tuple[int, str, str]:
    result = runner.invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


def test_show_tells_everything_in_words(full: Path) -> None:
    status, out, _ = run("show", full)
    assert status == 0
    assert "Zoë agreed." in out and "(consent)" in out
    assert "turns 29° left, 14° right" in out
    assert "mouth by 0.44" in out
    assert "View 1: " in out
    assert "Tuned mouth painter: the pack's own" in out and "refused" in out
    assert "face width" in out
    assert "upgrade" not in out


def test_show_tells_everything_as_json(full: Path) -> None:
    facts = json.loads(run("show", full, "--json")[1])
    assert facts["consent"]["grant"]["subject"] == "Zoë Ångström"
    assert facts["safe_range"]["yaw_rad"] == [0.5, 0.25]
    assert facts["views"][0]["size_px"][0] > 100
    assert facts["painters"]["mouth"]["bytes"] == 5
    assert "refused" in facts["painters"]["mouth"]["refused"]
    assert facts["version"] == PACK_VERSION


def test_show_tells_what_an_old_pack_lacks(old: Path) -> None:
    out = run("show", old)[1]
    assert "version 1" in out
    assert "not stated" in out
    assert "never measured" in out
    assert "facepuppet-calibrate upgrade" in out


def test_show_tells_a_statement_that_does_not_hold() -> None:
    foreign = Pack(hopper(), agreed("7" * 64).to_json())
    broken = Pack(hopper(), b"{}")
    assert any("does not hold" in line and "another portrait" in line for line in pack_lines(foreign))
    assert "problem" in pack_facts(broken)["consent"]


def test_show_writes_the_preview(full: Path, tmp_path: Path) -> None:
    assert run("show", full, "--preview", tmp_path / "p.png")[0] == 0
    with Image.open(tmp_path / "p.png") as picture:
        assert max(picture.size) <= 1024


@pytest.mark.slow
def test_equal_packs_do_not_differ(full: Path) -> None:
    assert run("diff", full, full)[:2] == (0, "No difference.\n")
    assert json.loads(run("diff", full, full, "--json")[1]) == {}


def test_differences_are_told_with_numbers(full: Path, tmp_path: Path) -> None:
    pack = full_pack()
    rgb = pack.avatar.portrait_rgb.copy()
    rgb[:60] ^= 255  # a tenth of the rows
    moved = pack.avatar.landmarks_px + np.float32([3, 4, 0])
    avatar = dataclasses.replace(
        pack.avatar,
        portrait_rgb=rgb,
        landmarks_px=moved,
        safe_range=dataclasses.replace(SAFE, mouth_opening=0.3),
        views=(),
    )
    save_pack(Pack(avatar), tmp_path / "b.puppet")
    status, out, _ = run("diff", full, tmp_path / "b.puppet", "--picture", tmp_path / "d.png")
    assert status == 1
    assert "- opens its mouth by 0.44 " in out and "+ opens its mouth by 0.30 " in out
    assert "- Right to use (consent): Zoë agreed." in out and "+ Right to use: not stated" in out
    assert "- View 1: " in out and "+ View" not in out
    assert "landmarks_px: 5.00 px on average, 5.00 at most" in out
    assert "portrait_rgb: 9." in out or "portrait_rgb: 10.0%" in out
    with Image.open(tmp_path / "d.png") as picture:
        assert picture.height == 480 and picture.width == 3 * 410
    found = json.loads(run("diff", full, tmp_path / "b.puppet", "--json")[1])
    assert found["safe_range.mouth_opening"] == [0.44, 0.3]


def test_differences_too_small_for_words_are_told_by_name() -> None:
    a = Pack(dataclasses.replace(hopper(), safe_range=SAFE))
    b = Pack(dataclasses.replace(hopper(), safe_range=dataclasses.replace(SAFE, mouth_opening=0.4401)))
    assert difference_lines(a, b) == ["safe_range.mouth_opening: 0.44 → 0.4401"]


def test_packs_of_different_size_are_compared_as_far_as_possible() -> None:
    small = dataclasses.replace(
        hopper(),
        **{
            name: np.ascontiguousarray(getattr(hopper(), name)[:500])
            for name in ("portrait_rgb", "foreground_rgb", "background_rgb", "person_alpha")
        },
    )
    a, b = Pack(hopper()), Pack(small)
    assert "portrait_rgb" not in differences(a, b)
    assert any(line.startswith("+ ") and "512x500 px" in line for line in difference_lines(a, b))
    assert side_by_side(a, b).shape[0] == 480


def test_upgrade_states_the_right_and_measures(old: Path, known_range: SafeRange) -> None:
    status, out, err = run("upgrade", old, "--right", "public-domain")
    assert status == 0, out + err
    made = load_pack(old)
    assert made.version == PACK_VERSION
    assert made.avatar.safe_range == known_range
    assert made.consent is not None and b"public-domain" in made.consent
    assert_pictures_equal(made.avatar.portrait_rgb, hopper().portrait_rgb, EXACT)
    assert "turns" in out
    status, out, _ = run("upgrade", old)
    assert status == 0 and "nothing to do" in out


def test_run_tells_how_to_upgrade(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cleared(load_as_pack(old), RightsOptions(), None)
    assert "facepuppet-calibrate upgrade" in capsys.readouterr().err


def test_upgrade_without_a_right_leaves_the_pack_alone(tmp_path: Path) -> None:
    old = write_version_1(tmp_path / "old.puppet", source_sha256="ab" * 32)  # of a portrait nobody knows
    before = old.read_bytes()
    result = runner.invoke(app, ["upgrade", str(old)])
    assert isinstance(result.exception, ConsentError)
    assert old.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["old.puppet"]


def test_a_picture_is_not_upgraded(tmp_path: Path) -> None:
    result = runner.invoke(app, ["upgrade", str(sample_portrait_path()), "--out", str(tmp_path / "x.puppet")])
    assert isinstance(result.exception, AvatarPackError)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("known_range")
def test_a_portrait_that_would_not_pass_today_keeps_its_analysis() -> None:
    told: list[str] = []
    blank = np.full_like(hopper().portrait_rgb, 127)
    kept = dataclasses.replace(hopper(), portrait_rgb=blank)
    made = upgraded(Pack(kept, version=1), agreed(kept.source_sha256), tell=told.append)
    assert any("old analysis is kept" in line for line in told)
    np.testing.assert_array_equal(made.avatar.landmarks_px, hopper().landmarks_px)
    with pytest.raises(ConsentError):
        upgraded(Pack(kept, version=1), agreed("8" * 64), tell=told.append)


@pytest.mark.parametrize("command", ["show", "diff", "upgrade"])
def test_a_broken_pack_is_told(command: str, tmp_path: Path) -> None:
    (tmp_path / "x.puppet").write_bytes(b"PK")
    words = [command, str(tmp_path / "x.puppet")] + (
        [str(tmp_path / "x.puppet")] if command == "diff" else []
    )
    result = runner.invoke(app, words)
    assert result.exit_code != 0
    assert "no intact zip" in str(result.exception)
