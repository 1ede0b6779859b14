"""Colours as they are meant: what a picture's ICC profile says of its numbers, told in sRGB."""

from __future__ import annotations

import io
import logging

import numpy as np
from PIL import Image, ImageCms

_log = logging.getLogger(__name__)

_MODE_OF = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # of pixels, by the profile's colour space
_GREY_MODES = ("1", "L", "LA", "La")
_SAME_LEVELS = 2  # of 255: a profile that shifts no colour further is sRGB but for rounding
_DAMAGE = (ImageCms.PyCMSError, OSError, ValueError, TypeError, KeyError, AttributeError)


def in_srgb(image: Image.Image, name: str) -> Image.Image:
    """Return a picture with its colours in sRGB, as RGB or RGBA, or as it is where no profile says otherwise.

    A profile that is damaged, or of another kind of picture, is ignored with a warning.

    Args:
        image: decoded, in any mode of 8 bits.
        name: what to call it in the log.
    """
    content = image.info.get("icc_profile")
    if not content:
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
        mode = _mode_for(image, profile.profile.xcolor_space.strip())
        to_srgb = ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if mode != "CMYK" and _changes_nothing(to_srgb, mode):
            return image  # to the bit
        return _converted(image, mode, to_srgb)
    except _DAMAGE as error:
        _log.warning("%s: its colour profile is ignored (%s); colours may be off", name, error)
        return image


def _mode_for(image: Image.Image, space: str) -> str:
    """Return the mode whose numbers the profile is about; grey ones may come with a profile for RGB."""
    mode = _MODE_OF.get(space)
    fits = {"RGB": image.mode != "CMYK", "L": image.mode in _GREY_MODES, "CMYK": image.mode == "CMYK"}
    if mode is None or not fits[mode]:
        raise ValueError(f"a profile for {space} in a picture of {image.mode}")
    return mode


def _changes_nothing(to_srgb: ImageCms.ImageCmsTransform, mode: str) -> bool:
    steps = np.arange(0, 256, 51 if mode == "RGB" else 1, dtype=np.uint8)
    if mode == "RGB":
        samples = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    else:
        samples = steps[None]
    image = Image.fromarray(samples)
    got, was = np.asarray(_applied(to_srgb, image), int), np.asarray(image.convert("RGB"), int)
    return bool(abs(got - was).max() <= _SAME_LEVELS)


def _converted(image: Image.Image, mode: str, to_srgb: ImageCms.ImageCmsTransform) -> Image.Image:
    transparent = image.has_transparency_data
    plain = image.convert("RGBA").convert(mode) if transparent and mode != "CMYK" else image.convert(mode)
    converted = _applied(to_srgb, plain)
    if transparent:
        converted.putalpha(image.convert("RGBA").getchannel("A"))
    return converted


def _applied(to_srgb: ImageCms.ImageCmsTransform, image: Image.Image) -> Image.Image:
    made = ImageCms.applyTransform(image, to_srgb)
    if made is None:  # only where it is asked to work in place
        raise ValueError("no picture came of it")
    return made
