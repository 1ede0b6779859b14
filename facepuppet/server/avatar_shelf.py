"""The portraits and packs that people may wear: a folder's, each checked before it is offered."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from facepuppet.core.errors import FacepuppetError, ServerError
from facepuppet.core.types import U8
from facepuppet.media.formats import IMAGE_SUFFIXES
from facepuppet.media.small_jpeg import thumbnail_jpeg
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.consent import Claim, Consent
from facepuppet.portrait.consent.clearance import clear_pack, clear_visitor, own_statement
from facepuppet.portrait.consent.revocation import Revocations
from facepuppet.portrait.consent.store import ConsentStore
from facepuppet.portrait.face_view import face_width_px
from facepuppet.portrait.load import load_as_pack, sample_portrait_paths
from facepuppet.portrait.pack import PACK_SUFFIX

MOST_AVATARS = 1000
_MOST_BYTES = 256_000_000
_THUMBNAIL_PX = 320
_FIRST_SIGNED_VERSION = 2  # packs of version 1, and pictures, have no place for a statement
_HEAD = 2.3  # of a face's width: hair and chin are in it

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OnShelf:
    """One that is offered.

    Attributes:
        sha256: hex digest of its file.
        name: its file's stem.
        path: where its file is.
        source_sha256: hex digest of the portrait; what a right is about.
        statement: its own statement of right to use.
        is_signed: whether that, and nothing that a visitor says, counts.
        picture: JPEG of its head.
    """

    sha256: str
    name: str
    path: Path
    source_sha256: str
    statement: Consent | None
    is_signed: bool
    picture: bytes

    def cleared(self, stated: Claim | None, revoked: Revocations, store: ConsentStore) -> Consent:
        """Return by what right somebody wears it, exactly as a run on one's own machine asks.

        Raises:
            ConsentError: by none (its subclasses say why).
        """
        if self.is_signed:
            record = None if self.statement is None else self.statement.to_json()
            return clear_pack(record, self.source_sha256, revoked)
        return clear_visitor(self.source_sha256, stated, revoked, store)

    def file(self) -> bytes:
        """Read its file, which has not changed since it was checked.

        Raises:
            ServerError: it has, or is gone.
        """
        try:
            data = _read(self.path)
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise ServerError(
                f"'{self.path.name}', which is not there as it was",
                "the file that was checked",
                "Choose again.",
            )
        return data


class AvatarShelf:
    """What a folder offers. Only `scan` takes long; it is for another thread than the rest.

    Args:
        folder: with pictures and packs; None for the built-in portraits.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._known: dict[tuple[Path, int, int], OnShelf | None] = {}  # None: will not do
        self._shelf: dict[str, OnShelf] = {}

    def scan(self) -> None:
        """Look at what is new or changed since the last time, and take away what is gone."""
        files: dict[tuple[Path, int, int], None] = {}
        for path in self._paths():
            try:
                state = path.stat()
                files[path, state.st_size, state.st_mtime_ns] = None
            except OSError:  # gone this moment
                continue
        known = {}
        for key in list(files)[:MOST_AVATARS]:
            known[key] = self._known[key] if key in self._known else _looked_at(key[0])
        self._known = known
        self._shelf = {one.sha256: one for one in known.values() if one is not None}

    def get(self, sha256: str) -> OnShelf | None:
        """Return one by its file's digest."""
        return self._shelf.get(sha256)

    def named(self, word: str) -> OnShelf | None:
        """Return one by its file's digest, or by its name where no two have it."""
        fitting = [one for one in self.all() if one.name == word]
        return self.get(word) or (fitting[0] if len(fitting) == 1 else None)

    def all(self) -> list[OnShelf]:
        """Return all of them, by name."""
        return sorted(self._shelf.values(), key=lambda one: (one.name.lower(), one.sha256))

    def _paths(self) -> Iterable[Path]:
        if self._folder is None:
            return sample_portrait_paths()
        try:
            return sorted(
                p for p in self._folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES | {PACK_SUFFIX}
            )
        except OSError as error:
            log.warning("the folder of avatars '%s' cannot be read (%s)", self._folder, error.strerror)
            return [key[0] for key in self._known]


def _looked_at(path: Path) -> OnShelf | None:
    """Check a file; says why one is left out."""
    try:
        return _checked(path)
    except FacepuppetError as error:
        log.warning("'%s' is not offered: %s", path.name, error)
    except OSError as error:
        log.warning("'%s' is not offered: it cannot be read (%s)", path.name, error.strerror)
    except Exception as error:  # a stranger's file must not end the server
        log.error("'%s' is not offered: an unexpected %s", path.name, type(error).__name__)
        log.debug("where", exc_info=error)
    return None


def _checked(path: Path) -> OnShelf:
    sha256 = hashlib.sha256(_read(path)).hexdigest()
    pack = load_as_pack(path)
    if hashlib.sha256(_read(path)).hexdigest() != sha256:
        raise ServerError(f"'{path.name}', which changes", "a file that stays", "It is looked at again.")
    source, is_signed = pack.avatar.source_sha256, pack.version >= _FIRST_SIGNED_VERSION
    statement = own_statement(pack.consent, source)
    if is_signed:
        clear_pack(pack.consent, source, Revocations())  # one that says nothing can never be worn
    picture = thumbnail_jpeg(_head(pack.avatar), _THUMBNAIL_PX)
    return OnShelf(sha256, _spoken(path.stem), path, source, statement, is_signed, picture)


def _spoken(name: str) -> str:
    """Return a file's name as text that can be sent and shown: names may hold anything but a slash."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:200])


def _head(avatar: Avatar) -> U8:
    """Return a square about the head, or what of it is in the picture."""
    half = _HEAD * face_width_px(avatar.landmarks_px) / 2
    x, y = avatar.landmarks_px[:, :2].mean(axis=0)
    width, height = avatar.size_px
    half = min(half, width / 2, height / 2)
    left, top = (
        round(min(max(x - half, 0), width - 2 * half)),
        round(min(max(y - half, 0), height - 2 * half)),
    )
    side = max(1, round(2 * half))
    return avatar.portrait_rgb[top : top + side, left : left + side]


def _read(path: Path) -> bytes:
    if not path.is_file():  # a pipe would be waited for
        raise ServerError(
            f"'{_spoken(path.name)}', which is no file", "a file", "Put a picture or pack there."
        )
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ServerError(
            f"'{path.name}', which is too large", f"at most {_MOST_BYTES} bytes", "Make it smaller."
        )
    return data
