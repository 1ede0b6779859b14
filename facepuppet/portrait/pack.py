"""The .puppet file: an analysed portrait and what belongs to it, in one file.

calibrate/PACK.md specifies the format; `pack_zip` reads the zip, `pack_members` what is in it.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from facepuppet.core.errors import AvatarPackError
from facepuppet.core.files import write_whole
from facepuppet.core.types import N_LANDMARKS, U8
from facepuppet.portrait.avatar import Avatar, TunedPainter
from facepuppet.portrait.pack_members import array_from, member, npy_of, picture_from, png_of
from facepuppet.portrait.pack_zip import read_members, refused, zip_bytes
from facepuppet.portrait.safe_range import SafeRange
from facepuppet.portrait.view_members import members_of_views, views_from_members
from facepuppet.portrait.working_picture import Whole

PACK_FORMAT = "facepuppet-avatar"
PACK_VERSION = 2
PACK_SUFFIX = ".puppet"

_IMAGES = {
    "portrait_rgb": ("portrait.png", "RGB"),
    "foreground_rgb": ("foreground.png", "RGB"),
    "background_rgb": ("background.png", "RGB"),
    "person_alpha": ("person_alpha.png", "L"),
}
_ARRAYS = {"landmarks_px": (N_LANDMARKS, 3), "shoulders_px": (2, 2)}
_PREVIEW, _CONSENT, _SAFE_RANGE = "preview.png", "consent.json", "safe_range.json"
_WHOLE, _WHOLE_BOX = "whole.png", "whole_box_px.npy"
_VIEW_PREFIX = "view_"
_PAINTER = re.compile(r"painter_([a-z]{1,16})\.onnx")
_REGION, _MAX_REGIONS = re.compile(r"[a-z]{1,16}"), 8
_MAX_TEXT = 400
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Pack:
    """What a .puppet file holds.

    Attributes:
        avatar: the analysed portrait, with its safe range, views and tuned painters when there are any.
        consent: the statement of right to use the portrait, as JSON; None in packs of version 1.
        preview_rgb: (H, W, 3) uint8 RGB picture for people, at most 1024² pixels, or None.
        version: of the format that it was read from.
    """

    avatar: Avatar
    consent: bytes | None = None
    preview_rgb: U8 | None = None
    version: int = PACK_VERSION


def save_pack(pack: Pack, path: str | Path) -> None:
    """Write a pack in the current version; the file appears whole or not at all.

    Raises:
        OutputUnwritableError: the folder is missing or read-only, or the disk is full.
    """
    write_whole(Path(path), zip_bytes(_members_of(pack)))


def load_pack(path: str | Path) -> Pack:
    """Read a .puppet file of this version or an older one.

    Raises:
        AvatarPackError: missing, not a pack, of a later version, damaged or hostile.
    """
    members = read_members(Path(path))
    manifest = _manifest_from(members)
    pictures = {name: picture_from(members, *where) for name, where in _IMAGES.items()}
    if len({picture.shape[:2] for picture in pictures.values()}) != 1:
        raise refused("a pack whose layers differ in size")
    arrays = {name: array_from(members, f"{name}.npy", shape) for name, shape in _ARRAYS.items()}
    avatar = Avatar(
        name=manifest["name"],
        portrait_rgb=pictures["portrait_rgb"],
        landmarks_px=arrays["landmarks_px"],
        shoulders_px=arrays["shoulders_px"],
        person_alpha=pictures["person_alpha"],
        foreground_rgb=pictures["foreground_rgb"],
        background_rgb=pictures["background_rgb"],
        source_sha256=manifest["source_sha256"],
    )
    if manifest["version"] == 1:
        return Pack(avatar, version=1)
    return Pack(
        dataclasses.replace(
            avatar,
            safe_range=_safe_range_from(members),
            views=views_from_members(_starting(members, _VIEW_PREFIX)),
            painters=_painters_from(members),
            whole=_whole_from(members),
            unpainted=manifest["unpainted"],
        ),
        consent=members.get(_CONSENT),
        preview_rgb=picture_from(members, _PREVIEW) if _PREVIEW in members else None,
    )


def _members_of(pack: Pack) -> dict[str, bytes]:
    avatar = pack.avatar
    manifest: dict[str, Any] = {
        "format": PACK_FORMAT,
        "version": PACK_VERSION,
        "name": avatar.name[:_MAX_TEXT],
        "source_sha256": avatar.source_sha256,
    }
    if avatar.unpainted:
        manifest["unpainted"] = list(avatar.unpainted)
    members = {"manifest.json": json.dumps(manifest, indent=2).encode()}
    members |= {name: png_of(getattr(avatar, field)) for field, (name, _) in _IMAGES.items()}
    members |= {f"{field}.npy": npy_of(getattr(avatar, field)) for field in _ARRAYS}
    if avatar.safe_range is not None:
        members[_SAFE_RANGE] = avatar.safe_range.to_json()
    if avatar.whole is not None:
        members[_WHOLE] = png_of(avatar.whole.rgb)
        members[_WHOLE_BOX] = npy_of(np.array(avatar.whole.box_px, np.float32))
    if pack.consent is not None:
        members[_CONSENT] = pack.consent
    if pack.preview_rgb is not None:
        members[_PREVIEW] = png_of(pack.preview_rgb)
    members |= {f"painter_{painter.region}.onnx": painter.model for painter in avatar.painters}
    return {**members, **members_of_views(avatar.views)}


def _manifest_from(members: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        manifest: Any = json.loads(member(members, "manifest.json"))
    except (ValueError, RecursionError) as error:
        raise refused("a pack whose manifest.json is no JSON") from error
    if not isinstance(manifest, dict) or manifest.get("format") != PACK_FORMAT:
        raise refused("a zip file that is no avatar pack")
    version = manifest.get("version")
    if type(version) is not int or not 1 <= version <= PACK_VERSION:
        raise AvatarPackError(
            f"a pack of version {str(version)[:20]!r}",
            f"one of version 1 to {PACK_VERSION}",
            "A later one needs a newer facepuppet: pip install --upgrade facepuppet",
        )
    fields = {key: manifest.get(key) for key in ("name", "source_sha256")}
    for key, value in fields.items():
        if not isinstance(value, str) or not value.isprintable() or len(value) > _MAX_TEXT:
            raise refused(f"a pack without a proper {key}")
    if not _SHA256.fullmatch(str(fields["source_sha256"])):
        raise refused("a pack without a proper source_sha256")
    return {**fields, "version": version, "unpainted": _unpainted_from(manifest)}


def _unpainted_from(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    regions = manifest.get("unpainted", [])
    named = isinstance(regions, list) and len(regions) <= _MAX_REGIONS
    if not named or not all(isinstance(name, str) and _REGION.fullmatch(name) for name in regions):
        raise refused("a pack whose unpainted regions are no names")
    return tuple(regions)


def _safe_range_from(members: Mapping[str, bytes]) -> SafeRange | None:
    if _SAFE_RANGE not in members:
        return None
    try:
        return SafeRange.from_json(members[_SAFE_RANGE])
    except ValueError as error:
        raise refused(f"a pack with an improper {_SAFE_RANGE} ({error})") from error


def _whole_from(members: Mapping[str, bytes]) -> Whole | None:
    if _WHOLE not in members:
        return None
    whole = picture_from(members, _WHOLE)
    x, y, width, height = (int(value) for value in array_from(members, _WHOLE_BOX, (4,)))
    if min(x, y) < 0 or min(width, height) < 1 or x + width > whole.shape[1] or y + height > whole.shape[0]:
        raise refused(f"a pack whose {_WHOLE_BOX} lies outside {_WHOLE}")
    return Whole(whole, (x, y, width, height))


def _painters_from(members: Mapping[str, bytes]) -> tuple[TunedPainter, ...]:
    named = ((_PAINTER.fullmatch(name), content) for name, content in members.items())
    return tuple(TunedPainter(match[1], content) for match, content in named if match)


def _starting(members: Mapping[str, bytes], prefix: str) -> Mapping[str, bytes]:
    return MappingProxyType({name: data for name, data in members.items() if name.startswith(prefix)})
