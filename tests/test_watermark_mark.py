"""The embedder: invisible, keyed, constant in time, and the only maker of Marked."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from compare import EXACT, Tolerance, assert_pictures_equal
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from facepuppet.core.errors import WatermarkError
from facepuppet.core.types import U8, Composed
from facepuppet.watermark import Marked, Marker, Payload


def _canvas(width: int = 1280, height: int = 720) -> U8:
    canvas = np.full((height, width, 3), (120, 128, 136), np.uint8)
    side = min(width, height)
    left = (width - side) // 2
    canvas[height - side :, left : left + side] = cv2.resize(data.astronaut(), (side, side))
    return canvas


def _delta(rgb: U8, t_ns: int, marker: Marker | None = None) -> np.ndarray:
    marker = marker or Marker(size_px=(rgb.shape[1], rgb.shape[0]))
    return marker.mark(Composed(rgb, 0, 0), t_ns).rgb.astype(np.float32) - rgb


def test_only_a_marker_makes_marked_frames() -> None:
    with pytest.raises(WatermarkError):
        Marked(_canvas(), 0, 0, Payload(), "key", object())
    with pytest.raises(TypeError):
        Marked(_canvas(), 0, 0, Payload(), "key")  # type: ignore[call-arg]
    with pytest.raises((TypeError, ValueError), match="seal"):  # ValueError before Python 3.13
        replace(Marker().mark(Composed(_canvas(), 0, 0)), rgb=_canvas())


def test_nobody_but_the_markers_has_the_seal() -> None:
    root = Path(__file__).resolve().parents[1]
    sources = (
        path
        for folder in ("facepuppet", "calibrate", "engines", "tools")
        for path in (root / folder).rglob("*.py")
    )
    holders = {path.name for path in sources if re.search(r"\bSEAL\b", path.read_text("utf-8"))}
    assert holders == {"marked.py", "mark.py", "mark_gpu.py"}


def test_keeps_ids_leaves_the_input_alone_and_is_read_only() -> None:
    canvas = _canvas()
    before = canvas.copy()
    marked = Marker().mark(Composed(canvas, 7, 11))
    assert (marked.frame_id, marked.captured_ns) == (7, 11)
    assert_pictures_equal(canvas, before, EXACT)
    with pytest.raises(ValueError):
        marked.rgb[0, 0, 0] = 1


def test_psnr_is_at_least_46_db() -> None:
    mean_square = np.mean([np.mean(_delta(_canvas(), t) ** 2) for t in range(0, 1_000_000_000, 125_000_000)])
    assert 10 * np.log10(255**2 / mean_square) >= 46


@pytest.mark.parametrize("level", [3, 60, 128, 200, 252])
def test_flat_areas_change_by_at_most_seven_tenths_of_a_level(level: int) -> None:
    wall = np.full((720, 1280, 3), level, np.uint8)
    for t_ns in (0, 130_000_000, 400_000_000):
        assert np.sqrt(np.mean(_delta(wall, t_ns) ** 2)) <= 0.7


def test_changes_luma_alone_away_from_black_and_white() -> None:
    delta = _delta(np.clip(_canvas(), 12, 243), 250_000_000)
    assert_pictures_equal(delta[..., 1], delta[..., 0], EXACT)
    assert_pictures_equal(delta[..., 2], delta[..., 0], EXACT)


def test_averages_out_over_time_so_a_mean_frame_cannot_remove_it() -> None:
    wall = np.full((360, 640, 3), 128, np.uint8)
    marker = Marker(size_px=(640, 360))
    deltas = [_delta(wall, round(i * 1e9 / 30), marker)[..., 0] for i in range(60)]
    low = [cv2.GaussianBlur(delta, (0, 0), 2) for delta in deltas]
    assert np.mean(low, axis=0).std() < 0.15 * np.mean([field.std() for field in low])


def test_yuv_luma_gets_the_same_mark() -> None:
    luma = np.full((720, 1280), 126, np.uint8)
    marker = Marker()
    from_yuv = marker.mark_yuv(luma, 0).astype(np.float32) - luma
    from_rgb = _delta(np.full((720, 1280, 3), 128, np.uint8), 0, marker)[..., 0]
    smooth = [cv2.GaussianBlur(delta, (0, 0), 4) for delta in (from_yuv, from_rgb)]
    assert np.corrcoef(smooth[0].ravel(), smooth[1].ravel())[0, 1] > 0.97


@settings(max_examples=12, deadline=None)
@given(st.integers(128, 700), st.integers(128, 700), st.integers(0, 255))
def test_any_size_and_level(width: int, height: int, level: int) -> None:
    rgb = np.full((height, width, 3), level, np.uint8)
    marked = Marker(size_px=(width, height)).mark(Composed(rgb, 0, 0), 10).rgb
    assert_pictures_equal(marked, rgb, Tolerance(most=4))


def test_refuses_the_wrong_size_and_tiny_canvases() -> None:
    with pytest.raises(WatermarkError, match="640x360"):
        Marker().mark(Composed(np.zeros((360, 640, 3), np.uint8), 0, 0))
    with pytest.raises(WatermarkError, match="128"):
        Marker(size_px=(64, 720))
