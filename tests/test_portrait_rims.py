"""Uniform rims and bars are no part of a portrait; a plain backdrop is."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures import astronaut_rgb, hopper_rgb
from PIL import Image

from facepuppet.core.types import U8
from facepuppet.media.pictures import decode_picture
from facepuppet.portrait import analyse_file
from facepuppet.portrait.rims import without_rims

WHITE, BLACK, CREAM = (255, 255, 255), (0, 0, 0), (240, 230, 205)


def framed(rgb: U8, sides_px: tuple[int, int, int, int], colour: tuple[int, int, int]) -> U8:
    """A picture with so many pixels of a colour on its left, top, right and bottom."""
    left, top, right, bottom = sides_px
    height, width = rgb.shape[:2]
    out = np.full((height + top + bottom, width + left + right, 3), colour, np.uint8)
    out[top : top + height, left : left + width] = rgb
    return out


def through_jpeg(rgb: U8, quality: int) -> U8:
    content = io.BytesIO()
    Image.fromarray(rgb).save(content, "JPEG", quality=quality)
    return decode_picture(content.getvalue(), name="x")


HATLESS = hopper_rgb()[120:]


@pytest.mark.parametrize("quality", [60, 90])
@pytest.mark.parametrize(
    ("sides_px", "colour"),
    [
        ((0, 4, 0, 0), WHITE),
        ((0, 60, 0, 0), BLACK),
        ((0, 0, 0, 60), WHITE),
        ((90, 0, 90, 0), CREAM),
        ((7, 11, 13, 17), WHITE),
        ((420, 0, 420, 0), BLACK),
    ],
)
def test_rims_are_cut_off(
    sides_px: tuple[int, int, int, int], colour: tuple[int, int, int], quality: int
) -> None:
    trimmed, cut_px = without_rims(through_jpeg(framed(HATLESS, sides_px, colour), quality))
    assert np.abs(np.array(trimmed.shape[:2]) - HATLESS.shape[:2]).max() <= 2
    assert np.abs(np.array(cut_px) - sides_px[:2]).max() <= 2
    left, top = cut_px[0] - sides_px[0], cut_px[1] - sides_px[1]
    same = HATLESS[top:, left:][: trimmed.shape[0], : trimmed.shape[1]]
    assert np.abs(trimmed.astype(float) - same).mean() < 8


def test_a_frame_within_a_frame_is_cut_off_too() -> None:
    twice = framed(framed(HATLESS, (9, 9, 9, 9), BLACK), (30, 30, 30, 30), WHITE)
    trimmed, cut_px = without_rims(twice)
    assert cut_px == (39, 39)
    assert (trimmed == HATLESS).all()


def backdrop(colour_top: int, colour_bottom: int) -> U8:
    """A head with a flat hat and shoulders before a plain or shaded wall."""
    shade = np.linspace(colour_top, colour_bottom, 400)[:, None, None]
    picture = np.broadcast_to(shade, (400, 320, 3)).astype(np.uint8).copy()
    cv2.ellipse(picture, (160, 190), (70, 95), 0, 0, 360, (200, 150, 120), -1)
    cv2.rectangle(picture, (80, 60), (240, 110), (20, 20, 25), -1)
    cv2.rectangle(picture, (0, 320), (320, 400), (30, 40, 60), -1)
    picture[320:340, :60] = picture[319, 0]  # shoulders slope
    return picture


def shaded_beside() -> U8:
    """A wall that is even at its left end and darkens from there by a level and a half a pixel."""
    picture = backdrop(200, 200).astype(int)
    picture[:300] -= np.clip(1.5 * (np.arange(320) - 20), 0, 60).astype(int)[None, :, None]
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "rgb",
    [
        hopper_rgb(),
        astronaut_rgb(),
        backdrop(255, 255),
        backdrop(0, 0),
        backdrop(90, 250),
        backdrop(200, 40),
        shaded_beside(),
        np.full((200, 200, 3), 255, np.uint8),
        np.full((3, 300, 3), 255, np.uint8),
        np.zeros((1, 1, 3), np.uint8),
    ],
    ids=[
        "hopper",
        "astronaut",
        "white",
        "black",
        "light below",
        "dark below",
        "shaded beside",
        "blank",
        "flat",
        "dot",
    ],
)
def test_pictures_without_a_rim_stay_what_they_are(rgb: U8) -> None:
    trimmed, cut_px = without_rims(rgb)
    assert trimmed is rgb
    assert cut_px == (0, 0)


def test_a_portrait_is_analysed_without_its_rim(tmp_path: Path) -> None:
    path = tmp_path / "bar.png"
    Image.fromarray(framed(HATLESS, (0, 60, 0, 0), BLACK)).save(path)
    avatar = analyse_file(path)
    assert (avatar.portrait_rgb == HATLESS).all()


def test_landmarks_placed_by_hand_are_in_the_pixels_of_the_whole_picture(tmp_path: Path) -> None:
    plain, rimmed = tmp_path / "plain.png", tmp_path / "rimmed.png"
    Image.fromarray(HATLESS).save(plain)
    Image.fromarray(framed(HATLESS, (20, 60, 0, 0), BLACK)).save(rimmed)
    placed = analyse_file(plain).landmarks_px
    moved = (placed + np.array([20, 60, 0])).astype(np.float32)
    assert analyse_file(rimmed, landmarks_px=moved).landmarks_px == pytest.approx(placed, abs=1e-3)
