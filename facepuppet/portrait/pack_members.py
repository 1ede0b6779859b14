"""Pictures and arrays as members of a pack: to bytes, and back from bytes that nobody trusts."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from tokenize import TokenError  # what NumPy lets through of a broken header
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from facepuppet.core.types import F32, U8
from facepuppet.portrait.pack_zip import refused
from facepuppet.portrait.working_picture import MAX_PIXELS, MAX_SIDE_PX

FARTHEST_PX = 100.0 * MAX_SIDE_PX
_PNG_START = b"\x89PNG\r\n\x1a\n"


def png_of(picture: U8) -> bytes:
    """Encode (H, W, 3) RGB or (H, W) grey, uint8, as PNG: fast rather than small."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def npy_of(array: npt.NDArray[Any]) -> bytes:
    """Encode an array as float32 .npy, without pickles."""
    buffer = io.BytesIO()
    np.save(buffer, array.astype(np.float32), allow_pickle=False)
    return buffer.getvalue()


def member(members: Mapping[str, bytes], name: str) -> bytes:
    """Return a member that must be there.

    Raises:
        AvatarPackError: it is not.
    """
    if name not in members:
        raise refused(f"a pack without {name}")
    return members[name]


def picture_from(members: Mapping[str, bytes], name: str, mode: str = "RGB") -> U8:
    """Decode a PNG member of at most 1024² pixels.

    Args:
        members: of the pack.
        name: of the member.
        mode: "RGB" gives (H, W, 3), "L" gives (H, W), uint8.

    Raises:
        AvatarPackError: missing, damaged, larger, or of another mode.
    """
    content = member(members, name)
    _check_png_header(content, name)
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            if image.mode != mode:
                raise refused(f"a pack whose {name} is {image.width}x{image.height} {image.mode}")
            return np.array(image, dtype=np.uint8)
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise refused(f"a pack whose {name} is no intact PNG ({error})") from error


def array_from(
    members: Mapping[str, bytes], name: str, shape: tuple[int, ...], largest: float = FARTHEST_PX
) -> F32:
    """Decode a .npy member of float32.

    Args:
        members: of the pack.
        name: of the member.
        shape: what it must have.
        largest: magnitude that no value may exceed.

    Raises:
        AvatarPackError: missing, damaged, pickled, of another shape or type, not finite or too large.
    """
    content = member(members, name)
    try:
        array: npt.NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError, RecursionError, TokenError) as error:
        raise refused(f"a pack whose {name} is no plain array") from error
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != np.float32:
        raise refused(f"a pack whose {name} is not {shape} float32")
    if not (np.abs(array) <= largest).all():  # false for NaN too
        raise refused(f"a pack whose {name} holds values that are no places")
    return array


def _check_png_header(content: bytes, name: str) -> None:
    """Refuse a picture by the size it claims, before any decoder sees it."""
    if not content.startswith(_PNG_START) or len(content) < 24:
        raise refused(f"a pack whose {name} is no intact PNG")
    width, height = struct.unpack(">II", content[16:24])
    if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX and width * height <= MAX_PIXELS):
        allowed = f"at most {MAX_SIDE_PX} a side and {MAX_PIXELS} in all are allowed"
        raise refused(f"a pack whose {name} is {width}x{height} px; {allowed}")
