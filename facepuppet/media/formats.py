"""What files are taken for by the endings of their names, and how large a picture may be."""

from __future__ import annotations

from pathlib import Path

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff"})
VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mov", ".m4v", ".qt", ".webm", ".mkv", ".avi", ".divx", ".3gp", ".3g2", ".mpg", ".mpeg", ".vob"}
    | {
        ".ts",
        ".mts",
        ".m2ts",
        ".wmv",
        ".asf",
        ".flv",
        ".f4v",
        ".ogv",
        ".mxf",
        ".dv",
        ".mjpg",
        ".mjpeg",
        ".y4m",
    }
)
SOUND_SUFFIXES = frozenset(
    {
        ".wav",
        ".wave",
        ".mp3",
        ".m4a",
        ".aac",
        ".ogg",
        ".oga",
        ".opus",
        ".flac",
        ".aif",
        ".aiff",
        ".wma",
        ".amr",
    }
)
MAX_PIXELS = (
    60_000_000  # of a still picture or a video's frame; 8K is 33 million, and what claims more a trap
)


def ffmpeg_name(path: Path) -> str:
    """Return what to call a local file to FFmpeg, which takes what stands before a colon for a protocol."""
    return f"file:{path}"
