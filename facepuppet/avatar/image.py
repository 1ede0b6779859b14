"""A picture file, as plain RGB pixels, whatever the file is."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from facepuppet.errors import ImageUnreadableError
from facepuppet.types import U8

_log = logging.getLogger(__name__)

MAX_DECODED_PIXELS = 60_000_000
_REDUCED_SIDE_PX = 4096  # what a larger JPEG is reduced to while it is decoded
_NEUTRAL_GREY = (128, 128, 128)
_FORMATS_TODO = "Use a JPEG, PNG or WebP photo."


def load_portrait_image(path: str | Path) -> U8:
    """Read a picture file into (H, W, 3) uint8 RGB, upright.

    EXIF rotation is applied, transparency is laid over neutral grey, 16-bit, palette, grey and
    CMYK pictures are converted. Of an animation the first frame is taken. JPEGs too large to hold
    are reduced while decoding; other formats of that size are refused.

    Raises:
        ImageUnreadableError: missing, empty, damaged, not a raster picture, or too large.
    """
    path = Path(path)
    _check_bytes(path)
    with _telling_errors(path), Image.open(path) as image:
        if getattr(image, "n_frames", 1) > 1:
            _log.warning("%s is animated; its first frame is used", path.name)
        _bound_size(image, path)
        image.load()
        upright = ImageOps.exif_transpose(image)
        return np.ascontiguousarray(_to_rgb(upright))


def _check_bytes(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError as error:
        raise ImageUnreadableError(
            f"{path} ({error.strerror or error})", "a readable picture file", "Check the path."
        ) from error
    if not head:
        raise ImageUnreadableError(f"{path.name}, an empty file", "a picture", _FORMATS_TODO)
    if b"<svg" in head.lower():
        raise ImageUnreadableError(
            f"{path.name}, an SVG drawing", "a picture made of pixels", "Export it as PNG first."
        )


@contextlib.contextmanager
def _telling_errors(path: Path) -> Iterator[None]:
    """Turn what Pillow raises over a bad file into ImageUnreadableError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            yield
    except Image.DecompressionBombError as error:
        raise _too_large(path, "far more pixels than a photo has") from error
    except UnidentifiedImageError as error:
        raise ImageUnreadableError(
            f"{path.name}, not a known picture format", "a picture", _FORMATS_TODO
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise ImageUnreadableError(
            f"{path.name}, a damaged picture ({error})", "a complete picture file", "Copy or export it again."
        ) from error


def _too_large(path: Path, size: str) -> ImageUnreadableError:
    return ImageUnreadableError(
        f"{path.name} with {size}",
        f"at most {MAX_DECODED_PIXELS // 1_000_000} megapixels",
        "Scale it down first; 1024 px on the longer side is all that is used.",
    )


def _bound_size(image: Image.Image, path: Path) -> None:
    """Keep the memory of decoding bounded, before any pixel is decoded."""
    if image.width * image.height > MAX_DECODED_PIXELS:
        image.draft("RGB", (_REDUCED_SIDE_PX, _REDUCED_SIDE_PX))  # JPEG only; elsewhere a no-op
    if image.width * image.height > MAX_DECODED_PIXELS:
        raise _too_large(path, f"{image.width}x{image.height} pixels")


def _to_rgb(image: Image.Image) -> U8:
    if image.mode.startswith("I") or image.mode == "F":
        return _grey_to_rgb(image)
    if "A" in image.getbands() or "transparency" in image.info:
        rgba = image.convert("RGBA")
        backdrop = Image.new("RGBA", rgba.size, (*_NEUTRAL_GREY, 255))
        image = Image.alpha_composite(backdrop, rgba)
    return np.asarray(image.convert("RGB"), dtype=np.uint8)


def _grey_to_rgb(image: Image.Image) -> U8:
    """High bit depths: Pillow would clip them at 255, so they are scaled here."""
    grey = np.nan_to_num(np.asarray(image, dtype=np.float64))
    unit_range = image.mode == "F" and grey.max() <= 1.0
    full_scale = 1.0 if unit_range else 65535.0 if grey.max() > 255 else 255.0
    eight_bit = np.clip(np.rint(grey * (255.0 / full_scale)), 0, 255).astype(np.uint8)
    return np.repeat(eight_bit[..., None], 3, axis=2)
