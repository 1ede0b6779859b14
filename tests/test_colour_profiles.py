"""Pictures with colour profiles look as they were meant to."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from colour_profiles_made import DISPLAY_P3, SRGB, cmyk_profile, grey_profile, rgb_profile
from pictures import hopper_rgb
from PIL import Image, ImageCms

from facepuppet.core.types import F64, U8
from facepuppet.frames.cpu.compose import Backdrop
from facepuppet.media.pictures import decode_picture, load_luma

P3 = rgb_profile(DISPLAY_P3)


def decoded(image: Image.Image, kind: str, **options: Any) -> U8:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return decode_picture(content.getvalue(), name="x")


def linear(levels: F64) -> F64:
    x = levels / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def curved(x: F64) -> F64:
    x = np.clip(x, 0, 1)
    return 255 * np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)


def to_p3(rgb: U8) -> U8:
    """Numbers that mean in Display P3 what these mean in sRGB."""
    matrix = np.linalg.inv(np.array(DISPLAY_P3)) @ np.array(SRGB)
    return np.rint(curved(linear(rgb.astype(float)) @ matrix.T)).astype(np.uint8)


@pytest.mark.parametrize(("kind", "limit"), [("PNG", 1.0), ("TIFF", 1.0), ("WEBP", 1.0), ("JPEG", 4.0)])
def test_a_photo_in_display_p3_keeps_its_colours(kind: str, limit: float) -> None:
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    got = decoded(Image.fromarray(to_p3(hopper_rgb())), kind, icc_profile=P3, **options)
    assert abs(got.astype(float) - hopper_rgb()).mean() < limit
    assert abs(to_p3(hopper_rgb()).astype(float) - hopper_rgb()).mean() > 2  # what was wrong


def test_red_stays_red() -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[:] = to_p3(np.array([[[250, 0, 0]]], np.uint8))
    assert red[0, 0, 1] > 40  # it would be brown
    assert (
        abs(decoded(Image.fromarray(red), "PNG", icc_profile=P3)[0, 0].astype(int) - [250, 0, 0]).max() <= 2
    )


@pytest.mark.parametrize("mode", ["P", "RGBA", "LA", "1"])
def test_palettes_and_transparency_bear_a_profile(mode: str) -> None:
    image = Image.fromarray(to_p3(hopper_rgb()))
    image = image.quantize(256) if mode == "P" else image.convert(mode)
    if "A" in mode:
        image.putalpha(
            Image.fromarray(np.where(np.arange(512) < 256, 255, 0).astype(np.uint8)[None].repeat(600, 0))
        )
    got = decoded(image, "PNG", icc_profile=P3)
    expected = hopper_rgb() if mode in ("P", "RGBA") else np.asarray(image.convert("RGB"))
    assert abs(got[:, :256].astype(float) - expected[:, :256]).mean() < (12 if mode == "P" else 1)
    if "A" in mode:
        assert (got[:, 256:] == 128).all()


def test_srgb_changes_no_pixel() -> None:
    for profile in (rgb_profile(SRGB), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()):
        assert (decoded(Image.fromarray(hopper_rgb()), "PNG", icc_profile=profile) == hopper_rgb()).all()


@pytest.mark.parametrize("deep", [False, True])
def test_grey_has_its_gamma(deep: bool) -> None:
    stored = np.tile(np.arange(256, dtype=np.uint8), (8, 1))
    image = Image.fromarray(stored.astype(np.uint16) * 257) if deep else Image.fromarray(stored)
    got = decoded(image, "PNG", icc_profile=grey_profile(1.8))
    assert abs(got[0, :, 1] - curved((np.arange(256) / 255) ** 1.8))[8:].max() <= 2


def test_inks_are_what_their_profile_says() -> None:
    inks = Image.merge("CMYK", [Image.new("L", (16, 16), level) for level in (255, 0, 0, 0)])
    got = decoded(inks, "JPEG", quality=100, icc_profile=cmyk_profile())[8, 8].astype(int)
    assert got[2] > got[0] + 60 and got[2] > got[1] + 30  # blue, not the cyan of (0, 255, 255)
    assert (decoded(Image.new("CMYK", (16, 16), 0), "JPEG", icc_profile=cmyk_profile()) >= 250).all()
    assert abs(decoded(inks, "JPEG", quality=100)[8, 8].astype(int) - [0, 255, 255]).max() < 6


@pytest.mark.parametrize(
    "profile", [b"no profile", P3[:200], P3[:128] + bytes(400), cmyk_profile(), grey_profile(2.2)]
)
def test_a_profile_that_will_not_do_costs_a_warning(profile: bytes, caplog: pytest.LogCaptureFixture) -> None:
    got = decoded(Image.fromarray(hopper_rgb()), "PNG", icc_profile=profile)
    assert (got == hopper_rgb()).all()
    assert "colour profile is ignored" in caplog.text


def test_the_backdrop_is_read_so_too_and_the_detector_reads_stored_numbers(tmp_path: Path) -> None:
    path = tmp_path / "p3.png"
    stored = to_p3(hopper_rgb())
    Image.fromarray(stored).save(path, icc_profile=P3)
    backdrop = Backdrop.parse(str(path)).image_rgb
    assert backdrop is not None
    assert abs(backdrop.astype(float) - hopper_rgb()).mean() < 1
    assert (load_luma(path) == np.asarray(Image.fromarray(stored).convert("L"))).all()
