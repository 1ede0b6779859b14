"""Keys that reach a run from under other windows, by way of pynput where that works."""

from __future__ import annotations

import logging
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from types import TracebackType
from typing import Any

from facepuppet.cli.errands import Errands
from facepuppet.cli.hotkey_file import Hotkey
from facepuppet.session.commands import Command

_REPEATED_S = 0.04  # a finger does not press again as soon after it let go
_HELD_S = 1.5  # a key that is held is pressed again within this; a longer one's release was not heard
_INSTEAD = "Bind commands such as `facepuppet ctl panic` to keys in your desktop's keyboard settings instead."

log = logging.getLogger(__name__)


class Hotkeys:
    """Listens to the keyboard, whichever window has the focus, for as long as it is entered.

    Args:
        hotkeys: what to do on which keys.
        send: given the commands, from a thread; what it raises is told in one line.

    Attributes:
        hint: which keys are heard, or why none are and what to do, in one line for a person.
    """

    def __init__(self, hotkeys: Sequence[Hotkey], send: Callable[[Command], None]) -> None:
        self._hotkeys, self._errands = hotkeys, Errands(send)
        self._listener: Any = None
        self.hint = ""

    def __enter__(self) -> Hotkeys:
        self._errands.__enter__()
        obstacle = _obstacle()
        if not obstacle:
            try:
                self._listener = _Ears(self._hotkeys, self._errands.ask).listener
                self._listener.start()
            except Exception as error:  # whatever pynput, Xlib or the system meets: the run goes on without
                log.debug("no hotkeys", exc_info=error)
                obstacle = _why(error)
        told = ", ".join(f"{hotkey.keys} {hotkey.words}" for hotkey in self._hotkeys)
        self.hint = f"No hotkeys: {obstacle}" if obstacle else f"Under other windows, too: {told}."
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listener is not None:
            with suppress(Exception):  # the display it would have to be told has gone
                self._listener.stop()
        self._errands.__exit__(kind, error, trace)


class _Ears:
    """Follows which keys are down, of those that matter; all others are forgotten at once.

    Attributes:
        listener: pynput's, to be started; a thread.
    """

    def __init__(self, hotkeys: Sequence[Hotkey], ask: Callable[[Command], None]) -> None:
        keyboard: Any = import_module("pynput.keyboard")  # asks for the display, and may fail
        key = keyboard.Key
        self._ask, self._alt_gr = ask, key.alt_gr
        self._modifiers = {key.ctrl, key.alt, key.shift, key.cmd}
        self._commands = {frozenset(keyboard.HotKey.parse(hotkey.keys)): hotkey.command for hotkey in hotkeys}
        self._matter = self._modifiers.union(*self._commands)
        self._down_s: dict[Any, float] = {}  # when they were pressed last
        self._up_s: dict[Any, float] = {}
        self.listener = _listener(keyboard, self._press, self._release)

    def _press(self, key: Any) -> None:
        if key == self._alt_gr:  # Windows says Ctrl and Alt to it, and it types letters
            return
        key, now_s = self.listener.canonical(key), time.monotonic()
        if key not in self._matter:
            return
        # While a key is held, some systems press it again and again, and some release it in between.
        is_held = now_s - self._down_s.get(key, -math.inf) < _HELD_S
        is_repeated = now_s - self._up_s.get(key, -math.inf) < _REPEATED_S
        self._down_s[key] = now_s
        command = self._commands.get(frozenset({key, *self._modifiers.intersection(self._down_s)}))
        if command is not None and not is_held and not is_repeated:
            self._ask(command)

    def _release(self, key: Any) -> None:
        key = self.listener.canonical(key)
        if self._down_s.pop(key, None) is not None:
            self._up_s[key] = time.monotonic()


def _listener(keyboard: Any, press: Callable[[Any], None], release: Callable[[Any], None]) -> Any:
    """Return a listener whose end is told in one line."""

    class Listener(keyboard.Listener):  # type: ignore[misc]  # known in a call alone
        def run(self) -> None:
            try:
                super().run()
            except Exception as error:  # the display has gone, or does not let us listen
                log.warning("No hotkeys any more: %s", _why(error))

    return Listener(on_press=press, on_release=release)


def _obstacle() -> str:
    """Say what no attempt would change; empty where one is worth it."""
    if sys.platform == "linux" and not os.environ.get("PYNPUT_BACKEND_KEYBOARD"):
        wayland = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("XDG_SESSION_TYPE") == "wayland"
        if wayland:
            return f"Wayland shows no program the keys of another. {_INSTEAD}"
        if not os.environ.get("DISPLAY"):
            return f"there is no display here. {_INSTEAD}"
    if sys.platform == "darwin" and not _macos_lets_us_listen():
        return (
            "macOS keeps the keyboard from this terminal. "
            "Allow it in System Settings, Privacy & Security, Accessibility, and start again."
        )
    return ""


def _macos_lets_us_listen() -> bool:
    try:
        return bool(import_module("HIServices").AXIsProcessTrusted())
    except ImportError:  # comes with pynput, whose absence is told later
        return True


def _why(error: Exception) -> str:
    """Say why there are no hotkeys, and what to do."""
    if isinstance(error, ModuleNotFoundError):
        return "pynput is not installed. Install it: pip install 'facepuppet[hotkeys]'"
    return f"{str(error).splitlines()[0][:150] if str(error) else type(error).__name__}. {_INSTEAD}"
