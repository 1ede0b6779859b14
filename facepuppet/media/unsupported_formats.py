"""Files and addresses that are no pictures, refused by their names."""

from __future__ import annotations

import re
from pathlib import Path

from facepuppet.core.errors import ImageUnreadableError
from facepuppet.media.file_kinds import LOOK_BYTES, begins_as_video

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):[/\\]{1,2}", re.IGNORECASE)  # two letters: C:\\ is a drive
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def refuse_address(path: Path) -> None:
    """Refuse an address of the network, which is nothing on this computer: nothing is ever fetched.

    Raises:
        ImageUnreadableError: the path is one.
    """
    found = _ADDRESS.match(str(path))
    if found is not None and not _is_there(path):
        raise ImageUnreadableError(
            f"{path}, a network address ({found[1].lower()})",
            "a file on this computer; pictures are never fetched",
            "Save the picture first and give its path.",
        )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long for a name, as addresses may be
        return False


def refuse_by_name(data: bytes, name: str) -> None:
    """Refuse what people take for pictures: drawings, documents, films, and photos of a format not read here.

    Args:
        data: the file's content.
        name: what to call it.

    Raises:
        ImageUnreadableError: the content is one of these.
    """
    start = data[:LOOK_BYTES]
    kind: tuple[str, str] | None = None
    if b"<svg" in start.lower():
        kind = "an SVG drawing", "Export it as PNG first."
    elif b"%PDF-" in start[:1024]:
        kind = "a PDF document", "Export the page with the picture as PNG or JPEG first."
    elif start[4:8] == b"ftyp" and start[8:12] in _HEIF_BRANDS:
        kind = "a HEIC photo", "Export it as JPEG first (phones: camera format 'most compatible')."
    elif begins_as_video(start):
        kind = "a film", "Save a frame of it as PNG or JPEG first."
    elif start.startswith((b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")):
        kind = "an archive or document", "Take the picture out of it first."
    if kind is not None:
        raise ImageUnreadableError(f"{name}, {kind[0]}", "a picture made of pixels", kind[1])
