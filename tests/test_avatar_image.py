"""Picture files of every kind end as upright RGB pixels or as one clear sentence."""

from __future__ import annotations

import io
import logging
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pictures import hopper_rgb
from PIL import Image

from facepuppet.avatar.image import decode_picture, load_portrait_image
from facepuppet.errors import ImageUnreadableError
from facepuppet.types import U8


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def hopper() -> Image.Image:
    return Image.fromarray(hopper_rgb())


def mean_difference(a: U8, b: U8) -> float:
    assert a.shape == b.shape
    assert a.dtype == np.uint8
    return float(np.abs(a.astype(float) - b).mean())


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "JPEG"])
def test_common_formats_keep_their_colours(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    limit = 4.0 if kind == "JPEG" else 0.0
    assert (
        mean_difference(decode_picture(encoded(hopper(), kind, **options), name="x"), hopper_rgb()) <= limit
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(orientation: int) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # EXIF orientation -> Pillow transpose that makes it
    stored = hopper()
    if orientation > 1:
        stored = stored.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode_picture(encoded(stored, "PNG", exif=exif), name="x")
    assert mean_difference(picture, hopper_rgb()) == 0


def test_transparency_is_laid_over_neutral_grey() -> None:
    rgba = np.dstack([hopper_rgb(), np.zeros(hopper_rgb().shape[:2], np.uint8)])
    rgba[:300, :, 3] = 255
    picture = decode_picture(encoded(Image.fromarray(rgba)), name="x")
    assert mean_difference(picture[:300], hopper_rgb()[:300]) == 0
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
    assert mean_difference(picture, np.repeat(grey[..., None], 3, axis=2)) <= 0.5


def test_sixteen_bit_colour_is_scaled_not_clipped() -> None:
    ok, png = cv2.imencode(".png", hopper_rgb()[..., ::-1].astype(np.uint16) * 257)
    assert ok
    assert mean_difference(decode_picture(png.tobytes(), name="x"), hopper_rgb()) <= 1


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
    assert mean_difference(picture, hopper_rgb()) < 6


def test_first_frame_of_an_animation_is_taken_and_told(caplog: pytest.LogCaptureFixture) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    with caplog.at_level(logging.WARNING):
        data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
        picture = decode_picture(data, name="wave.webp")
    assert tuple(picture[0, 0]) == (255, 0, 0)
    assert "wave.webp is animated" in caplog.text


def test_a_scan_of_a_hundred_megapixels_is_reduced_while_decoding() -> None:
    picture = decode_picture(encoded(Image.new("L", (10_000, 10_000), 77), "JPEG"), name="scan.jpg")
    assert 2000 < picture.shape[0] <= 5000
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
        load_portrait_image(path)
    assert caught.value.todo


def test_missing_files_and_folders_are_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(ImageUnreadableError, match="No such file"):
        load_portrait_image(tmp_path / "nobody.png")
    with pytest.raises(ImageUnreadableError, match="not a file"):
        load_portrait_image(tmp_path)
