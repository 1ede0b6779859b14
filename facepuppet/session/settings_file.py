"""Settings in a file that a person may read and edit, and that several runs change key by key.

# comments, and whatever else anybody adds, stay
schema = 1

[avatars.9f86d081…]
name = "what people call it"
head-speed = 90.0
gain = { head = 0.5 }
"""

from __future__ import annotations

import copy
import json
import logging
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from filelock import FileLock

from facepuppet.core.errors import SettingsError
from facepuppet.core.files import write_whole

SCHEMA = 1
_MAX_BYTES = 1_000_000
_PATIENCE_S = 5.0

log = logging.getLogger(__name__)

Value: TypeAlias = bool | float | str | tuple[str, ...]
Keys: TypeAlias = tuple[str] | tuple[str, str]  # the latter: ("gain", "head") is `head` in the table `gain`
Changes: TypeAlias = Mapping[Keys, Value | None]  # None: to be deleted


class _DamagedError(SettingsError):
    """A file that is not what its name says."""


def settings_folder() -> Path:
    """Return the folder in which a user's settings lie."""
    import platformdirs

    return Path(platformdirs.user_config_dir("facepuppet", appauthor=False))


class SettingsFile:
    """A file that has a table of settings for each thing of one kind.

    Args:
        path: the file; it need not be there yet.
        kind: the table that holds the others, such as "avatars".
        heading: the comment that a new file begins with, for whoever edits it.
    """

    def __init__(self, path: Path, kind: str, heading: str) -> None:
        self.path, self._kind, self._heading = path, kind, heading

    def read(self, thing: str) -> Mapping[str, Any]:
        """Return the settings of a thing, as the file has them; nothing where none are kept.

        Raises:
            SettingsError: the file cannot be read, is damaged, or too new.
        """
        tables: Mapping[str, Any] = self._load()[1].get(self._kind, {})
        table: Mapping[str, Any] = tables.get(thing, {})
        return table

    def change(self, thing: str, name: str, changes: Changes) -> None:
        """Set some keys of a thing, and delete others; all the rest stays, whoever wrote it.

        A file that is damaged is put aside first, and kept.

        Args:
            thing: whose settings.
            name: what people call it; written where nothing is kept of it yet.
            changes: what to set, and what to delete.

        Raises:
            SettingsError: the file is too new, or in use for too long, or cannot be read.
            OutputUnwritableError: it cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_suffix(".lock"), timeout=_PATIENCE_S):
                self._change(thing, name.encode(errors="replace").decode(), changes)
        except OSError as error:  # filelock's Timeout is one, and has no strerror
            raise self._unwritten(error.strerror or "another run holds it") from error

    def _change(self, thing: str, name: str, changes: Changes) -> None:
        try:
            text, before = self._load()
        except _DamagedError as damage:
            log.warning("%s It is kept as '%s'.", damage, self._put_aside())
            text, before = "", {}
        wanted = copy.deepcopy(before)
        wanted.setdefault("schema", SCHEMA)
        table = wanted.setdefault(self._kind, {}).setdefault(thing, {})
        _apply(table, changes, dict)
        if table == before.get(self._kind, {}).get(thing, {}):
            return
        if name:
            table.setdefault("name", name)
        try:
            written = self._edited(text, thing, name, changes)
            faithful = _words(tomllib.loads(written)) == _words(wanted)
        except Exception as error:  # what tomlkit stumbles over has many names
            raise self._unwritten(str(error)[:100]) from error
        if not faithful:
            raise self._unwritten("something else in it would change, too")
        # Through a link, which a person may have made, and not in its place.
        write_whole(self.path.resolve(), written.encode(), private=True)

    def _edited(self, text: str, thing: str, name: str, changes: Changes) -> str:
        """Return the text with the changes in it, and everything else where it was."""
        import tomlkit

        document: Any = tomlkit.parse(text or self._heading)
        document.setdefault("schema", SCHEMA)
        if self._kind not in document:
            document.add(self._kind, tomlkit.table(is_super_table=True))
        tables = document[self._kind]
        if thing not in tables:
            tables.add(thing, tomlkit.table())
        if name:
            tables[thing].setdefault("name", name)
        _apply(tables[thing], changes, tomlkit.inline_table)
        edited: str = tomlkit.dumps(document)
        return edited

    def _load(self) -> tuple[str, dict[str, Any]]:
        """Return the file's text, and what it says; both empty where there is none."""
        try:
            if self.path.stat().st_size > _MAX_BYTES:
                raise self._damaged(f"is larger than {_MAX_BYTES // 1000} kB")
            text = self.path.read_text(encoding="utf-8-sig")
            document = tomllib.loads(text)
        except (FileNotFoundError, NotADirectoryError):
            return "", {}
        except OSError as error:
            raise SettingsError(
                f"'{self.path}', which cannot be read ({error.strerror})",
                "a file of settings",
                "Make it readable: until then the usual values count.",
            ) from error
        except (ValueError, RecursionError) as error:  # TOML and UTF-8 errors alike
            raise self._damaged(f"is not TOML ({str(error)[:100]})") from error
        self._check(document)
        return text, document

    def _check(self, document: Mapping[str, Any]) -> None:
        schema = document.get("schema", None if document else SCHEMA)
        if type(schema) is not int or schema < 1:
            raise self._damaged("does not say its schema")
        if schema > SCHEMA:
            raise SettingsError(
                f"'{self.path}' of schema {schema}",
                f"one of schema {SCHEMA}",
                "It stays as it is, and nothing is kept: pip install --upgrade facepuppet",
            )
        tables = document.get(self._kind, {})
        if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
            raise self._damaged(f"has something else than tables in [{self._kind}]")

    def _put_aside(self) -> Path:
        number = 1
        while (aside := self.path.with_name(f"{self.path.stem}.damaged-{number}.toml")).exists():
            number += 1
        return self.path.replace(aside)

    def _damaged(self, what: str) -> _DamagedError:
        return _DamagedError(
            f"'{self.path}', which {what}",
            f"settings of schema {SCHEMA}",
            "Correct it, or remove it: until then the usual values count.",
        )

    def _unwritten(self, why: str) -> SettingsError:
        return SettingsError(
            f"'{self.path}', which cannot be changed ({why})",
            "a file of settings that can be written",
            "What you set counts for this run and is not kept.",
        )


def _apply(table: Any, changes: Changes, new_table: Callable[[], Any]) -> None:
    """Change a table, plain or tomlkit's."""
    for (*outer, key), value in changes.items():
        inner = table
        for step in outer:
            if not isinstance(inner.get(step), dict):
                inner[step] = new_table()
            inner = inner[step]
        if value is not None:
            inner[key] = list(value) if isinstance(value, tuple) else value
        elif key in inner:
            del inner[key]
        if outer and not inner:
            del table[outer[0]]


def _words(document: Mapping[str, Any]) -> str:
    """Write a document so that it can be compared: NaN is like NaN."""
    return json.dumps(document, sort_keys=True, default=str)
