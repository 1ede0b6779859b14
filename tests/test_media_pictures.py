"""Picture files of every kind end as upright RGB pixels or as one clear sentence."""

from __future__ import annotations

import io
import os
import resource
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from compare import EXACT, JPEG, ROUNDING, assert_pictures_equal
from pictures import hopper_rgb
from PIL import Image

from facepuppet.core.errors import ImageUnreadableError
from facepuppet.media.pictures import MAX_FRAMES, decode_frames, decode_picture, load_luma, load_picture


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def hopper() -> Image.Image:
    return Image.fromarray(hopper_rgb())


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "JPEG"])
def test_common_formats_keep_their_colours(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    tolerance = JPEG if kind == "JPEG" else EXACT
    picture = decode_picture(encoded(hopper(), kind, **options), name="x")
    assert_pictures_equal(picture, hopper_rgb(), tolerance)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(orientation: int) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # EXIF orientation -> Pillow transpose that makes it
    stored = hopper()
    if orientation > 1:
        stored = stored.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode_picture(encoded(stored, "PNG", exif=exif), name="x")
    assert_pictures_equal(picture, hopper_rgb(), EXACT)


def test_transparency_is_laid_over_neutral_grey() -> None:
    rgba = np.dstack([hopper_rgb(), np.zeros(hopper_rgb().shape[:2], np.uint8)])
    rgba[:300, :, 3] = 255
    picture = decode_picture(encoded(Image.fromarray(rgba)), name="x")
    assert_pictures_equal(picture[:300], hopper_rgb()[:300], EXACT)
    assert (picture[300:] == 128).all()


def test_palette_transparency_is_laid_over_neutral_grey() -> None:
    palette = Image.fromarray(np.zeros((8, 8), np.uint8), "P")
    palette.putpalette([255, 0, 0] * 256)
    assert (decode_picture(encoded(palette, transparency=0), name="x") == 128).all()


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    grey = np.asarray(hopper().convert("L"))
    ok, png = cv2.imencode(".png", grey.astype(np.uint16) * 257)
    assert ok
    picture = decode_picture(png.tobytes(), name="x")
    assert_pictures_equal(picture, np.repeat(grey[..., None], 3, axis=2), ROUNDING)


def test_sixteen_bit_colour_is_scaled_not_clipped() -> None:
    ok, png = cv2.imencode(".png", hopper_rgb()[..., ::-1].astype(np.uint16) * 257)
    assert ok
    assert_pictures_equal(decode_picture(png.tobytes(), name="x"), hopper_rgb(), ROUNDING)


def test_float_grey_is_scaled() -> None:
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    picture = decode_picture(encoded(Image.fromarray(ramp, "F"), "TIFF"), name="x")
    assert picture.min() == 0
    assert picture.max() == 255


@pytest.mark.parametrize("mode", ["L", "1", "LA", "P", "CMYK"])
def test_other_modes_become_rgb(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    picture = decode_picture(encoded(hopper().convert(mode), kind), name="x")
    assert picture.shape == hopper_rgb().shape
    grey = np.asarray(hopper().convert("L"), dtype=float)
    assert abs(picture.mean() - grey.mean()) < 20


def test_cmyk_jpeg_keeps_its_colours() -> None:
    picture = decode_picture(encoded(hopper().convert("CMYK"), "JPEG", quality=95), name="x")
    assert_pictures_equal(picture, hopper_rgb(), JPEG)


def test_luma_of_a_jpeg_is_what_it_stores(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(hopper(), "JPEG", quality=60))
    stored = Image.open(path)
    stored.draft("YCbCr", None)
    np.testing.assert_array_equal(load_luma(path), np.asarray(stored)[..., 0])


def test_luma_is_upright_opaque_and_of_eight_bits(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to view
    grey = np.asarray(hopper().convert("L"))
    files = {
        "turned.jpg": encoded(hopper(), "JPEG", quality=95, exif=exif),
        "clear.png": encoded(Image.new("RGBA", (4, 4), (255, 255, 255, 0))),
        "colour.png": encoded(hopper()),
        "deep.png": cv2.imencode(".png", grey.astype(np.uint16) * 257)[1].tobytes(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    assert_pictures_equal(load_luma(tmp_path / "turned.jpg"), np.rot90(grey, -1), JPEG)
    assert (load_luma(tmp_path / "clear.png") == 128).all()
    assert_pictures_equal(load_luma(tmp_path / "colour.png"), grey, EXACT)
    assert_pictures_equal(load_luma(tmp_path / "deep.png"), grey, ROUNDING)


def animation(kind: str, *frames: Image.Image) -> bytes:
    options = {"lossless": True} if kind == "WEBP" else {}
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, **options)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_frames_are_spread_over_an_animation(kind: str) -> None:
    shades = [Image.new("RGB", (40, 30), (0, 8 * n, 0)) for n in range(30)]
    data = animation(kind, *shades)
    frames = [int(frame[0, 0, 1]) for frame in decode_frames(data, name="wave")]
    assert len(frames) == MAX_FRAMES
    assert frames[0] == 0 and frames[-1] == 8 * 29 and frames == sorted(set(frames))
    assert decode_picture(data, name="wave")[0, 0, 1] == 0


def test_a_still_picture_is_one_frame() -> None:
    assert len(list(decode_frames(encoded(hopper()), name="x"))) == 1


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_an_animation_torn_after_its_first_frame_still_gives_that(kind: str) -> None:
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for _ in range(8)]
    data = animation(kind, *noise)
    frames = []
    try:
        frames += list(decode_frames(data[: len(data) // 2], name="torn"))
    except ImageUnreadableError as error:
        assert kind == "WEBP", "a torn WebP is refused whole"  # its container tells its size
        assert "damaged" in str(error) or "known picture" in str(error)
    else:
        assert 1 <= len(frames) < 8


def test_pages_of_a_scan_that_are_too_large_end_it() -> None:
    pages = [Image.new("1", size) for size in ((50, 40), (9_000, 9_000))]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression="group4")
    assert [frame.shape for frame in decode_frames(data, name="scan.tif")] == [(40, 50, 3)]


def test_few_frames_of_a_large_animation_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facepuppet.media.pictures.MAX_ANIMATED_PIXELS", 5 * 40 * 30)
    data = animation("GIF", *[Image.new("RGB", (40, 30), (0, 8 * n, 0)) for n in range(30)])
    assert [int(frame[0, 0, 1]) for frame in decode_frames(data, name="x")] == [0, 8, 16, 24, 32]


@pytest.mark.parametrize("mode", [pytest.param("L", marks=pytest.mark.thorough), "RGB"])
def test_a_scan_of_two_hundred_megapixels_is_reduced_while_decoding(mode: str) -> None:
    data = encoded(Image.new(mode, (20_000, 10_000), (77,) * len(mode)), "JPEG")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    picture = decode_picture(data, name="scan.jpg")
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert 4096 <= picture.shape[0] < picture.shape[1] <= 10_000
    assert grown_mb < 400, "the scan itself would take 600 MB"
    assert abs(int(picture.mean()) - 77) <= 1


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose header promises width x height and whose data is short: a decompression bomb's shape."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [9_000, 20_000, 100_000])
def test_pictures_too_large_to_hold_are_refused(side: int) -> None:
    with pytest.raises(ImageUnreadableError, match=r"at most 60 megapixels|far more pixels"):
        decode_picture(png_of_size(side, side), name="bomb.png")


def test_a_progressive_jpeg_too_large_to_hold_is_refused() -> None:
    data = encoded(Image.new("L", (8_000, 8_000)), "JPEG", progressive=True)
    with pytest.raises(ImageUnreadableError, match="8000x8000"):
        decode_picture(data, name="scan.jpg")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"hello, I am no picture", "not a known picture format"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<?xml version='1.0'?>" + b" " * 2000 + b"<svg/>", "SVG"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF document"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", "HEIC photo"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00", "a film"),
        (b"\x1aE\xdf\xa3\x9fB\x86", "a film"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "a film"),
        (b"PK\x03\x04\x14\x00", "archive or document"),
        (b"\x1f\x8b\x08\x00", "archive or document"),
        (png_of_size(64, 64), "damaged"),
        (encoded(hopper(), "JPEG")[:9000], "damaged"),
        (encoded(hopper(), "PNG")[:9000], "damaged"),
        (b"\xff\xd8\xff\xe0garbage", "picture"),
        (b"GIF89a", "picture"),
    ],
)
def test_bad_files_are_told_plainly(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "portrait.jpg"
    path.write_bytes(content)
    with pytest.raises(ImageUnreadableError, match=words) as caught:
        load_picture(path)
    assert caught.value.todo


def test_missing_files_and_folders_are_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(ImageUnreadableError, match="No such file"):
        load_picture(tmp_path / "nobody.png")
    with pytest.raises(ImageUnreadableError, match="not a file"):
        load_picture(tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/me.jpg",
        "http://10.0.0.1/x",
        "ftp://host/me.png",
        "file:///home/me.jpg",
        "smb://nas/me",
    ],
)
def test_network_addresses_are_refused_by_name(address: str) -> None:
    with pytest.raises(ImageUnreadableError, match="never fetched") as caught:
        load_picture(address)
    assert address.split(":")[0] in caught.value.got


@pytest.mark.parametrize("path", ["C:/me.jpg", "C:\\me.jpg", "a:b.jpg", "odd://"[:4]])
def test_drives_and_odd_names_are_no_addresses(path: str) -> None:
    with pytest.raises(ImageUnreadableError, match="No such file"):
        load_picture(path)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="permissions of this kind are POSIX's")
def test_a_picture_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.png"
    path.write_bytes(encoded(hopper()))
    path.chmod(0)
    root = os.geteuid() == 0
    for folder in (tmp_path, *tmp_path.parents)[:-1]:
        if root and folder.owner() == "root" and folder != Path("/tmp"):
            folder.chmod(0o755)
    if root:
        os.seteuid(65534)  # root may read everything
    try:
        with pytest.raises(ImageUnreadableError, match="Permission denied") as caught:
            load_picture(path)
    finally:
        if root:
            os.seteuid(0)
    assert "who may read it" in caught.value.todo
