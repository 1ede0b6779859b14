"""The .puppet file: what is written is read back, and whatever is wrong with a file is told."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from facepuppet.avatar.model import Avatar
from facepuppet.avatar.pack import PACK_VERSION, Pack, load_pack, save_pack
from facepuppet.errors import AvatarPackError, OutputUnwritableError

Members = dict[str, bytes]


def small_avatar(height: int = 24, width: int = 20) -> Avatar:
    generator = np.random.default_rng(5)

    def layer() -> np.ndarray:
        return generator.integers(0, 256, (height, width, 3), dtype=np.uint8)

    return Avatar(
        name="Grace Höpper",
        portrait_rgb=layer(),
        landmarks_px=generator.normal(10, 3, (478, 3)).astype(np.float32),
        shoulders_px=generator.normal(10, 3, (2, 2)).astype(np.float32),
        person_alpha=generator.integers(0, 256, (height, width), dtype=np.uint8),
        foreground_rgb=layer(),
        background_rgb=layer(),
        source_sha256="ab" * 32,
    )


def assert_same(a: Avatar, b: Avatar) -> None:
    for field in dataclasses.fields(Avatar):
        left, right = getattr(a, field.name), getattr(b, field.name)
        np.testing.assert_array_equal(left, right)
        if isinstance(left, np.ndarray):
            assert left.dtype == right.dtype


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    path = tmp_path / "me.puppet"
    save_pack(Pack(small_avatar()), path)
    return path


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path: Path, change: Callable[[Members], None]) -> None:
    members = members_of(path)
    change(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def manifest_with(**changes: object) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        manifest = json.loads(members["manifest.json"]) | changes
        members["manifest.json"] = json.dumps(manifest).encode()

    return change


def with_member(name: str, content: bytes) -> Callable[[Members], None]:
    return lambda members: members.update({name: content})


def npy(array: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def png(size: tuple[int, int], mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, "PNG")
    return buffer.getvalue()


def test_round_trip(pack: Path) -> None:
    assert_same(load_pack(pack).avatar, small_avatar())


def test_equal_avatars_make_equal_files(pack: Path, tmp_path: Path) -> None:
    save_pack(Pack(small_avatar()), tmp_path / "again.puppet")
    assert (tmp_path / "again.puppet").read_bytes() == pack.read_bytes()


def test_members_of_later_versions_are_ignored(pack: Path) -> None:
    rewrite(pack, with_member("consent.json", b"{}"))
    assert_same(load_pack(pack).avatar, small_avatar())


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("pickle-was-run",)


BAD = {
    "unknown version": (manifest_with(version=PACK_VERSION + 1), "version '3'"),
    "other format": (manifest_with(format="something-else"), "no avatar pack"),
    "no name": (manifest_with(name=None), "proper name"),
    "manifest is a list": (with_member("manifest.json", b"[1]"), "no avatar pack"),
    "manifest is no JSON": (with_member("manifest.json", b"{"), "no JSON"),
    "manifest nests deeply": (with_member("manifest.json", b"[" * 100_000), "no JSON"),
    "no portrait": (lambda members: members.pop("portrait.png"), "without portrait.png"),
    "no landmarks": (lambda members: members.pop("landmarks_px.npy"), "without landmarks_px.npy"),
    "path upwards": (with_member("../evil.png", b""), "evil"),
    "absolute path": (with_member("/etc/evil.png", b""), "evil"),
    "windows path": (with_member("C:evil.png", b""), "evil"),
    "zip bomb": (with_member("portrait.png", bytes(20_000_000)), "20 MB"),
    "many members": (lambda m: m.update({f"x{i}.bin": b"" for i in range(200)}), "members"),
    "portrait is text": (with_member("portrait.png", b"no picture"), "no intact PNG"),
    "portrait is cut short": (with_member("portrait.png", png((20, 24))[:40]), "no intact PNG"),
    "portrait is too large": (with_member("portrait.png", png((1025, 10))), "1025x10"),
    "portrait is grey": (with_member("portrait.png", png((20, 24), "L")), "20x24 L"),
    "layers differ": (with_member("portrait.png", png((21, 24))), "differ in size"),
    "pickled landmarks": (with_member("landmarks_px.npy", npy(np.array([Bomb()], object))), "no plain array"),
    "bare pickle": (with_member("landmarks_px.npy", pickle.dumps(Bomb())), "no plain array"),
    "wrong shape": (with_member("landmarks_px.npy", npy(np.zeros((468, 3), np.float32))), "(478, 3)"),
    "wrong type": (with_member("landmarks_px.npy", npy(np.zeros((478, 3)))), "float32"),
    "not numbers": (with_member("shoulders_px.npy", npy(np.full((2, 2), np.nan, np.float32))), "no places"),
    "far away": (with_member("shoulders_px.npy", npy(np.full((2, 2), 1e9, np.float32))), "no places"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_packs_are_refused(
    pack: Path, case: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    change, words = BAD[case]
    rewrite(pack, change)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AvatarPackError) as caught:
        load_pack(pack)
    assert words in str(caught.value)
    assert not (tmp_path / "pickle-was-run").exists()


def test_a_huge_array_header_is_refused_without_taking_the_memory(pack: Path) -> None:
    header = npy(np.zeros((478, 3), np.float32)).replace(b"(478, 3), ", b"(9999999999, 99), ")
    rewrite(pack, with_member("landmarks_px.npy", header))
    with pytest.raises(AvatarPackError, match="no plain array"):
        load_pack(pack)


def test_a_name_that_would_break_a_terminal_is_refused(pack: Path) -> None:
    rewrite(pack, manifest_with(name="\x1b[2J"))
    with pytest.raises(AvatarPackError, match="name"):
        load_pack(pack)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip at all" * 10])
def test_files_that_are_no_zip_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.puppet"
    path.write_bytes(content)
    with pytest.raises(AvatarPackError, match="no intact zip"):
        load_pack(path)


def test_missing_packs_and_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(AvatarPackError, match="No such file"):
        load_pack(tmp_path / "none.puppet")
    with pytest.raises(AvatarPackError, match=r"directory|permission"):
        load_pack(tmp_path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1), value=st.integers(0, 255), keep=st.floats(0.5, 1))
def test_a_damaged_pack_is_refused_or_read(pack: Path, position: float, value: int, keep: float) -> None:
    content = bytearray(pack.read_bytes())
    content[int(position * (len(content) - 1))] = value
    damaged = pack.with_name("damaged.puppet")
    damaged.write_bytes(content[: int(keep * len(content))] if keep < 0.9 else content)
    with contextlib.suppress(AvatarPackError):
        assert load_pack(damaged).avatar.portrait_rgb.shape == (24, 20, 3)


def test_nothing_half_written_stays_when_saving_fails(tmp_path: Path) -> None:
    with pytest.raises(OutputUnwritableError, match="No such file"):
        save_pack(Pack(small_avatar()), tmp_path / "no-folder" / "me.puppet")
    occupied = tmp_path / "me.puppet"
    occupied.mkdir()
    with pytest.raises(OutputUnwritableError):
        save_pack(Pack(small_avatar()), occupied)
    assert [path.name for path in tmp_path.iterdir()] == ["me.puppet"]
