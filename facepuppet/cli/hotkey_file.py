"""Which keys reach a run from under other windows: a file that a person may edit."""

from __future__ import annotations

import logging
import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facepuppet.core.errors import FacepuppetError, SettingsError
from facepuppet.core.files import write_whole
from facepuppet.session.commands import Command
from facepuppet.session.verbs import VERBS, verb_named

SCHEMA = 1
USUAL = ("panic", "away", "freeze", "recentre", "mute")  # no recording is started by a slip of the fingers
_MAX_BYTES = 100_000
_MODIFIERS = ("<ctrl>", "<alt>", "<shift>", "<cmd>")
_COMBINATION = re.compile(r"((?:<(?:ctrl|alt|shift|cmd)>\+)*)(<[a-z0-9_]+>|[^\s<>])")
_NAMED = frozenset(
    [f"<f{n}>" for n in range(1, 21)]
    + [
        f"<{name}>"
        for name in (
            *(
                "backspace",
                "caps_lock",
                "delete",
                "down",
                "end",
                "enter",
                "esc",
                "home",
                "insert",
                "left",
                "menu",
            ),
            *(
                "media_next",
                "media_play_pause",
                "media_previous",
                "media_volume_mute",
                "num_lock",
                "page_down",
            ),
            *("page_up", "pause", "print_screen", "right", "scroll_lock", "space", "tab", "up"),
        )
    ]
)
_ALONE = re.compile(r"<(f\d\d?|pause|scroll_lock|insert|media_\w+)>")  # nobody types these by the way
_HEADING = """\
# facepuppet: keys that reach a run while another window has the focus (facepuppet run --hotkeys).
# Left: keys as <ctrl>, <alt> (the left one), <shift>, <cmd>, a letter, or <f1> to <f20>, joined by +.
# The letters are those that your keyboard's layout gives. Other programs hear these keys, too.
# Right: what is to be done, as after `facepuppet ctl`; facepuppet ctl --list tells what there is.
"""
_EXAMPLES = """\
# "<ctrl>+<alt>+v" = "record"
# "<ctrl>+<alt>+b" = "background blur"
# "<ctrl>+<alt>+1" = "avatar 'my portrait'"
# "<ctrl>+<alt>+l" = "play laugh"
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hotkey:
    """What a combination of keys asks for.

    Attributes:
        keys: written in one way, such as "<ctrl>+<alt>+p".
        words: what it asks for, as its user says it.
        command: the same, for a run.
    """

    keys: str
    words: str
    command: Command


def load_hotkeys(path: Path) -> list[Hotkey]:
    """Read a file of hotkeys; where there is none it is written, with the usual ones.

    Raises:
        SettingsError: it cannot be read, is malformed or too new, or has a key or a verb that there is not.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _bad(path, "is too large")
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        table = tomllib.loads(_usual(path))
    except OSError as error:
        raise _bad(path, f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:  # TOML and UTF-8 errors alike
        raise _bad(path, f"is not TOML ({str(error)[:100]})") from error
    schema, hotkeys = table.get("schema"), table.get("hotkeys")
    if type(schema) is not int or schema != SCHEMA:
        raise _bad(path, f"has schema {str(schema)[:20]!r}")
    if not isinstance(hotkeys, dict) or not hotkeys:
        raise _bad(path, "has no keys in [hotkeys]")
    return _checked(path, hotkeys)


def _checked(path: Path, table: Mapping[str, Any]) -> list[Hotkey]:
    hotkeys: dict[str, Hotkey] = {}
    for combination, words in table.items():
        keys = _one_way(path, combination)
        if keys in hotkeys:
            raise _bad(path, f"has two things on {keys}")
        try:
            hotkeys[keys] = Hotkey(keys, str(words), _command(words))
        except FacepuppetError as error:
            raise _bad(path, f"has {error.got} on {keys}", error.expected) from error
    return list(hotkeys.values())


def _one_way(path: Path, keys: str) -> str:
    """Return a combination of keys as everybody would write it, however this one did."""
    match = _COMBINATION.fullmatch(keys.replace(" ", "").lower())
    if match is None or (len(match[2]) > 1 and match[2] not in _NAMED):
        raise _bad(path, f"has keys {keys[:40]!r}", "keys such as <ctrl>+<alt>+p or <f9>")
    modifiers, key = [one for one in _MODIFIERS if one in match[1]], match[2]
    if not {*modifiers} - {"<shift>"} and not _ALONE.fullmatch(key):
        raise _bad(path, f"has keys {keys[:40]!r}, which everybody types", "<ctrl>, <alt> or <cmd> with them")
    return "+".join([*modifiers, key])


def _command(words: Any) -> Command:
    """Make the command of a line such as "gain head 0.5".

    Raises:
        ControlError: no such verb, or a value that does not fit.
        FacepuppetError: a background that cannot be read.
    """
    try:
        name, *values = shlex.split(words if isinstance(words, str) else "")
    except ValueError as error:
        raise SettingsError(f"{str(words)[:60]!r}", "words of facepuppet ctl", "Correct it.") from error
    verb = verb_named(name)
    parameters = [parameter.name for parameter in verb.parameters]
    if len(values) > len(parameters):
        raise SettingsError(
            f"{str(words)[:60]!r}", f"{name} {' '.join(map(str.upper, parameters))}".strip(), "Correct it."
        )
    return verb.command(dict(zip(parameters, values, strict=False)))


def _usual(path: Path) -> str:
    """Return a file with the usual keys, which is written where it can be."""
    lines = [f'"<ctrl>+<alt>+{VERBS[name].key}" = "{name}"  # {VERBS[name].meaning}' for name in USUAL]
    text = f"{_HEADING}schema = {SCHEMA}\n\n[hotkeys]\n" + "\n".join(lines) + f"\n{_EXAMPLES}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode(), private=True)
    except (FacepuppetError, OSError) as error:
        log.info("the usual hotkeys are not written: %s", error)
    return text


def _bad(path: Path, what: str, expected: str = f"TOML of schema {SCHEMA} with [hotkeys]") -> SettingsError:
    return SettingsError(
        f"hotkeys '{path}', which {what}",
        expected,
        "Correct it; or remove it, and the usual keys are written.",
    )
