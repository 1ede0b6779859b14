"""A decoded video frame as it is shown: upright, in square pixels."""

from __future__ import annotations

from collections.abc import Callable

import av
import numpy as np

from facepuppet.core.errors import MediaUnreadableError
from facepuppet.core.types import U8
from facepuppet.media.pixel_aspect import SQUARE, shown_size_px, stretched

_LUMA_FIRST = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray"}
HD_LINES = 720  # from here on browsers take a video that names no colour space for BT.709
_UNNAMED = 2  # FFmpeg's number for a colour space that a video does not name


def rgb_of(frame: av.VideoFrame, aspect: float = SQUARE) -> U8:
    """Return the (H, W, 3) RGB picture, turned as its rotation metadata asks.

    Colours are read as the video names them. FFmpeg takes a video that names nothing for BT.601 whatever
    its size; like browsers we take it for BT.709 from 720 lines on.

    Args:
        frame: as decoded.
        aspect: of a stored pixel, width over height.

    Raises:
        MediaUnreadableError: its pixels are stored in a way that cannot be converted.
    """
    return _as_shown(frame, aspect, lambda: _rgb(frame))


def luma_of(frame: av.VideoFrame, aspect: float = SQUARE) -> U8:
    """Return the (H, W) luma plane as it is where there is an 8-bit one, else a conversion; turned as rgb_of.

    Args:
        frame: as decoded.
        aspect: of a stored pixel, width over height.

    Raises:
        MediaUnreadableError: as rgb_of.
    """
    return _as_shown(frame, aspect, lambda: _luma(frame))


def upright_size_px(frame: av.VideoFrame, aspect: float = SQUARE) -> tuple[int, int]:
    """Return width and height of the picture that rgb_of gives."""
    size_px = shown_size_px((frame.width, frame.height), aspect)
    return size_px[::-1] if _quarter_turns(frame) % 2 else size_px


def _as_shown(frame: av.VideoFrame, aspect: float, convert: Callable[[], U8]) -> U8:
    try:
        picture = stretched(convert(), aspect)
    except MemoryError:  # PyAV's is an FFmpegError, too, but the frame is as good as any
        raise
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaUnreadableError(
            f"a frame of pixel format {frame.format.name} ({error})",
            "pixels that FFmpeg can convert",
            "Convert the video first, for example to H.264.",
        ) from error
    turns = _quarter_turns(frame)
    return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture


def _quarter_turns(frame: av.VideoFrame) -> int:
    return round(frame.rotation / 90) % 4  # counter-clockwise, as np.rot90 counts


# One thread converts a frame: FFmpeg's scaler else starts and ends two of them for every frame, which takes
# one and a half times the processor's time (PyAV 18.1, 1280x720).
def _rgb(frame: av.VideoFrame) -> U8:
    unnamed = frame.colorspace == _UNNAMED and not frame.format.is_rgb
    if unnamed and frame.height >= HD_LINES:  # as stored, before it is turned
        return np.asarray(frame.to_ndarray(format="rgb24", src_colorspace="ITU709", threads=1), np.uint8)
    return np.asarray(frame.to_ndarray(format="rgb24", threads=1), np.uint8)


def _luma(frame: av.VideoFrame) -> U8:
    if frame.format.name not in _LUMA_FIRST:
        return np.asarray(frame.to_ndarray(format="gray", threads=1), np.uint8)
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return np.asarray(rows[: frame.height, : frame.width], np.uint8)
