"""What has changed of one thing's settings, and whether it rests again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from facepuppet.session.setting_values import Values
from facepuppet.session.settings_file import Keys, SettingsFile, Value

SETTLED_S = 1.0  # a slider that is dragged is written once, when it rests


class SettingsWatch:
    """What is set for one thing: as it was seen last, and what has changed since it was written.

    Args:
        file: where it is kept.
        thing: what it is called there.
        name: what people call it.
        usual: values that need not be kept.
        now: returns what the values are made of; as long as these are the same objects, nothing has changed.
        values: makes the values of them.

    Attributes:
        changes: not written yet.
        changed_ns: when the newest of them came; None where it was tried to write them since.
    """

    def __init__(
        self,
        file: SettingsFile,
        thing: str,
        name: str,
        usual: Values,
        now: Callable[[], tuple[Any, ...]],
        values: Callable[..., Values],
    ) -> None:
        self.file, self.thing, self.name = file, thing, name
        self.changes: dict[Keys, Value | None] = {}
        self.changed_ns: int | None = None
        self._usual, self._now, self._values = usual, now, values
        self._seen = now()
        self._seen_values = values(*self._seen)

    def look(self, now_ns: int) -> None:
        """Note what is another now."""
        seen = self._now()
        if all(new is old for new, old in zip(seen, self._seen, strict=True)):
            return
        values = self._values(*seen)
        for keys, value in values.items():
            if value != self._seen_values.get(keys):
                self.changes[keys] = None if value == self._usual.get(keys) else value
                self.changed_ns = now_ns
        self._seen, self._seen_values = seen, values

    def rested(self, now_ns: int) -> bool:
        """Whether what changed has stood for a while."""
        return self.changed_ns is not None and now_ns - self.changed_ns >= SETTLED_S * 1e9
