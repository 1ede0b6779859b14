"""The .puppet file: an analysed portrait in one zip.

    manifest.json       format name and version, avatar's name, sha256 of the portrait file
    portrait.png        RGB   ┐
    foreground.png      RGB   │ all of one size, at most 1024 px on the longer side
    background.png      RGB   │
    person_alpha.png    grey  ┘
    landmarks_px.npy    (478, 3) float32
    shoulders_px.npy    (2, 2) float32

Members with other plain names are ignored, so that later versions can add some. Reading never
writes to disk, never unpickles, and holds no more than the sizes below in memory.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError  # what NumPy lets through of a broken header
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from facepuppet.avatar.framing import MAX_SIDE_PX
from facepuppet.avatar.model import Avatar
from facepuppet.errors import AvatarPackError
from facepuppet.files import write_whole
from facepuppet.types import F32, N_LANDMARKS, U8

PACK_FORMAT = "facepuppet-avatar"
PACK_VERSION = 1
PACK_SUFFIX = ".puppet"

_IMAGES = {
    "portrait_rgb": ("portrait.png", "RGB"),
    "foreground_rgb": ("foreground.png", "RGB"),
    "background_rgb": ("background.png", "RGB"),
    "person_alpha": ("person_alpha.png", "L"),
}
_ARRAYS = {"landmarks_px": (N_LANDMARKS, 3), "shoulders_px": (2, 2)}
_MAX_MEMBERS = 64
_MAX_MEMBER_BYTES = 8_000_000  # an incompressible 1024² RGB PNG has 3.2 MB
_MAX_TEXT = 400
_FARTHEST_PX = 100.0 * MAX_SIDE_PX
_PLAIN_NAME = re.compile(r"[a-z0-9_]{1,64}\.[a-z0-9]{1,8}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # equal avatars make equal files


def save_pack(avatar: Avatar, path: str | Path) -> None:
    """Write an avatar to a .puppet file; the file appears whole or not at all.

    Raises:
        OutputUnwritableError: the folder is missing or read-only, or the disk is full.
    """
    write_whole(Path(path), _pack_bytes(avatar))


def load_pack(path: str | Path) -> Avatar:
    """Read a .puppet file.

    Raises:
        AvatarPackError: missing, not a pack, of an unknown version, damaged or hostile.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_directory(archive)
            manifest = _read_manifest(archive)
            images = {field: _read_image(archive, *where) for field, where in _IMAGES.items()}
            arrays = {field: _read_array(archive, field, shape) for field, shape in _ARRAYS.items()}
    except OSError as error:
        raise _refused(f"{path} ({error.strerror or error})") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise _refused(f"{path.name}, which is no intact zip file ({error})") from error
    if not _SHA256.fullmatch(manifest["source_sha256"]):
        raise _refused("a pack without a proper source_sha256")
    if len({image.shape[:2] for image in images.values()}) != 1:
        raise _refused("a pack whose layers differ in size")
    return Avatar(
        name=manifest["name"],
        portrait_rgb=images["portrait_rgb"],
        landmarks_px=arrays["landmarks_px"],
        shoulders_px=arrays["shoulders_px"],
        person_alpha=images["person_alpha"],
        foreground_rgb=images["foreground_rgb"],
        background_rgb=images["background_rgb"],
        source_sha256=manifest["source_sha256"],
    )


def _refused(got: str) -> AvatarPackError:
    return AvatarPackError(
        got,
        f"a {PACK_FORMAT} pack of version {PACK_VERSION}",
        "Make it again from the portrait: facepuppet-calibrate avatar PHOTO --out NAME.puppet",
    )


def _pack_bytes(avatar: Avatar) -> bytes:
    manifest = {
        "format": PACK_FORMAT,
        "version": PACK_VERSION,
        "name": avatar.name[:_MAX_TEXT],
        "source_sha256": avatar.source_sha256,
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "manifest.json", json.dumps(manifest, indent=2).encode())
        for field, (member, mode) in _IMAGES.items():
            png = io.BytesIO()
            Image.fromarray(getattr(avatar, field), mode).save(png, "PNG", compress_level=1)
            _add(archive, member, png.getvalue())
        for field in _ARRAYS:
            npy = io.BytesIO()
            np.save(npy, getattr(avatar, field).astype(np.float32), allow_pickle=False)
            _add(archive, f"{field}.npy", npy.getvalue())
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)


def _check_directory(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > _MAX_MEMBERS:
        raise _refused(f"a pack with {len(members)} members")
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        raise _refused("a pack with two members of one name")
    for member in members:
        if not _PLAIN_NAME.fullmatch(member.filename):
            raise _refused(f"a pack with a member called {member.filename[:80]!r}")
        if member.file_size > _MAX_MEMBER_BYTES:
            raise _refused(f"a pack whose {member.filename} unpacks to {member.file_size / 1e6:.0f} MB")


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.namelist():
        raise _refused(f"a pack without {name}")
    try:
        with archive.open(name) as member:
            content = member.read(_MAX_MEMBER_BYTES + 1)
    except (zipfile.BadZipFile, ValueError, OSError, zlib.error) as error:
        raise _refused(f"a pack whose {name} is damaged ({error})") from error
    if len(content) > _MAX_MEMBER_BYTES:
        raise _refused(f"a pack whose {name} is larger than it says")
    return content


def _read_manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        manifest: Any = json.loads(_read(archive, "manifest.json"))
    except (ValueError, RecursionError) as error:
        raise _refused("a pack whose manifest.json is no JSON") from error
    if not isinstance(manifest, dict) or manifest.get("format") != PACK_FORMAT:
        raise _refused("a zip file that is no avatar pack")
    if manifest.get("version") != PACK_VERSION:
        raise _refused(f"a pack of version {str(manifest.get('version'))[:20]!r}")
    fields = {key: manifest.get(key) for key in ("name", "source_sha256")}
    for key, value in fields.items():
        if not isinstance(value, str) or not value.isprintable() or len(value) > _MAX_TEXT:
            raise _refused(f"a pack without a proper {key}")
    return fields


def _read_image(archive: zipfile.ZipFile, name: str, mode: str) -> U8:
    content = _read(archive, name)
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            if max(image.size) > MAX_SIDE_PX or image.mode != mode:
                raise _refused(f"a pack whose {name} is {image.width}x{image.height} {image.mode}")
            return np.array(image, dtype=np.uint8)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _refused(f"a pack whose {name} is no intact PNG ({error})") from error


def _read_array(archive: zipfile.ZipFile, field: str, shape: tuple[int, ...]) -> F32:
    content = _read(archive, f"{field}.npy")
    try:
        array: npt.NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError, RecursionError, TokenError) as error:
        raise _refused(f"a pack whose {field}.npy is no plain array") from error
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != np.float32:
        raise _refused(f"a pack whose {field}.npy is not {shape} float32")
    if not (np.abs(array) <= _FARTHEST_PX).all():  # false for NaN too
        raise _refused(f"a pack whose {field}.npy holds values that are no places")
    return array
