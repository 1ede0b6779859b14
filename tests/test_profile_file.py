"""Driver profiles on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facepuppet.errors import OutputUnwritableError, ProfileError
from facepuppet.performance import Performance
from facepuppet.profile import neutral_from
from facepuppet.profile_file import load_profile, save_profile


def test_round_trip(tmp_path: Path) -> None:
    neutral = neutral_from([Performance(8.0).tracking(0.0, 0)])
    save_profile(tmp_path / "me.toml", neutral)
    loaded = load_profile(tmp_path / "me.toml")
    np.testing.assert_allclose(loaded.landmarks_head, neutral.landmarks_head, atol=1e-6)
    np.testing.assert_allclose(loaded.eye_opening, neutral.eye_opening, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "schema None"),
        ("schema = 2", "schema 2"),
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


def test_shut_eyes_and_wild_numbers_are_told(tmp_path: Path) -> None:
    neutral = neutral_from([Performance(8.0).tracking(0.0, 0)])
    path = tmp_path / "me.toml"
    save_profile(path, neutral)
    good = path.read_text()
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
        save_profile(tmp_path / "no" / "me.toml", neutral_from([Performance(8.0).tracking(0.0, 0)]))
