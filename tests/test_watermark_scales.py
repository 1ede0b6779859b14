"""The mark in tiles of a page and in what phones cut out: encoded as videos, as people meet them."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from skimage import data

from facepuppet.core.types import U8, Composed
from facepuppet.watermark import (
    LOG_N_HYPOTHESES,
    PUBLIC_KEY,
    SCALES,
    Geometry,
    Key,
    Marker,
    Payload,
    Zoom,
    carrier_of,
    detect,
    picked,
    torus_transform,
)

PAYLOAD = Payload(avatar=0x1234567, session=42)
FPS, N_FRAMES = 15, 46
Change = Callable[[U8], U8]


def _face(width: int, height: int, shift: int) -> U8:
    """A face that sways before a wall."""
    side = 7 * min(width, height) // 10
    canvas = np.full((height, width, 3), (90, 110, 120), np.uint8)
    left = (width - side) // 2
    face = cv2.resize(data.astronaut(), (side, side), interpolation=cv2.INTER_AREA)
    canvas[height - side :, left : left + side] = np.roll(face, shift, axis=1)
    return canvas


def _frames(key: Key | None, size_px: tuple[int, int]) -> list[U8]:
    marker = None if key is None else Marker(key, PAYLOAD, size_px=size_px)
    frames = []
    for i in range(N_FRAMES):
        rgb = _face(*size_px, round(20 * np.sin(i / 3)))
        if marker is not None:
            rgb = marker.mark(Composed(rgb, 0, 0), round(i * 1e9 / FPS)).rgb
        frames.append(rgb)
    return frames


@pytest.fixture(scope="module")
def marked() -> list[U8]:
    return _frames(PUBLIC_KEY, (1280, 720))


def _video(path: Path, frames: list[U8], change: Change) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=FPS, options={"crf": "20", "preset": "veryfast"})
        height, width = (n - n % 2 for n in change(frames[0]).shape[:2])
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for rgb in frames:
            picture = np.ascontiguousarray(change(rgb)[:height, :width])
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode(None))
    return path


def _resized(rgb: U8, width: int, height: int) -> U8:
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _page(tile: U8, left: int, top: int, width: int = 1280, height: int = 720) -> U8:
    page = np.full((height, width, 3), 40, np.uint8)
    page[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return page


def _gallery(rgb: U8) -> U8:
    """Three by three, each of the others somebody who carries no mark."""
    tiles = [_resized(_face(640, 360, 7 * i), 426, 240) for i in range(9)]
    tiles[5] = _resized(rgb, 426, 240)
    return np.vstack([np.hstack(tiles[i : i + 3]) for i in (0, 3, 6)])


CHANGES: dict[str, Change] = {
    "a phone's story": lambda rgb: rgb[:, 438:842],
    "a story, enlarged": lambda rgb: _resized(rgb[:, 300:704], 720, 1280),
    "a third, to the left": lambda rgb: rgb[:, :427],
    "a third, a band": lambda rgb: rgb[240:480],
    "a third, a corner": lambda rgb: rgb[304:, 540:],
    "a third, mirrored": lambda rgb: rgb[:, 853:][:, ::-1],
    "a story in a page": lambda rgb: _page(_resized(rgb[:, 438:842], 269, 480), 700, 100),
    "a tile of a third": lambda rgb: _page(_resized(rgb, 426, 240), 854, 480),
    "a tile of a quarter": lambda rgb: _page(_resized(rgb, 320, 180), 100, 500),
    "a tile of a fifth": lambda rgb: _page(_resized(rgb, 256, 144), 600, 33),
    "a gallery": _gallery,
}


LARGE = "a gallery"  # takes as long as four others
# The largest and the smallest picture of the puppet, a part of it, and one that is mirrored.
FEW = ("a phone's story", "a story, enlarged", "a third, mirrored", "a tile of a fifth")


def marks(name: str) -> tuple[pytest.MarkDecorator, ...]:
    if name == LARGE:
        return (pytest.mark.slow,)
    return () if name in FEW else (pytest.mark.thorough,)


@pytest.mark.parametrize(
    "change", [pytest.param(CHANGES[name], id=name, marks=marks(name)) for name in CHANGES]
)
def test_the_mark_is_found_in(tmp_path: Path, marked: list[U8], change: Change) -> None:
    detection = detect(_video(tmp_path / "seen.mp4", marked, change))
    assert detection.marked
    assert detection.payload == PAYLOAD.hex


@pytest.mark.parametrize(
    "size_px",
    [
        pytest.param((1120, 480), id="wide"),
        pytest.param((720, 1280), id="upright"),
        pytest.param((512, 512), id="square"),
    ],
)
@pytest.mark.slow
def test_a_third_of_any_canvas_will_do(tmp_path: Path, size_px: tuple[int, int]) -> None:
    width, height = size_px
    frames = _frames(PUBLIC_KEY, size_px)
    for change in (
        lambda rgb: rgb[:, -round(width / 3) :],
        lambda rgb: rgb[: round(height / 3)],
        lambda rgb: rgb[: round(height * 0.58), : round(width * 0.58)],
    ):
        assert detect(_video(tmp_path / "seen.mp4", frames, change)).marked


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (None, "a phone's story"),
        # What is foreign is passed over without zooming in test_watermark_detect.
        pytest.param(Key("other", b"another organisation's secret"), "a gallery", marks=pytest.mark.thorough),
    ],
)
def test_no_scale_sees_a_mark_that_is_not_there(tmp_path: Path, key: Key | None, name: str) -> None:
    detection = detect(_video(tmp_path / "seen.mp4", _frames(key, (1280, 720)), CHANGES[name]))
    assert not detection.marked
    assert detection.p_value > 1e-3


@pytest.mark.parametrize("scale", [0.34, 0.7, 1.0, 1.8, 3.0])
@pytest.mark.parametrize("shape", [(270, 480), (271, 151)])
def test_zoom_reads_what_sampling_at_that_scale_would(scale: float, shape: tuple[int, int]) -> None:
    carrier = carrier_of(PUBLIC_KEY)
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(*shape, 2)).astype(np.float32)
    evidence = cv2.GaussianBlur(noise, (0, 0), 1.2).view(np.complex64)[..., 0]
    for mirrored, values in zip((False, True), Zoom(evidence).at(scale), strict=True):
        expected = picked(torus_transform(evidence, scale), carrier, Geometry(scale, mirrored=mirrored))
        assert abs(np.vdot(values, expected)) > 0.97 * np.linalg.norm(values) * np.linalg.norm(expected)


def test_every_hypothesis_is_paid_for() -> None:
    spec = (Path(__file__).parents[1] / "facepuppet" / "watermark" / "SPEC.md").read_text(encoding="utf-8")
    assert f"{len(SCALES)} scales from\n   {SCALES[0]:.2f}" in spec
    assert f"(2·{len(SCALES)}·4·128·192·16)" in spec
    assert pytest.approx(log(2 * len(SCALES) * 4 * 128 * 192 * 16)) == LOG_N_HYPOTHESES
    assert SCALES[0] <= 0.2 and SCALES[-1] >= 3.0
    assert np.diff(np.log(SCALES)).max() < 0.0101
