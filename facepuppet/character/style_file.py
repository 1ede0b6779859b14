"""Styles in TOML files, for people to read and write; the shipped ones are such files, too."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

from facepuppet.character.channel_groups import sides_of
from facepuppet.character.style import EMOTION, MOODS, SETTINGS, Key, Style
from facepuppet.character.units_of_style import value_of
from facepuppet.core.errors import StyleError

SCHEMA = 1
STYLE_SUFFIX = ".toml"
STYLE_NAMES = ("reserved", "outgoing", "calm", "theatrical", "deadpan")  # the shipped ones
_MAX_BYTES = 100_000
_MOST_BASES = 8
_NOTHING = object()
_HEAD = ("schema", "name", "based_on")
_TABLES = frozenset(key[:depth] for key in SETTINGS for depth in range(1, len(key)))
_MOOD_TABLES = frozenset({(EMOTION,), *((EMOTION, mood) for mood in MOODS)})


def load_style(word: str | Path) -> Style:
    """Open a style: a shipped one by its name, or a file that ends in .toml.

    Raises:
        StyleError: there is none; or it has unknown keys, other units, numbers beyond their bounds, NaN, or
            is based on itself. Tells the line.
    """
    return _load(str(word), (), None)


def _load(word: str, before: tuple[str, ...], beside: Path | None) -> Style:
    """Open a style; `before` are those that it is a base of, and `beside` the folder of the last of them."""
    if not word.endswith(STYLE_SUFFIX):
        return _parsed(word, word, shipped_text(word), before, None)
    try:
        path = Path(word).expanduser()
        path = (path if beside is None else beside / path).resolve()
        if path.stat().st_size > _MAX_BYTES:
            raise _wrong(word, f"is larger than {_MAX_BYTES // 1000} kB")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, RuntimeError) as error:
        raise _wrong(word, f"cannot be read ({getattr(error, 'strerror', None) or error})") from error
    except ValueError as error:  # no UTF-8, or a name that no file can have
        raise _wrong(word, "is no text") from error
    return _parsed(str(path), path.stem, text, before, path.parent)


def shipped_text(name: str) -> str:
    """Return the file of a shipped style.

    Raises:
        StyleError: there is none of that name.
    """
    if name not in STYLE_NAMES:
        raise StyleError(
            f"style {name[:60]!r}", f"one of {', '.join(STYLE_NAMES)}, or a .toml file", "Correct the name."
        )
    return (files("facepuppet.character") / "styles" / f"{name}{STYLE_SUFFIX}").read_text(encoding="utf-8")


def _parsed(word: str, name: str, text: str, before: tuple[str, ...], folder: Path | None) -> Style:
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong(word, f"is not TOML: {str(error)[:100]}") from error
    read = _Reading(word, text)
    read.head(document)
    base = Style(name, word)
    if "based_on" in document:
        base = _base_of(read, str(document["based_on"]), (*before, word), folder)
    values, looks = dict(base.values), {mood: dict(look) for mood, look in base.looks.items()}
    for key, said in read.settings(document):
        values[key] = read.value(key, said)
    for mood, look in read.looks(document):
        looks.setdefault(mood, {}).update(look)
    return Style(str(document.get("name", name)), word, values, looks)


def _base_of(read: _Reading, word: str, before: tuple[str, ...], folder: Path | None) -> Style:
    target = str(((folder or Path()) / Path(word).expanduser()).resolve()) if _is_file(word) else word
    if target in before:
        read.refuse(("based_on",), f"based_on {word[:60]!r}, which is based on this one", "no loop")
    if len(before) > _MOST_BASES:
        read.refuse(("based_on",), f"more than {_MOST_BASES} styles, each based on the next", "fewer")
    try:
        return _load(target, before, folder)
    except StyleError as error:
        if error.line is not None:  # of the other file, which is told already
            raise
        raise StyleError(f"{read.place(('based_on',))}: {error.got}", error.expected, error.todo) from error


def _is_file(word: str) -> bool:
    return word.endswith(STYLE_SUFFIX)


class _Reading:
    """One file being read: what is wrong is told with its line."""

    def __init__(self, word: str, text: str) -> None:
        self._word, self._text = word, text

    def head(self, document: Mapping[str, Any]) -> None:
        schema = document.get("schema")
        if type(schema) is not int or schema != SCHEMA:
            self.refuse(("schema",), f"schema {schema!r}", f"schema = {SCHEMA}")
        for name in ("name", "based_on"):
            if not (isinstance(document.get(name, "x"), str) and 0 < len(document.get(name, "x")) <= 1000):
                self.refuse((name,), f"{name} {str(document[name])[:40]!r}", "a word in quotes")
        for key in document:
            if key not in _HEAD and (key,) not in _TABLES | _MOOD_TABLES:
                self._unknown((key,), {*_HEAD, *(table[0] for table in _TABLES), EMOTION})

    def settings(self, document: Mapping[str, Any]) -> Iterator[tuple[Key, Any]]:
        """Yield every setting's key and what is said of it."""
        tables: list[tuple[Key, Any]] = [((name,), document[name]) for name in document if (name,) in _TABLES]
        while tables:
            at, table = tables.pop()
            if not isinstance(table, dict):
                self.refuse(at, f"{'.'.join(at)} = {str(table)[:40]}", f"a table, [{'.'.join(at)}]")
            for name, said in table.items():
                key = (*at, name)
                if key in SETTINGS:
                    yield key, said
                elif key in _TABLES:
                    tables.append((key, said))
                else:
                    beside = (*SETTINGS, *_TABLES)
                    self._unknown(key, {one[len(at)] for one in beside if one[:-1] == at and one != at})

    def value(self, key: Key, said: Any) -> float:
        try:
            return value_of(said, SETTINGS[key])
        except ValueError as error:
            self.refuse(key, f"{key[-1]} = {str(said)[:40]}", str(error))

    def looks(self, document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, float]]]:
        """Yield what is said of each mood: shapes and weights."""
        moods = document.get(EMOTION, {})
        if not isinstance(moods, dict):
            self.refuse((EMOTION,), f"{EMOTION} = {str(moods)[:40]}", f"tables [{EMOTION}.{MOODS[0]}] …")
        for mood, look in moods.items():
            if mood not in MOODS:
                self._unknown((EMOTION, mood), set(MOODS))
            if not isinstance(look, dict):
                self.refuse((EMOTION, mood), f"{mood} = {str(look)[:40]}", f"a table, [{EMOTION}.{mood}]")
            yield mood, {shape: self._weight((EMOTION, mood, shape), said) for shape, said in look.items()}

    def _weight(self, key: Key, said: Any) -> float:
        if not sides_of(key[-1]):
            self._unknown(key, {"one of ARKit's shapes, such as mouthSmile or browDownLeft"})
        is_number = isinstance(said, int | float) and not isinstance(said, bool)
        if not is_number or not (math.isfinite(said) and -1.0 <= said <= 1.0):
            self.refuse(key, f"{key[-1]} = {str(said)[:40]}", "a number from -1.0 to 1.0, without a unit")
        return float(said)

    def _unknown(self, key: Key, known: set[str]) -> NoReturn:
        self.refuse(key, f"the unknown key {'.'.join(key)[:80]!r}", f"one of {', '.join(sorted(known))}")

    def refuse(self, key: Key, got: str, expected: str) -> NoReturn:
        line = line_of(self._text, key)
        raise StyleError(f"{self.place(key)}: {got}", expected, "Correct the line.", line)

    def place(self, key: Key) -> str:
        """Name the file, and the line on which a key is."""
        return f"style '{self._word}', line {line_of(self._text, key)}"


def line_of(text: str, key: Key) -> int:
    """Return the line, from 1, on which a key of a TOML text first has a value, or a table its head.

    It is the first line up to which the text, read as a file of its own, has the key.
    """
    lines = text.splitlines()
    for n in range(1, len(lines) + 1):
        with suppress(ValueError):  # a prefix that ends within a value
            at: Any = tomllib.loads("\n".join(lines[:n]))
            for name in key:
                at = at.get(name, _NOTHING) if isinstance(at, dict) else _NOTHING
            if at is not _NOTHING:
                return n
    return 1


def _wrong(word: str, what: str) -> StyleError:
    return StyleError(
        f"style '{word[:200]}', which {what}", "a style in TOML", "Correct it, or choose another."
    )
