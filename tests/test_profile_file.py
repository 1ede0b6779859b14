"""Driver profiles on disk."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from scripted_faces import tracking_at

from facepuppet.core.errors import OutputUnwritableError, ProfileError
from facepuppet.drivers.camera.channels import CHANNELS, Range
from facepuppet.drivers.camera.profile import SHUT_RATIO, DriverProfile, neutral_from, with_ranges
from facepuppet.drivers.camera.profile_file import load_profile, save_profile


def profile() -> DriverProfile:
    neutral = neutral_from([tracking_at(0.0, 0)])
    ranges = {name: _middle_half(*channel.bounds) for name, channel in CHANNELS.items()}
    ranges["eye_left"] = Range(0.3, 0.06, 0.4)
    return with_ranges(neutral, ranges)


def _middle_half(least: float, most: float) -> Range:
    middle, quarter = (least + most) / 2, (most - least) / 4
    return Range(middle, middle - quarter, middle + quarter)


@pytest.fixture
def good(tmp_path: Path) -> str:
    save_profile(tmp_path / "good.toml", profile())
    return (tmp_path / "good.toml").read_text()


def of_schema_1(good: str) -> str:
    """As facepuppet 0.1 wrote it."""
    return good.replace("schema = 2", "schema = 1").replace(
        good[good.index("[ranges]") : good.index("[neu")], ""
    )


def test_round_trip(tmp_path: Path) -> None:
    written = profile()
    save_profile(tmp_path / "me.toml", written)
    loaded = load_profile(tmp_path / "me.toml")
    np.testing.assert_allclose(loaded.neutral.landmarks_head, written.neutral.landmarks_head, atol=1e-6)
    np.testing.assert_allclose(loaded.neutral.eye_opening, written.neutral.eye_opening, atol=1e-6)
    np.testing.assert_allclose(loaded.neutral.eye_shut, written.neutral.eye_shut, atol=1e-4)
    for name, wanted in written.ranges.items():
        got = loaded.ranges[name]
        assert (got.rest, got.low, got.high) == pytest.approx(
            (wanted.rest, wanted.low, wanted.high), abs=1e-4
        )


def test_every_channel_is_one_line_with_words_and_its_unit_above(good: str) -> None:
    for name, channel in CHANNELS.items():
        line = next(line for line in good.splitlines() if line.startswith(f"{name} = "))
        assert line.endswith(f"# {channel.label}")
        assert f"# {channel.unit}\n" in good[: good.index(line)]
    assert list(tomllib.loads(good)) == ["schema", "ranges", "neutral"]


def test_files_of_schema_1_load_with_the_usual_lids(tmp_path: Path, good: str) -> None:
    path = tmp_path / "old.toml"
    path.write_text(of_schema_1(good))
    loaded = load_profile(path)
    assert not loaded.ranges
    np.testing.assert_allclose(loaded.neutral.eye_shut, SHUT_RATIO * loaded.neutral.eye_opening)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "schema None"),
        ("schema = 3", "schema 3"),
        ("schema = true", "schema True"),
        ("schema = [1]", r"schema \[1\]"),
        ("not toml at all", "not TOML"),
        ("schema = 1", "no complete"),
        ("schema = 1\n[neutral]\neye_opening = [0.3, 0.3]\nlandmarks_head = [[1, 2, 3]]", "shape"),
        ("schema = 1\n[neutral]\neye_opening = 'x'\nlandmarks_head = [[1, 2], [3]]", "no complete"),
    ],
)
def test_malformed_profiles_are_told(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ProfileError, match=said):
        load_profile(path)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("yaw", "{ rest = 0.0, low = -10.0 }", "no rest, low and high"),
        ("yaw", "{ rest = 0.0, low = -10.0, high = 10.0, usual = 3.0 }", "or more than these, for yaw"),
        ("yaw", "3.0", "for yaw"),
        ("yaw", "{ rest = 0.0, low = -200.0, high = 10.0 }", "within -90 to 90"),
        ("yaw", "{ rest = 20.0, low = -10.0, high = 10.0 }", "not low ≤ rest ≤ high"),
        ("mouth_width", "{ rest = nan, low = 0.3, high = 0.6 }", "mouth_width with rest nan"),
        ("mouth_width", "{ rest = 0.5, low = -inf, high = 0.6 }", "low -inf"),
        ("mouth_width", "{ rest = true, low = 0.3, high = 0.6 }", "rest True"),
        ("mouth_width", "{ rest = 'x', low = 0.3, high = 0.6 }", "rest x"),
        ("mouth_width", "{ rest = [], low = 0.3, high = 0.6 }", "mouth_width with"),
        ("eyelashes", "{ rest = 0.5, low = 0.3, high = 0.6 }", r"'eyelashes' in \[ranges\]"),
    ],
)
def test_wild_ranges_are_told(tmp_path: Path, good: str, key: str, value: str, said: str) -> None:
    line = f"{key} = {value}\n"
    known = key in CHANNELS
    text = re.sub(rf"^{key} = .*\n", line, good, flags=re.M) if known else good.replace("[neu", line + "[neu")
    path = tmp_path / "wild.toml"
    path.write_text(text)
    with pytest.raises(ProfileError, match=said):
        load_profile(path)


@pytest.mark.parametrize("where", ["", "[neutral]\n"])
def test_unknown_keys_are_told(tmp_path: Path, good: str, where: str) -> None:
    path = tmp_path / "more.toml"
    path.write_text(good.replace(where or "schema", f"{where}nose = 3\n" + ("" if where else "schema"), 1))
    with pytest.raises(ProfileError, match="'nose' in"):
        load_profile(path)


def test_a_missing_channel_is_told(tmp_path: Path, good: str) -> None:
    path = tmp_path / "less.toml"
    path.write_text(re.sub(r"^brows = .*\n", "", good, flags=re.M))
    with pytest.raises(ProfileError, match="brows"):
        load_profile(path)


def test_shut_eyes_and_wild_numbers_are_told(tmp_path: Path, good: str) -> None:
    path = tmp_path / "me.toml"
    opening = next(line for line in good.splitlines() if line.startswith("eye_opening"))
    path.write_text(good.replace(opening, "eye_opening = [0.0, 0.3]"))
    with pytest.raises(ProfileError, match="eyes shut"):
        load_profile(path)
    path.write_text(good.replace("  [", "  [nan, 0, 0],\n  [", 1).replace("],\n]", ",]"))
    with pytest.raises(ProfileError):
        load_profile(path)


def test_missing_and_unwritable_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot be read"):
        load_profile(tmp_path / "none.toml")
    with pytest.raises(OutputUnwritableError):
        save_profile(tmp_path / "no" / "me.toml", profile())
