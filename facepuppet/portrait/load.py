"""The door to this package: a path in, an avatar out."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np

from facepuppet.core.errors import AvatarPackError
from facepuppet.core.types import F32, U8
from facepuppet.face.canonical import is_face
from facepuppet.media.pictures import decode_frames, read_picture_file
from facepuppet.portrait.analyse import ANALYSIS_VERSION, analyse_portrait
from facepuppet.portrait.analysis_cache import AvatarCache
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.best_frame import best_frame
from facepuppet.portrait.face_view import FaceView
from facepuppet.portrait.pack import PACK_SUFFIX, Pack, load_pack
from facepuppet.portrait.requirements import MIN_FORCED_WIDTH_PX, check_size
from facepuppet.portrait.rims import without_rims

_log = logging.getLogger(__name__)


def load_avatar(path: str | Path, *, cache: bool = True) -> Avatar:
    """Load a portrait picture, or the portrait of a .puppet pack; as `load_as_pack`."""
    return load_as_pack(path, cache=cache).avatar


def load_as_pack(path: str | Path, *, cache: bool = True) -> Pack:
    """Load a .puppet pack, or a portrait picture as a pack of version 0, which has nothing but the avatar.

    Args:
        path: the file.
        cache: keep the analysis of a picture in the user's cache folder, and look there first.

    Raises:
        PortraitError: the picture will not do (its subclasses say why).
        AvatarPackError: the pack will not do.
    """
    path = Path(path)
    if path.suffix.lower() != PACK_SUFFIX:
        return Pack(_of_picture(path, cache), version=0)
    pack = load_pack(path)
    _check(pack.avatar, path)
    return pack


def portrait_sha256(path: str | Path) -> str:
    """Return the hex digest of a portrait file, which becomes its avatar's `source_sha256`.

    Raises:
        ImageUnreadableError: it cannot be read.
    """
    return _sha256(read_picture_file(Path(path)))


def _of_picture(path: Path, cache: bool) -> Avatar:
    data = read_picture_file(path)
    if not cache:
        return _analyse(data, path)
    kept = AvatarCache(ANALYSIS_VERSION)
    avatar = kept.get(_sha256(data), path.stem)
    if avatar is None:
        avatar = _analyse(data, path)
        kept.put(avatar)
    return avatar


def _check(avatar: Avatar, path: Path) -> None:
    """Refuse a pack without a usable face: with nonsense for landmarks, rendering may fail or never end."""
    fits = is_face(avatar.landmarks_px) and min(avatar.size_px) >= MIN_FORCED_WIDTH_PX
    inside = (avatar.head_pivot_px[:2] >= 0).all() and (avatar.head_pivot_px[:2] < avatar.size_px).all()
    if not (fits and inside):
        raise AvatarPackError(
            f"{path.name}, whose landmarks are no face in its picture",
            "a pack made from a portrait",
            "Make it again from the portrait: facepuppet-calibrate avatar PHOTO --out NAME.puppet",
        )
    check_size(FaceView.of(avatar.landmarks_px), MIN_FORCED_WIDTH_PX)


def analyse_file(path: str | Path, *, force: bool = False, landmarks_px: F32 | None = None) -> Avatar:
    """Analyse a portrait picture anew, past the checks; no cache keeps it.

    Args:
        path: the file.
        force: take a face that is small, turned, doubtful or one of several.
        landmarks_px: (478, 3) where the face is, in the pixels of the upright picture; none is looked for.

    Raises:
        PortraitError: the picture will not do all the same.
    """
    path = Path(path)
    return _analyse(read_picture_file(path), path, force, landmarks_px)


def _analyse(data: bytes, path: Path, force: bool = False, landmarks_px: F32 | None = None) -> Avatar:
    frames = decode_frames(data, name=path.name)
    # Who places landmarks by hand sees the first frame.
    rgb = _best(frames, path.name) if landmarks_px is None else next(frames)
    rgb, cut_px = without_rims(rgb)
    if cut_px != (0, 0) and landmarks_px is not None:
        landmarks_px = (landmarks_px - np.array([*cut_px, 0])).astype(np.float32)
    return analyse_portrait(
        rgb, name=path.stem, source_sha256=_sha256(data), force=force, landmarks_px=landmarks_px
    )


def _best(frames: Iterator[U8], name: str) -> U8:
    """Return the only frame, or of an animation's the one that makes the best portrait."""
    few = list(islice(frames, 2))
    if len(few) == 1:
        return few[0]
    number, rgb = best_frame(chain(few, frames))
    _log.warning("%s is animated; of the frames looked at, number %d suits best", name, number + 1)
    return rgb


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sample_portrait_path() -> Path:
    """Return the first of the public-domain portraits that the package brings (Grace Hopper, US Navy)."""
    return sample_portrait_paths()[0]


def sample_portrait_paths() -> tuple[Path, ...]:
    """Return all of them: Grace Hopper, US Navy, and Eileen Collins, NASA."""
    folder = Path(__file__).parent / "data"
    return folder / "grace_hopper.jpg", folder / "eileen_collins.png"
