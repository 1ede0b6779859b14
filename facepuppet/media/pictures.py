"""A picture file, as plain RGB or luma, whatever the file is: the one place that decodes still pictures."""

from __future__ import annotations

import contextlib
import io
import logging
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, JpegImagePlugin, UnidentifiedImageError

from facepuppet.core.errors import ImageUnreadableError
from facepuppet.core.types import U8
from facepuppet.media.colour_profiles import in_srgb
from facepuppet.media.formats import MAX_PIXELS
from facepuppet.media.pixel_aspect import aspect_of, stretched
from facepuppet.media.unsupported_formats import refuse_address, refuse_by_name

_log = logging.getLogger(__name__)

MAX_REDUCED_PIXELS = 250_000_000  # of a JPEG that is reduced while it is decoded
MAX_FILE_BYTES = 500_000_000
_REDUCED_SIDE_PX = 4096  # what a larger JPEG is reduced to while it is decoded
_JPEG_START = b"\xff\xd8\xff"
_NEUTRAL_GREY = (128, 128, 128)
# What Pillow raises over damaged files.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, LookupError, ArithmeticError, struct.error)
_FORMATS_TODO = "Use a JPEG, PNG or WebP photo."
MAX_FRAMES = 10  # of an animation, that are looked at
MAX_ANIMATED_PIXELS = 300_000_000  # decoded in all: frames build on those before them


def load_picture(path: str | Path) -> U8:
    """Read a picture file into (H, W, 3) uint8 RGB, upright; see decode_picture.

    Raises:
        ImageUnreadableError: missing, empty, damaged, not a raster picture, or too large.
    """
    path = Path(path)
    return decode_picture(read_picture_file(path), name=path.name)


def load_luma(path: str | Path) -> U8:
    """Read a picture file into (H, W) uint8 luma, upright: a JPEG's as it is stored, else of its colours.

    It is what the detector looks at, and marks are made of stored numbers: colour profiles do not matter.

    Raises:
        ImageUnreadableError: as load_picture.
    """
    path = Path(path)
    data = read_picture_file(path)
    with _telling_errors(path.name):
        image = _load(data, path.name, "L")
        _tell_of_others(image, path.name)
        return np.ascontiguousarray(stretched(_to_luma(image), aspect_of(image)))


def read_picture_file(path: Path) -> bytes:
    """Read a file of sensible size.

    Raises:
        ImageUnreadableError: missing, not a plain file, empty or too large.
    """
    refuse_address(path)
    try:
        if path.exists() and not path.is_file():
            raise ImageUnreadableError(f"{path}, which is not a file", "a picture file", _FORMATS_TODO)
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise _too_large(path.name, f"{size / 1e6:.0f} MB")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImageUnreadableError(
            f"{path} ({reason})", "a readable picture file", "Check the path and who may read it."
        ) from error
    if not data:
        raise ImageUnreadableError(f"{path.name}, an empty file", "a picture", _FORMATS_TODO)
    return data


def decode_picture(data: bytes, *, name: str) -> U8:
    """Decode a picture file's bytes into (H, W, 3) uint8 RGB, upright.

    EXIF rotation and the shape of pixels are applied, transparency is laid over neutral grey,
    16-bit, palette, grey and CMYK pictures are converted; what a colour profile says is told in
    sRGB. Of several frames or pages the first is taken, with a warning. JPEGs too large to hold are
    reduced while decoding; other formats of that size are refused.

    Args:
        data: the file's content.
        name: what to call it in messages.

    Raises:
        ImageUnreadableError: damaged, not a raster picture, or too large.
    """
    with _telling_errors(name):
        image = _load(data, name, "RGB")
        _tell_of_others(image, name)
        return _shown(image, name)


def decode_frames(data: bytes, *, name: str) -> Iterator[U8]:
    """Decode a picture as `decode_picture` does; of an animation, up to MAX_FRAMES spread over it.

    Raises:
        ImageUnreadableError: as decode_picture; damage after the first frame only ends the animation.
    """
    with _telling_errors(name):
        image = _load(data, name, "RGB")
        first = _shown(image, name)
    yield first
    if getattr(image, "is_animated", False):
        yield from _later_frames(image, name)


def _shown(image: Image.Image, name: str) -> U8:
    upright = _to_rgb(ImageOps.exif_transpose(image), name)
    return np.ascontiguousarray(stretched(upright, aspect_of(image)))


