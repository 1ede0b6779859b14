"""The zip around a pack, read as if by a stranger.

Only what `pack_zip` itself writes is accepted: members stored without compression (a zip bomb needs
compression), one after the other without overlap, under plain names (no paths), in a file that ends
with its directory. Reading never writes to disk and never unpickles; the memory it takes is bounded
by the size of the file, and that by MAX_PACK_BYTES.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from facepuppet.core.errors import AvatarPackError

MAX_PACK_BYTES = 96_000_000
MAX_MEMBERS = 160
MAX_MEMBER_BYTES = 8_000_000  # an incompressible 1024² RGB PNG has 3.2 MB
MAX_TEXT_BYTES = 200_000  # of a .json member

_PLAIN_NAME = re.compile(r"[a-z0-9_]{1,64}\.[a-z0-9]{1,8}")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # equal avatars make equal files
_END = struct.Struct("<4s4H2LH")  # end of central directory record: APPNOTE.TXT 4.3.16
_END_MARK, _ZIP64_MARK = b"PK\x05\x06", b"PK\x06\x07"
_ZIP64_LOCATOR_BYTES = 20
_DIRECTORY_BYTES = MAX_MEMBERS * (46 + 80)
_LOCAL_HEADER_BYTES = 30


def refused(got: str) -> AvatarPackError:
    """The error about a file that is no pack, or no good one."""
    return AvatarPackError(
        got,
        "an intact avatar pack",
        "Make it again from the portrait: facepuppet-calibrate avatar PHOTO --out NAME.puppet",
    )


def zip_bytes(members: Mapping[str, bytes]) -> bytes:
    """Return the file's content; equal members in equal order give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return buffer.getvalue()


def read_members(path: Path) -> dict[str, bytes]:
    """Read every member of a pack, checked against its checksum.

    Raises:
        AvatarPackError: missing, too large, damaged or hostile.
    """
    data = _file_bytes(path)
    try:
        _check_end(data, path.name)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check_members(members, archive.start_dir)
            return {member.filename: archive.read(member) for member in members}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise refused(f"{path.name}, which is no intact zip file ({error})") from error
    except (OSError, ValueError, struct.error) as error:  # of odd offsets and text in damaged headers
        raise refused(f"{path.name}, a damaged zip file ({error})") from error


def _file_bytes(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise refused(f"{path}, a directory or device, not a file")
        with path.open("rb") as file:
            data = file.read(MAX_PACK_BYTES + 1)
    except (OSError, ValueError) as error:
        raise refused(f"{path} ({getattr(error, 'strerror', None) or error})") from error
    if len(data) > MAX_PACK_BYTES:
        raise refused(f"{path.name}, a file of more than {MAX_PACK_BYTES / 1e6:.0f} MB")
    return data


def _check_end(data: bytes, name: str) -> None:
    """Check the directory's size before zipfile reads it, and that nothing follows it."""
    if len(data) < _END.size or data[-_END.size :][:4] != _END_MARK:
        raise refused(f"{name}, which is no intact zip file (it does not end like one)")
    _, disk, start_disk, here, total, size, offset, comment = _END.unpack(data[-_END.size :])
    locator_at = len(data) - _END.size - _ZIP64_LOCATOR_BYTES
    if locator_at >= 0 and data[locator_at : locator_at + 4] == _ZIP64_MARK:
        raise refused(f"{name}, a zip of a kind that packs are not (64-bit)")
    if total > MAX_MEMBERS:
        raise refused(f"a pack with {total} members")
    if disk or start_disk or comment or here != total or size > _DIRECTORY_BYTES:
        raise refused(f"{name}, whose zip directory is odd")
    if offset + size + _END.size != len(data):
        raise refused(f"{name}, a zip file with something before, between or behind its members")


def _check_members(members: list[zipfile.ZipInfo], directory_at: int) -> None:
    """Check names, sizes, and that members lie one after the other."""
    if len(members) > MAX_MEMBERS:
        raise refused(f"a pack with {len(members)} members")
    if len({member.filename for member in members}) != len(members):
        raise refused("a pack with two members of one name")
    for member in members:
        if not _PLAIN_NAME.fullmatch(member.filename) or member.orig_filename != member.filename:
            raise refused(f"a pack with a member called {member.filename[:80]!r}")
        limit = MAX_TEXT_BYTES if member.filename.endswith(".json") else MAX_MEMBER_BYTES
        if member.file_size > limit:
            raise refused(f"a pack whose {member.filename} unpacks to {member.file_size / 1e6:.0f} MB")
    in_order = sorted(members, key=lambda member: member.header_offset)
    ends = [*(member.header_offset for member in in_order[1:]), directory_at]
    for member, end in zip(in_order, ends, strict=True):
        _check_place(member, end)


def _check_place(member: zipfile.ZipInfo, end: int) -> None:
    """Check that a member is stored as it is, before the offset at which the next begins."""
    if member.flag_bits & 0x1:
        raise refused(f"a pack whose {member.filename} is encrypted")
    if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
        raise refused(f"a pack whose {member.filename} is compressed")
    least = _LOCAL_HEADER_BYTES + len(member.filename) + member.file_size
    if member.header_offset < 0 or member.header_offset + least > end:
        raise refused(f"a pack whose {member.filename} overlaps another member")
