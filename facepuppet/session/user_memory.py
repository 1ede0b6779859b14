"""The memory of one user over runs: read at the start, added to in the end, forgotten when they say so."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from facepuppet.core.errors import FacepuppetError, SettingsError
from facepuppet.drivers.camera.acquaintance import Acquaintance
from facepuppet.session.settings_file import settings_folder
from facepuppet.session.user_file import RememberedUser, load_user, save_user

_NAME = re.compile(r"\w(?:[\w .-]{0,38}\w)?")
_PATIENCE_S = 5.0

log = logging.getLogger(__name__)


def users_folder() -> Path:
    """Return the folder in which every user's file lies."""
    return settings_folder() / "users"


def path_of(user: str, folder: Path | None = None) -> Path:
    """Return a user's file, which need not be there.

    Raises:
        SettingsError: a name that is none.
    """
    if not _NAME.fullmatch(user):
        raise SettingsError(
            f"user {user[:60]!r}", "a name of 1 to 40 letters, digits, spaces, dots and dashes", "Correct it."
        )
    return (folder or users_folder()) / f"{user}.toml"


class UserMemory:
    """What a run remembers of its user, and learns.

    A file that is damaged is told of, and neither used nor written.

    Args:
        user: their name, as they gave it.
        folder: where the files are; the user's own if None.

    Attributes:
        acquaintance: for the drivers.
        style: the word of the chosen style; empty for none.
        hint: what is known, in one line for a person.

    Raises:
        SettingsError: a name that is none.
    """

    def __init__(self, user: str, folder: Path | None = None) -> None:
        self._user, self._path = user, path_of(user, folder)
        self._writable, self._was_there = True, self._path.exists()
        remembered = RememberedUser()
        try:
            remembered = load_user(self._path) if self._was_there else remembered
        except SettingsError as problem:
            log.warning("%s", problem)
            self._writable = False
        self.acquaintance = Acquaintance(remembered.cameras)
        self.style = self._old_style = remembered.style
        cameras = ", ".join(remembered.cameras)
        self.hint = (
            f"You are {user}, as known before {cameras}."
            if cameras
            else f"You are {user}; how your face rests and where you sit is learned in this run."
            if self._writable
            else ""
        )

    def keep(self) -> str:
        """Write what the run taught; return a line for a person, which may be empty."""
        learned = self.acquaintance.learned()
        if not self._writable:
            return ""
        nothing = "" if learned else "Too few calm moments before a camera to learn how your face rests."
        if not learned and self.style == self._old_style:
            return nothing
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._path.with_suffix(".lock"), timeout=_PATIENCE_S):
                there = self._path.exists()
                if self._was_there and not there:  # forgotten in mid-run
                    return ""
                before = load_user(self._path) if there else RememberedUser()  # another run may have written
                cameras = dict(before.cameras)
                for name, new in learned.items():
                    cameras[name] = cameras[name].after(new) if name in cameras else new
                save_user(self._path, replace(before, cameras=cameras, style=self.style))
        except (FacepuppetError, OSError) as problem:  # filelock's Timeout is one of the latter
            log.warning("What was learned of you is not kept: %s", problem)
            return ""
        finally:
            self._path.with_suffix(".lock").unlink(missing_ok=True)
        return f"Remembered of {self._user}: {self._path} {nothing}".rstrip()


def remembered_users(folder: Path | None = None) -> list[str]:
    """Return the names of all who are remembered."""
    return sorted(path.stem for path in (folder or users_folder()).glob("*.toml"))


def forget_user(user: str, folder: Path | None = None) -> Path:
    """Remove all that is remembered of a user; return the file that is gone.

    Raises:
        SettingsError: nobody of that name is remembered, or the file cannot be removed.
    """
    path = path_of(user, folder)
    try:
        path.unlink()
    except FileNotFoundError as error:
        raise _unknown(user, folder) from error
    except OSError as error:
        raise SettingsError(
            f"'{path}' ({error.strerror})", "a file that can be removed", "Remove it by hand."
        ) from error
    return path


def file_of(user: str, folder: Path | None = None) -> Path:
    """Return the file of a user who is remembered.

    Raises:
        SettingsError: nobody of that name is.
    """
    path = path_of(user, folder)
    if not path.is_file():
        raise _unknown(user, folder)
    return path


def _unknown(user: str, folder: Path | None) -> SettingsError:
    known = ", ".join(remembered_users(folder)) or "nobody yet"
    return SettingsError(
        f"user {user[:60]!r}, of whom nothing is remembered", f"one of those who are: {known}", "Correct it."
    )