def _tell_of_others(image: Image.Image, name: str) -> None:
    if getattr(image, "is_animated", False):
        _log.warning("%s has several frames or pages; only the first is used", name)


def _later_frames(image: Image.Image, name: str) -> Iterator[U8]:
    """Decode frames spread over an animation, or pages of a scan, but for the first; damage ends them."""
    try:
        frames = min(getattr(image, "n_frames", 1), MAX_ANIMATED_PIXELS // max(1, image.width * image.height))
        for index in np.unique(np.linspace(0, frames - 1, MAX_FRAMES, dtype=int))[1:].tolist():
            image.seek(index)
            _bound_size(image, name)  # pages may differ in size
            image.load()
            yield np.ascontiguousarray(stretched(_to_rgb(image, name), aspect_of(image)))
    except (*_DAMAGE, ImageUnreadableError) as error:
        _log.warning("%s: only its first frames are looked at (%s)", name, error)


def _load(data: bytes, name: str, mode: str) -> Image.Image:
    """Decode the first frame, to `mode` where the format's decoder can."""
    refuse_by_name(data, name)
    image = _open(data)
    _bound_size(image, name, mode)
    image.load()
    return image


def _open(data: bytes) -> Image.Image:
    """Read the header. A JPEG is opened past Pillow's limit on pixels: _bound_size is the judge of it."""
    if data.startswith(_JPEG_START):
        return JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    return Image.open(io.BytesIO(data))


@contextlib.contextmanager
def _telling_errors(name: str) -> Iterator[None]:
    """Turn what Pillow raises over a bad file into ImageUnreadableError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            yield
    except Image.DecompressionBombError as error:
        raise _too_large(name, "far more pixels than a photo has") from error
    except UnidentifiedImageError as error:
        raise ImageUnreadableError(
            f"{name}, not a known picture format", "a picture", _FORMATS_TODO
        ) from error
    except (*_DAMAGE, MemoryError) as error:
        raise ImageUnreadableError(
            f"{name}, a damaged picture ({error})", "a complete picture file", "Copy or export it again."
        ) from error


def _too_large(name: str, size: str) -> ImageUnreadableError:
    limits = f"{MAX_PIXELS // 1_000_000} megapixels and {MAX_FILE_BYTES // 1_000_000} MB"
    todo = "Scale it down first."
    return ImageUnreadableError(f"{name} with {size}", f"at most {limits}", todo)


def _bound_size(image: Image.Image, name: str, mode: str = "RGB") -> None:
    """Keep the memory of decoding bounded, before any pixel is decoded."""
    width, height = image.size
    # A progressive JPEG is held whole in memory, whatever it is reduced to.
    reduced = MAX_PIXELS < width * height <= MAX_REDUCED_PIXELS and not image.info.get("progressive")
    image.draft(mode, (_REDUCED_SIDE_PX, _REDUCED_SIDE_PX) if reduced else None)  # JPEG's alone takes it
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(name, f"{width}x{height} pixels")


def _to_rgb(image: Image.Image, name: str) -> U8:
    if _is_deep(image):
        shallow = Image.fromarray(_scaled_grey(image))
        shallow.info = {"icc_profile": image.info.get("icc_profile")}
        image = shallow
    return np.asarray(_opaque(in_srgb(image, name)).convert("RGB"), dtype=np.uint8)


def _to_luma(image: Image.Image) -> U8:
    image = ImageOps.exif_transpose(image)
    return _scaled_grey(image) if _is_deep(image) else np.asarray(_opaque(image).convert("L"), dtype=np.uint8)


def _opaque(image: Image.Image) -> Image.Image:
    """Lay what is transparent over neutral grey."""
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, (*_NEUTRAL_GREY, 255)), rgba)


def _is_deep(image: Image.Image) -> bool:
    return image.mode.startswith("I") or image.mode == "F"


def _scaled_grey(image: Image.Image) -> U8:
    """High bit depths, as (H, W): Pillow would clip them at 255, so they are scaled here."""
    grey = np.nan_to_num(np.asarray(image, dtype=np.float64))
    unit_range = image.mode == "F" and grey.max() <= 1.0
    full_scale = 1.0 if unit_range else 65535.0 if grey.max() > 255 else 255.0
    return np.asarray(np.clip(np.rint(grey * (255.0 / full_scale)), 0, 255), dtype=np.uint8)
