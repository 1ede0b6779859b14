"""Whether a file is a picture or a video: by a known ending of its name, else by how it begins."""

from __future__ import annotations

from pathlib import Path

from facepuppet.media.formats import IMAGE_SUFFIXES, VIDEO_SUFFIXES

LOOK_BYTES = 4096
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"II*\0", b"MM\0*")
_VIDEOS = (
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"FLV\x01",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF, WMV
    b"\0\0\x01\xba",  # MPEG program stream: .mpg, .vob
    b"\0\0\x01\xb3",  # MPEG video alone
    b"OggS",
    b"YUV4MPEG2",
    b"\x06\x0e\x2b\x34",  # MXF
)
_BOXES = (b"moov", b"mdat", b"wide")  # of QuickTime before it said its name
_STILL_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis", b"M4A ")
_SYNC, _PACKETS = 0x47, ((0, 188), (4, 192))  # of transport streams: first byte and length, .ts and .mts


def is_picture(path: Path) -> bool:
    """Tell whether a file is a still picture; False for what is unknown or not there."""
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES or suffix in VIDEO_SUFFIXES:
        return suffix in IMAGE_SUFFIXES
    return begins_as_picture(_start(path))


def is_video(path: Path) -> bool:
    """Tell whether a file is a video; False for what is unknown or not there."""
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES or suffix in VIDEO_SUFFIXES:
        return suffix in VIDEO_SUFFIXES
    return begins_as_video(_start(path))


def begins_as_picture(start: bytes) -> bool:
    """Tell whether a file's first LOOK_BYTES are a still picture's (GIFs count as neither)."""
    return start.startswith(_PICTURES) or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")


def begins_as_video(start: bytes) -> bool:
    """Tell whether a file's first LOOK_BYTES are a video's."""
    if start[4:8] == b"ftyp":
        return start[8:12] not in _STILL_BRANDS
    if start.startswith(_VIDEOS) or start[4:8] in _BOXES:
        return True
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return True
    return any(_in_packets(start, first, length) for first, length in _PACKETS)


def _in_packets(start: bytes, first: int, length: int) -> bool:
    at = range(first, len(start), length)
    return len(at) >= 3 and all(start[place] == _SYNC for place in at)


def _start(path: Path) -> bytes:
    try:
        if not path.is_file():  # a pipe would wait
            return b""
        with path.open("rb") as file:
            return file.read(LOOK_BYTES)
    except (OSError, ValueError):
        return b""
