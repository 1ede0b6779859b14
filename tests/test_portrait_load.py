"""The door: pictures and packs in, avatars out, each picture analysed once."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
from compare import EXACT, assert_pictures_equal

from facepuppet.core.errors import AvatarPackError, ImageUnreadableError
from facepuppet.portrait import analysis_cache as cache_module
from facepuppet.portrait.analysis_cache import AvatarCache
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.load import load_avatar, sample_portrait_path
from facepuppet.portrait.pack import Pack, save_pack


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own; the user's is not touched."""
    monkeypatch.setattr(cache_module.platformdirs, "user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    return tmp_path / "cache" / "avatars"


@pytest.fixture(scope="module")
def hopper() -> Avatar:
    return load_avatar(sample_portrait_path(), cache=False)


def test_the_sample_is_grace_hopper(hopper: Avatar) -> None:
    assert hopper.name == "grace_hopper"
    assert hopper.size_px == (512, 600)


def test_a_picture_is_analysed_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_avatar(sample_portrait_path())
    assert len(list(folder.iterdir())) == 1
    monkeypatch.setattr("facepuppet.portrait.load.analyse_portrait", pytest.fail)
    copy = tmp_path / "another name.jpg"
    shutil.copy(sample_portrait_path(), copy)
    second = load_avatar(copy)
    assert second.name == "another name"
    assert_pictures_equal(second.person_alpha, first.person_alpha, EXACT)
    np.testing.assert_array_equal(second.landmarks_px, first.landmarks_px)


def test_without_cache_nothing_is_written(folder: Path) -> None:
    load_avatar(sample_portrait_path(), cache=False)
    assert not folder.exists()


def test_a_damaged_entry_is_rebuilt(hopper: Avatar, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_avatar(sample_portrait_path())
    (entry,) = folder.iterdir()
    sound = entry.read_bytes()
    entry.write_bytes(sound[:1000])
    with caplog.at_level(logging.WARNING):
        assert load_avatar(sample_portrait_path()).size_px == (512, 600)
    assert "cannot be read" in caplog.text
    assert entry.read_bytes() == sound


def test_another_version_of_the_analysis_does_not_see_old_entries(hopper: Avatar, tmp_path: Path) -> None:
    AvatarCache(1, tmp_path).put(hopper)
    assert AvatarCache(1, tmp_path).get(hopper.source_sha256, "x") is not None
    assert AvatarCache(2, tmp_path).get(hopper.source_sha256, "x") is None


def test_an_entry_of_another_portrait_is_a_miss(hopper: Avatar, tmp_path: Path) -> None:
    cache = AvatarCache(1, tmp_path)
    cache.put(hopper)
    (entry,) = tmp_path.iterdir()
    entry.rename(entry.with_name(entry.name.replace(hopper.source_sha256, "00" * 32)))
    assert cache.get("00" * 32, "x") is None


def test_a_cache_that_cannot_be_written_is_only_logged(
    hopper: Avatar, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"not a folder")
    cache = AvatarCache(1, tmp_path / "file" / "avatars")
    with caplog.at_level(logging.WARNING):
        cache.put(hopper)
        assert cache.get(hopper.source_sha256, "x") is None
    assert "could not be cached" in caplog.text


def test_packs_are_loaded_by_their_suffix(hopper: Avatar, tmp_path: Path) -> None:
    save_pack(Pack(hopper), tmp_path / "me.PUPPET")
    assert load_avatar(tmp_path / "me.PUPPET").name == "grace_hopper"
    (tmp_path / "fake.puppet").write_bytes(sample_portrait_path().read_bytes())
    with pytest.raises(AvatarPackError):
        load_avatar(tmp_path / "fake.puppet")


def test_a_missing_picture_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageUnreadableError, match="No such file"):
        load_avatar(tmp_path / "nobody.jpg")
