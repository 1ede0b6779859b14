"""The .puppet file: what is written is read back, and whatever is wrong with a file is told."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import json
import os
import pickle
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from bad_files import png_bomb
from compare import EXACT, assert_pictures_equal
from fakes import lines_run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pictures import hopper_rgb
from PIL import Image

from facepuppet.core.errors import AvatarPackError, OutputUnwritableError
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.portrait.avatar import Avatar, TunedPainter
from facepuppet.portrait.pack import PACK_VERSION, Pack, load_pack, save_pack
from facepuppet.portrait.pack_zip import MAX_PACK_BYTES
from facepuppet.portrait.safe_range import SafeRange
from facepuppet.portrait.views import View, view_box
from facepuppet.portrait.working_picture import Whole

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


def test_the_picture_around_a_crop_is_read_back(tmp_path: Path) -> None:
    around = Whole(np.full((40, 50, 3), 9, np.uint8), (3, 2, 20, 24))
    save_pack(Pack(dataclasses.replace(small_avatar(), whole=around)), tmp_path / "me.puppet")
    read = load_pack(tmp_path / "me.puppet").avatar.whole
    assert read is not None and read.box_px == around.box_px
    assert_pictures_equal(read.rgb, around.rgb, EXACT)


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


def test_everything_that_belongs_to_a_portrait_travels(tmp_path: Path) -> None:
    measured = SafeRange(yaw_rad=(0.2, 0.4), mouth_opening=0.3)
    preview = np.random.default_rng(1).integers(0, 256, (9, 30, 3), dtype=np.uint8)
    full = Pack(
        dataclasses.replace(
            small_avatar(), safe_range=measured, painters=(TunedPainter("mouth", b"weights"),)
        ),
        consent=b'{"basis":"self"}',
        preview_rgb=preview,
    )
    save_pack(full, tmp_path / "full.puppet")
    got = load_pack(tmp_path / "full.puppet")
    assert_same(got.avatar, full.avatar)
    assert got.avatar.safe_range == measured
    assert got.consent == full.consent
    assert_pictures_equal(got.preview_rgb, preview, EXACT)
    assert got.avatar.painters == full.avatar.painters
    assert got.version == PACK_VERSION


def test_members_unknown_to_this_version_are_ignored(pack: Path) -> None:
    rewrite(pack, with_member("voice.bin", b"la"))
    assert_same(load_pack(pack).avatar, small_avatar())


def test_version_1_loads_and_says_so(pack: Path) -> None:
    def downgrade(members: Members) -> None:
        manifest_with(version=1)(members)
        members["safe_range.json"] = b"unknown to version 1"

    rewrite(pack, downgrade)
    got = load_pack(pack)
    assert_same(got.avatar, small_avatar())
    assert (got.version, got.consent, got.avatar.safe_range) == (1, None, None)


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("pickle-was-run",)


BAD = {
    "unknown version": (manifest_with(version=PACK_VERSION + 1), "version '3'"),
    "version is true": (manifest_with(version=True), "version 'True'"),
    "version is text": (manifest_with(version="2"), "version '2'"),
    "version is zero": (manifest_with(version=0), "version '0'"),
    "safe range is no JSON": (with_member("safe_range.json", b"{"), "improper safe_range.json"),
    "safe range is a list": (with_member("safe_range.json", b"[]"), "improper safe_range.json"),
    "JSON without end": (with_member("safe_range.json", b" " * 300_000), "unpacks to"),
    "preview is too large": (with_member("preview.png", png((2049, 10))), "2049x10"),
    "preview is grey": (with_member("preview.png", png((9, 9), "L")), "9x9 L"),
    "preview is a JPEG": (with_member("preview.png", b"\xff\xd8\xff" * 20), "no intact PNG"),
    "PNG claims to be huge": (with_member("portrait.png", png_bomb()), "30000x30000"),
    "painter is too large": (with_member("painter_x.onnx", bytes(8_000_001)), "unpacks to 8 MB"),
    "upper case": (with_member("PORTRAIT.png", b""), "PORTRAIT"),
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
    "portrait is too large": (with_member("portrait.png", png((1025, 1024))), "1025x1024"),
    "crop outside its picture": (
        lambda m: m.update({"whole.png": png((30, 30)), "whole_box_px.npy": npy(np.float32([9, 9, 22, 3]))}),
        "outside whole.png",
    ),
    "crop without a place": (with_member("whole.png", png((30, 30))), "without whole_box_px.npy"),
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


def test_compressed_members_are_refused(pack: Path) -> None:
    """A few bytes must not unpack to many, one by one nor all together."""
    members = members_of(pack)
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(AvatarPackError, match="is compressed"):
        load_pack(pack)


def test_members_that_share_their_bytes_are_refused(pack: Path) -> None:
    """The quoted-overlap bomb of D. Fifield, "A better zip bomb" (WOOT 2019): many names, one content."""
    with zipfile.ZipFile(pack, "a", zipfile.ZIP_STORED) as archive:
        twin = copy.copy(archive.getinfo("portrait.png"))
        twin.filename = twin.orig_filename = "portraiu.png"
        archive.filelist.append(twin)
        archive._didModify = True
    with pytest.raises(AvatarPackError, match="overlap"):
        load_pack(pack)


@pytest.mark.parametrize("where", ["before", "behind", "comment"])
def test_a_zip_that_is_something_else_too_is_refused(pack: Path, where: str) -> None:
    data = pack.read_bytes()
    if where == "comment":
        data = data[:-2] + b"\x04\x00MZ!!"
    pack.write_bytes(
        b"#!/bin/sh\n" + data if where == "before" else data + b"x" if where == "behind" else data
    )
    with pytest.raises(AvatarPackError, match=r"no intact zip|something before"):
        load_pack(pack)


def test_a_directory_that_claims_more_than_there_is_is_refused(pack: Path) -> None:
    data = bytearray(pack.read_bytes())
    data[-12:-8] = (1 << 30).to_bytes(4, "little")  # size of the directory
    pack.write_bytes(data)
    with pytest.raises(AvatarPackError, match="directory is odd"):
        load_pack(pack)
    data[-14:-10] = b"\xff\xff\xff\xff"  # number of members, twice
    pack.write_bytes(data)
    with pytest.raises(AvatarPackError, match="65535 members"):
        load_pack(pack)


def test_encrypted_members_are_refused(pack: Path) -> None:
    data = bytearray(pack.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 8] |= 1  # general purpose flags, of the directory's last member
    pack.write_bytes(data)
    with pytest.raises(AvatarPackError, match="encrypted"):
        load_pack(pack)


def test_a_name_that_ends_early_is_refused(pack: Path) -> None:
    """Readers disagree on names with a NUL in them."""
    pack.write_bytes(pack.read_bytes().replace(b"shoulders_px.npy", b"shoulders_px.n\0y"))
    with pytest.raises(AvatarPackError, match="member called"):
        load_pack(pack)


def test_a_wrong_checksum_is_refused(pack: Path) -> None:
    data = bytearray(pack.read_bytes())
    data[data.index(b"shoulders_px.npy") + 150] ^= 1  # inside that array's numbers
    pack.write_bytes(data)
    with pytest.raises(AvatarPackError, match="CRC"):
        load_pack(pack)


def test_a_file_too_large_is_refused_unread(pack: Path) -> None:
    with pack.open("r+b") as file:
        file.truncate(MAX_PACK_BYTES + 1)
    with pytest.raises(AvatarPackError, match="more than 96 MB"):
        load_pack(pack)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in the file system are POSIX")
def test_a_device_is_refused(tmp_path: Path) -> None:
    """Opening a pipe would wait for ever."""
    os.mkfifo(tmp_path / "pipe.puppet")
    with pytest.raises(AvatarPackError, match="device"):
        load_pack(tmp_path / "pipe.puppet")


def test_the_largest_sensible_pack_costs_no_more_than_decoding_each_picture_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1024 px, photo-like, with eight views. `tools/pack_timing.py` tells how long that takes."""
    rgb = cv2.resize(hopper_rgb(), (1024, 1024), interpolation=cv2.INTER_CUBIC)
    landmarks = 10 + canonical_landmarks() * 230  # a face of about half the picture
    landmarks -= landmarks.min(0) - 300
    x, y, width, height = view_box(landmarks)
    views = (View(landmarks, np.ascontiguousarray(rgb[y : y + height, x : x + width])),) * 8
    avatar = dataclasses.replace(
        small_avatar(),
        portrait_rgb=rgb,
        foreground_rgb=rgb,
        background_rgb=rgb,
        person_alpha=np.ascontiguousarray(rgb[..., 0]),
        landmarks_px=landmarks,
        views=views,
    )
    save_pack(Pack(avatar, preview_rgb=rgb), tmp_path / "large.puppet")
    opened: list[object] = []
    open_picture = Image.open
    monkeypatch.setattr(Image, "open", lambda *at, **how: opened.append(at) or open_picture(*at, **how))
    n_lines = lines_run(lambda: load_pack(tmp_path / "large.puppet"))
    assert len(opened) == 4 + 8 + 1  # layers, views, preview
    assert n_lines < 100_000  # none for each of the millions of bytes


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


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.integers(1, 700), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_zip_directory_is_refused_or_read(
    pack: Path, flips: list[tuple[int, int]], tmp_path: Path
) -> None:
    content = bytearray(pack.read_bytes())
    for from_end, value in flips:
        content[-from_end] = value
    damaged = tmp_path / "damaged.puppet"
    damaged.write_bytes(content)
    with contextlib.suppress(AvatarPackError):
        assert load_pack(damaged).avatar.portrait_rgb.shape == (24, 20, 3)


@settings(max_examples=30, deadline=None)
@given(content=st.binary(max_size=200))
def test_any_bytes_as_a_member_are_refused_or_read(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.puppet"
        save_pack(Pack(small_avatar()), path)
        for name in ("manifest.json", "safe_range.json", "shoulders_px.npy", "preview.png"):
            rewrite(path, with_member(name, content))
            with contextlib.suppress(AvatarPackError):
                load_pack(path)


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
