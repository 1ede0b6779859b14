"""The detector on short synthetic shows: single frames, geometry, wrong keys, bad input."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from facepuppet.core.errors import WatermarkError
from facepuppet.core.types import U8, Composed
from facepuppet.watermark import PUBLIC_KEY, Key, Marker, Payload, detect

PAYLOAD = Payload(avatar=0x1234567, session=42)
OTHER_KEY = Key("other", b"another organisation's secret")


def _show(
    seconds: float = 1.6, size_px: tuple[int, int] = (640, 360), fps: float = 25.0
) -> Iterator[tuple[U8, float]]:
    """A face swaying before a wall."""
    width, height = size_px
    side = 7 * min(size_px) // 10
    face = cv2.resize(data.astronaut(), (side, side))
    for i in range(round(seconds * fps)):
        canvas = np.full((height, width, 3), (90, 110, 120), np.uint8)
        shift = round(0.03 * side * np.sin(i / 5))
        left = (width - side) // 2
        canvas[height - side :, left : left + side] = np.roll(face, shift, axis=1)
        yield canvas, i / fps


def _marked(key: Key = PUBLIC_KEY, **show: float | tuple[int, int]) -> list[tuple[U8, float]]:
    frames = list(_show(**show))  # type: ignore[arg-type]
    height, width = frames[0][0].shape[:2]
    marker = Marker(key, PAYLOAD, size_px=(width, height))
    return [(marker.mark(Composed(rgb, 0, 0), round(t * 1e9)).rgb, t) for rgb, t in frames]


def _luma_noise(rgb: U8, sigma: float) -> U8:
    noise = np.random.default_rng(1).normal(0, sigma, rgb.shape[:2])[..., None]
    return np.clip(rgb + noise, 0, 255).astype(np.uint8)


ATTACKS = {
    "none": lambda rgb: rgb,
    "mirror": lambda rgb: rgb[:, ::-1],
    "crop to 80 %": lambda rgb: rgb[20:308, 90:602],
    "4:3 crop": lambda rgb: rgb[:, 80:560],
    "window in a screen recording": lambda rgb: cv2.copyMakeBorder(
        cv2.resize(rgb, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA),
        40,
        70,
        110,
        90,
        cv2.BORDER_CONSTANT,
    ),
    "half size": lambda rgb: cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "contrast and brightness": lambda rgb: cv2.convertScaleAbs(rgb, alpha=0.8, beta=20),
    "noise": lambda rgb: _luma_noise(rgb, 8),
}


@pytest.fixture(scope="module")
def marked() -> list[tuple[U8, float]]:
    return _marked(seconds=4.2, fps=15.0)


# The other crop takes a third of the time.
THOROUGH = "crop to 80 %"


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(attack, id=name, marks=[pytest.mark.thorough] * (name == THOROUGH))
        for name, attack in ATTACKS.items()
    ],
)
def test_finds_mark_and_payload_through(attack: object, marked: list[tuple[U8, float]]) -> None:
    frames = [(np.ascontiguousarray(attack(rgb)), t) for rgb, t in marked]  # type: ignore[operator]
    detection = detect(frames)
    assert detection.marked
    assert detection.key == PUBLIC_KEY.name
    assert detection.payload == PAYLOAD.hex


@pytest.mark.parametrize("size_px", [(1280, 720), (512, 512), (481, 853), (333, 257)])
def test_one_lossless_frame_is_enough(size_px: tuple[int, int]) -> None:
    detection = detect(_marked(seconds=0.04, size_px=size_px)[:1])
    assert detection.marked
    assert detection.payload == PAYLOAD.hex


def test_unmarked_and_foreign_marks_are_not_reported() -> None:
    assert not detect(_show()).marked
    assert not detect(_marked(OTHER_KEY)).marked


def test_two_marks_in_one_picture_are_both_found() -> None:
    second = Marker(OTHER_KEY, Payload(session=9), size_px=(640, 360))
    frames = [(second.mark(Composed(rgb, 0, 0), round(t * 1e9)).rgb, t) for rgb, t in _marked(seconds=3)]
    detection = detect(frames, (PUBLIC_KEY, OTHER_KEY))
    assert [found.marked for found in detection.findings] == [True, True]
    assert {found.payload for found in detection.findings} == {PAYLOAD, Payload(session=9)}


def test_drops_and_a_changed_resolution_do_not_matter() -> None:
    frames = _marked(seconds=4)
    kept = [frame for i, frame in enumerate(frames) if i % 5 and i % 7]
    halves = [(cv2.resize(rgb, (426, 240)) if t > 2 else rgb, t) for rgb, t in kept]
    assert detect(halves).payload == PAYLOAD.hex


def test_places_frozen_by_a_codec_still_tell() -> None:
    frames = _marked(seconds=2)
    frozen = [(frames[0][0], t) for _, t in frames]
    assert detect(frozen).payload == PAYLOAD.hex


@pytest.mark.thorough
def test_says_when_the_mark_was_there() -> None:
    plain, marked = (list(made(seconds=3, fps=15.0)) for made in (_show, _marked))
    detection = detect([*plain, *((rgb, t + 3) for rgb, t in marked), *((rgb, t + 6) for rgb, t in plain)])
    assert detection.payload == PAYLOAD.hex
    ((start_s, end_s),) = detection.best.spans_s
    assert 2 <= start_s <= 4
    assert 5 <= end_s <= 8.6


def test_subtracting_the_mean_of_a_still_show_does_not_remove_it() -> None:
    still = np.ascontiguousarray(next(_show())[0])
    marker = Marker(payload=PAYLOAD, size_px=(640, 360))
    frames = [marker.mark(Composed(still, 0, 0), round(i * 1e9 / 30)).rgb for i in range(120)]
    mean = np.mean(frames, axis=0)
    stolen = still - mean  # what an attacker believes to be the mark
    cleaned = [
        (np.clip(rgb + stolen, 0, 255).round().astype(np.uint8), i / 30) for i, rgb in enumerate(frames[:60])
    ]
    assert detect(cleaned).payload == PAYLOAD.hex


def test_image_file_and_folder(tmp_path: Path) -> None:
    for i, (rgb, _) in enumerate(_marked(seconds=0.2)):
        cv2.imwrite(str(tmp_path / f"{i:03}.png"), rgb[..., ::-1])
    assert detect(tmp_path / "000.png").payload == PAYLOAD.hex
    assert detect(tmp_path).n_frames == 5


@pytest.mark.parametrize(
    "content", [b"", b"not a video at all", b"\x00" * 5000, b"\x89PNG\r\n\x1a\n" + b"x" * 50]
)
@pytest.mark.parametrize("suffix", [".mp4", ".png", ".mkv", ".xyz"])
def test_broken_files_end_in_one_error(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    with pytest.raises(WatermarkError):
        detect(path)


@pytest.mark.parametrize("source", ["/nowhere/at/all.mp4", "camera:x", "screen:1,2"])
def test_bad_sources_end_in_one_error(source: str) -> None:
    with pytest.raises(WatermarkError):
        detect(source)


def test_empty_folder_and_no_frames(tmp_path: Path) -> None:
    with pytest.raises(WatermarkError):
        detect(tmp_path)
    with pytest.raises(WatermarkError):
        detect(iter(()))


def test_detector_imports_no_camera_display_or_tracker() -> None:
    script = (
        "import sys, facepuppet.watermark; "
        "sys.exit(bool({'mediapipe', 'pyvirtualcam', 'PIL.ImageGrab', 'typer'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
