"""Pixels that are not square: drivers, pictures and the detector see what a player shows."""

from __future__ import annotations

import io
import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from pictures import astronaut_rgb, hopper_rgb
from PIL import Image

from facepuppet.core.types import U8, Composed
from facepuppet.media import open_source
from facepuppet.media.pictures import decode_picture, load_luma
from facepuppet.media.pixel_aspect import sane_aspect, shown_size_px
from facepuppet.portrait.face_search import find_faces
from facepuppet.watermark import PUBLIC_KEY, Marker, Payload, detect
from facepuppet.watermark.luma_frames import open_luma_frames


def write_stored(path: Path, pictures: list[U8], size_px: tuple[int, int], aspect: Fraction) -> Path:
    """A video stored in another size, with the aspect of its pixels told."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "12"})
        stream.width, stream.height = size_px
        stream.pix_fmt = "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        for rgb in pictures:
            small = np.asarray(cv2.resize(rgb, size_px, interpolation=cv2.INTER_AREA), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(small, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def face() -> U8:
    """Eileen Collins in (240, 320, 3)."""
    rgb = np.full((240, 320, 3), 110, np.uint8)
    rgb[:, 56:264] = cv2.resize(astronaut_rgb(), (208, 240), interpolation=cv2.INTER_AREA)
    return rgb


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize(("stored", "aspect"), [((160, 240), Fraction(2)), ((320, 120), Fraction(1, 2))])
def test_a_driver_is_seen_as_wide_as_shown(
    tmp_path: Path, ending: str, stored: tuple[int, int], aspect: Fraction
) -> None:
    path = write_stored(tmp_path / f"squeezed.{ending}", [face()], stored, aspect)
    with open_source(path) as source:
        frame = source.read()
    assert frame is not None
    assert source.size_px == (320, 240) == (frame.rgb.shape[1], frame.rgb.shape[0])
    assert abs(frame.rgb.astype(float) - face()).mean() < 8
    assert len(find_faces(frame.rgb)) == 1
    (luma,) = open_luma_frames(path)
    assert luma.luma.shape == (240, 320)


def test_a_turned_video_is_stretched_before_it_is_turned(tmp_path: Path) -> None:
    path = write_stored(tmp_path / "turned.mp4", [np.rot90(face()).copy()], (240, 160), Fraction(1, 2))
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # past the fields before the display matrix
    data[at : at + 36] = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    path.write_bytes(data)
    with open_source(path) as source:
        frame = source.read()
    assert frame is not None
    assert source.size_px == (320, 240)
    assert abs(frame.rgb.astype(float) - face()).mean() < 8


def test_a_mark_is_read_through_pixels_that_are_not_square(tmp_path: Path) -> None:
    wall = np.full((480, 640, 3), 128, np.uint8)
    marker = Marker(PUBLIC_KEY, Payload(avatar=0xFACE, session=1), size_px=(640, 480))
    pictures = [marker.mark(Composed(wall, n, 0)).rgb for n in range(45)]
    path = write_stored(tmp_path / "dvd.mp4", pictures, (480, 480), Fraction(4, 3))
    assert detect(path).marked


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("TIFF", {"dpi": (72, 144)}),
        ("PNG", {"pnginfo": "aspect"}),
        ("JPEG", {"quality": 95}),
    ],
)
def test_a_picture_is_as_wide_as_shown(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    stored = Image.fromarray(hopper_rgb()).resize((256, 600), Image.Resampling.BOX)
    content = io.BytesIO()
    stored.save(content, kind, **{k: v for k, v in options.items() if k != "pnginfo"})
    data = content.getvalue()
    if kind == "PNG":
        data = with_phys(data, 2, 1)
    if kind == "JPEG":
        at = data.index(b"JFIF\0") + 7
        data = data[:at] + struct.pack(">BHH", 0, 2, 1) + data[at + 5 :]
    got = decode_picture(data, name="x")
    assert abs(got.astype(float) - hopper_rgb()).mean() < 6
    (tmp_path / "x").write_bytes(data)
    assert load_luma(tmp_path / "x").shape == (600, 512)


def test_a_turned_picture_is_stretched_the_other_way() -> None:
    stored = Image.fromarray(hopper_rgb()).resize((256, 600), Image.Resampling.BOX)
    content = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned clockwise
    stored.transpose(Image.Transpose.ROTATE_90).save(content, "PNG", exif=exif)
    got = decode_picture(with_phys(content.getvalue(), 1, 2), name="x")
    assert abs(got.astype(float) - hopper_rgb()).mean() < 6


def with_phys(png: bytes, x: int, y: int) -> bytes:
    """A PNG with the aspect of its pixels told."""
    body = b"pHYs" + struct.pack(">IIB", x, y, 0)
    return png[:33] + struct.pack(">I", 9) + body + struct.pack(">I", zlib.crc32(body)) + png[33:]


@pytest.mark.parametrize("told", [None, 0, Fraction(1), Fraction(4096, 4095), 1 / 255, 100.0])
def test_nothing_told_and_nonsense_are_square(told: Fraction | float | None) -> None:
    assert sane_aspect(told) == 1


def test_sizes_are_bounded() -> None:
    assert shown_size_px((8000, 4000), 4.0) == (8000, 4000)
    assert shown_size_px((720, 576), 16 / 15) == (768, 576)
    assert shown_size_px((720, 480), 8 / 9) == (720, 540)


@pytest.mark.parametrize("pair", [(0, 0), (1, 0), (1, 1), (65535, 1)])
def test_a_picture_with_nonsense_told_stays_as_it_is(pair: tuple[int, int]) -> None:
    content = io.BytesIO()
    Image.fromarray(hopper_rgb()).save(content, "PNG")
    assert (decode_picture(with_phys(content.getvalue(), *pair), name="x") == hopper_rgb()).all()
