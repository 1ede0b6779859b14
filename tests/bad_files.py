"""Files that a hostile or hapless user may hand to the program, made afresh for each test."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from avatars import hopper
from pictures import hopper_rgb
from PIL import Image

from facepuppet.core.types import U8
from facepuppet.portrait.pack import Pack, save_pack

Make = Callable[[Path], object]


def picture_of(rgb: U8) -> Make:
    return lambda path: Image.fromarray(rgb).save(path)


def content(data: bytes) -> Make:
    return lambda path: path.write_bytes(data)


def png_of(rgb: U8) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "PNG")
    return out.getvalue()


def png_bomb(side_px: int = 30_000) -> bytes:
    """A PNG of a few bytes that claims to be huge; decoding it takes gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def npy(header: bytes) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


def npy_of(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array.astype(np.float32))
    return out.getvalue()


def pack_with(**changes: bytes) -> Make:
    """A good pack in which some members are replaced; member a.b is called a_b here."""

    def make(path: Path) -> None:
        save_pack(Pack(hopper()), path)
        with zipfile.ZipFile(path) as good:
            members = {name: good.read(name) for name in good.namelist()}
        with zipfile.ZipFile(path, "w") as changed:
            for name, data in members.items():
                changed.writestr(name, changes.get(name.replace(".", "_"), data))

    return make


def manifest(**changes: object) -> bytes:
    good = {"format": "facepuppet-avatar", "version": 2, "name": "x", "source_sha256": "0" * 64}
    return json.dumps({**good, **changes}).encode()


def one_pixel_pack(path: Path) -> None:
    grey, colour = np.zeros((1, 1), np.uint8), np.zeros((1, 1, 3), np.uint8)
    pictures = {f"{name}_png": png_of(colour) for name in ("portrait", "foreground", "background")}
    pack_with(person_alpha_png=png_of(grey), **pictures)(path)


def zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", manifest())
        archive.writestr("portrait.png", bytes(50_000_000))


def climbing_pack(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../evil", "x")


def driver_rgb(shift_px: int = 0, size_px: tuple[int, int] = (320, 320), wall: int | U8 = 110) -> U8:
    """A face before a wall, moved right by some pixels."""
    width, height = size_px
    out = np.empty((height, width, 3), np.uint8)
    out[:] = wall
    face = cv2.resize(hopper_rgb(), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    face = face[:height, : width - shift_px]
    out[: len(face), shift_px : shift_px + face.shape[1]] = face
    return out


def video_of(pictures: Sequence[U8], times_ms: Sequence[int] | None = None) -> Make:
    """A video with given pictures at given times; 30 a second if None."""

    def make(path: Path) -> None:
        times = times_ms or [round(1000 * i / 30) for i in range(len(pictures))]
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=30)
            stream.height, stream.width = pictures[0].shape[:2]
            even = stream.width % 2 == stream.height % 2 == 0
            stream.pix_fmt = "yuv420p" if even else "yuv444p"
            stream.codec_context.time_base = Fraction(1, 1000)
            for rgb, time_ms in zip(pictures, times, strict=True):
                frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=stream.pix_fmt)
                frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))

    return make


def only_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44_100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44_100, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def cut_short(make: Make, share: float = 0.5) -> Make:
    """What `make` writes, without its end."""

    def made(path: Path) -> None:
        make(path)
        data = path.read_bytes()
        path.write_bytes(data[: int(share * len(data))])

    return made


def folder(path: Path) -> None:
    path.mkdir()
