"""Keys that reach a run from under other windows: what the file may say, and real keys on a real display."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest
from program import one_line, run

from facepuppet.cli import hotkeys as module
from facepuppet.cli.hotkey_file import USUAL, Hotkey, load_hotkeys
from facepuppet.cli.hotkeys import Hotkeys
from facepuppet.core.errors import SettingsError
from facepuppet.session.commands import Away, Freeze, Mute, Panic, Recentre, SetGain, ShowPuppet

HEAD = "schema = 1\n[hotkeys]\n"


def file_of(folder: Path, text: str) -> Path:
    path = folder / "hotkeys.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_where_there_is_no_file_the_usual_one_is_written_and_says_what_may_be_edited(tmp_path: Path) -> None:
    path = tmp_path / "new" / "hotkeys.toml"
    first = load_hotkeys(path)
    assert first == load_hotkeys(path)
    assert [hotkey.command for hotkey in first] == [Panic(), Away(), Freeze(), Recentre(), Mute()]
    assert first[0] == Hotkey("<ctrl>+<alt>+p", "panic", Panic())
    text = path.read_text(encoding="utf-8")
    assert all(name in text for name in USUAL) and "# Right: what is to be done" in text
    uncommented = text.replace('# "', '"')
    assert len(tomllib.loads(uncommented)["hotkeys"]) == len(USUAL) + 4, (
        "its examples can be taken as they are"
    )
    assert len(load_hotkeys(file_of(tmp_path, "\ufeff" + uncommented))) == len(USUAL) + 4


def test_a_folder_that_cannot_be_written_costs_only_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert len(load_hotkeys(tmp_path / "file" / "hotkeys.toml")) == len(USUAL)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_hotkeys(tmp_path)


def test_a_key_may_stand_for_whatever_ctl_takes(tmp_path: Path) -> None:
    text = HEAD + (
        '"<Shift> + <CTRL>+1" = "avatar \'my portrait\'"\n"<f9>" = "gain head 0.5"\n"<cmd>++" = "panic on"\n'
    )
    assert load_hotkeys(file_of(tmp_path, text)) == [
        Hotkey("<ctrl>+<shift>+1", "avatar 'my portrait'", ShowPuppet("my portrait")),
        Hotkey("<f9>", "gain head 0.5", SetGain("head", 0.5)),
        Hotkey("<cmd>++", "panic on", Panic(True)),
    ]


WRONG = {
    "no TOML": ("schema = 1\n[hotkeys", "not TOML"),
    "too new": ("schema = 2\n[hotkeys]\n'<f9>' = 'panic'\n", "schema '2'"),
    "no schema": ("[hotkeys]\n'<f9>' = 'panic'\n", "schema"),
    "no keys": (HEAD, "no keys"),
    "no table": ("schema = 1\nhotkeys = 3\n", "no keys"),
    "an unknown verb": (HEAD + "'<f9>' = 'panik'\n", "panik"),
    "no verb": (HEAD + "'<f9>' = 3\n", "<f9>"),
    "nothing": (HEAD + "'<f9>' = ''\n", "<f9>"),
    "an open quote": (HEAD + "'<f9>' = 'avatar \"x'\n", "avatar"),
    "a value too many": (HEAD + "'<f9>' = 'recentre now'\n", "recentre now"),
    "a value that does not fit": (HEAD + "'<f9>' = 'gain head 9'\n", "amount '9'"),
    "an unknown key": (HEAD + "'<ctrl>+<home_row>' = 'panic'\n", "home_row"),
    "an unknown modifier": (HEAD + "'<control>+p' = 'panic'\n", "<control>"),
    "no key": (HEAD + "'<ctrl>+<alt>' = 'panic'\n", "<alt>"),
    "two keys": (HEAD + "'<ctrl>+a+b' = 'panic'\n", "a+b"),
    "a key that everybody types": (HEAD + "'p' = 'panic'\n", "which everybody types"),
    "another": (HEAD + "'<shift>+p' = 'panic'\n", "which everybody types"),
    "two verbs on one key": (
        HEAD + "'<ctrl>+<alt>+p' = 'panic'\n'<alt>+<ctrl>+P' = 'away'\n",
        "two things on",
    ),
    "two verbs on one key in one spelling": (HEAD + "'<f9>' = 'panic'\n'<f9>' = 'away'\n", "not TOML"),
    "huge": ("# " + "x" * 100_001, "too large"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_file_is_told_in_one_line(tmp_path: Path, case: str) -> None:
    text, said = WRONG[case]
    path = file_of(tmp_path, text)
    with pytest.raises(SettingsError) as told:
        load_hotkeys(path)
    assert said in str(told.value) and str(path) in str(told.value)
    assert "\n" not in str(told.value) and len(str(told.value)) < 600
    assert path.read_text(encoding="utf-8") == text, "and it is left for its owner to mend"


def test_a_run_does_not_start_with_hotkeys_that_are_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("facepuppet.session.settings_file.settings_folder", lambda: tmp_path)
    path = file_of(tmp_path, HEAD + "'<f9>' = 'panik'\n")
    status, _, err = run(capsys, "run", "--avatar", "me.jpg", "--hotkeys")
    assert status == 2 and "panik" in one_line(err) and str(path) in err


def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)


def wayland(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")


def not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setitem(sys.modules, "pynput", None)
    monkeypatch.delitem(sys.modules, "pynput.keyboard", raising=False)


def dead_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4711")
    if find_spec("pynput") is None:
        pytest.skip("needs pynput (extra hotkeys)")


def refused_by_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(module, "_macos_lets_us_listen", lambda: False)


@pytest.mark.skipif(sys.platform != "linux", reason="obstacles of Linux, and one made up")
@pytest.mark.parametrize(
    ("obstacle", "todo"),
    [
        (no_display, "facepuppet ctl panic"),
        (wayland, "facepuppet ctl panic"),
        (not_installed, "pip install 'facepuppet[hotkeys]'"),
        (dead_display, "facepuppet ctl panic"),
        (refused_by_macos, "Accessibility"),
    ],
)
def test_where_no_hotkeys_can_be_one_line_says_what_to_do_and_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch, obstacle: Callable[[pytest.MonkeyPatch], None], todo: str
) -> None:
    for variable in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "PYNPUT_BACKEND", "PYNPUT_BACKEND_KEYBOARD"):
        monkeypatch.delenv(variable, raising=False)
    obstacle(monkeypatch)
    with Hotkeys([Hotkey("<ctrl>+<alt>+p", "panic", Panic())], lambda command: None) as keys:
        assert keys.hint.startswith("No hotkeys: ") and todo in keys.hint and "\n" not in keys.hint


class Display(NamedTuple):
    name: str
    server: subprocess.Popen[bytes]


@pytest.fixture
def display() -> Iterator[Display]:
    """A display of its own, without a window, and a keyboard that xdotool presses."""
    missing = [program for program in ("Xvfb", "xdotool") if shutil.which(program) is None]
    if missing or find_spec("pynput") is None:
        pytest.skip(f"needs {', '.join(missing) or 'pynput (extra hotkeys)'}")
    reading, writing = os.pipe()
    words = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "320x240x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(words, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        with os.fdopen(reading) as told:
            name = f":{told.readline().strip()}"
        try:
            yield Display(name, server)
        finally:
            server.terminate()


# A process of its own, as pynput keeps the display that it first saw.
LISTENER = """
import sys
from pathlib import Path
from facepuppet.cli.hotkey_file import load_hotkeys
from facepuppet.cli.hotkeys import Hotkeys

def send(command):
    print(command, flush=True)
    if "Mute" in str(command):
        raise RuntimeError("nobody foresaw this")

with Hotkeys(load_hotkeys(Path(sys.argv[1])), send) as keys:
    keys._listener.wait()
    print(keys.hint, flush=True)
    sys.stdin.read()
print("over", flush=True)
"""


class Desktop:
    """A run that listens, and a person at the keyboard."""

    def __init__(self, display: Display, path: Path) -> None:
        root = Path(__file__).resolve().parents[1]
        self._env = {
            **os.environ,
            "DISPLAY": display.name,
            "PYTHONPATH": os.pathsep.join([str(root), *sys.path]),
        }
        for variable in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
            self._env.pop(variable, None)
        self.listener = subprocess.Popen(
            [sys.executable, "-c", LISTENER, str(path)],
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def press(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], env=self._env, check=True, timeout=20)

    def line(self) -> str:
        assert self.listener.stdout is not None
        return self.listener.stdout.readline().strip()


@pytest.mark.timeout(60)
def test_keys_reach_the_run_once_each_and_others_do_not(display: Display, tmp_path: Path) -> None:
    usual = tmp_path / "hotkeys.toml"
    load_hotkeys(usual)
    with usual.open("a") as more:
        more.write('"<ctrl>+<alt>+<shift>+p" = "panic off"\n"<f9>" = "gain head 0.5"\n')
    desktop = Desktop(display, usual)
    hint = desktop.line()
    assert hint.startswith("Under other windows, too: <ctrl>+<alt>+p panic, "), hint
    desktop.press("key", "p", "key", "ctrl+p", "key", "alt+p", "key", "super+ctrl+alt+p", "type", "pafrm")
    desktop.press("key", "ctrl+alt+p")
    assert desktop.line() == str(Panic())
    desktop.press("key", "ctrl+alt+shift+p", "key", "ctrl+alt+m", "key", "F9")
    assert [desktop.line() for _ in range(2)] == [str(Panic(False)), str(Mute())]
    assert "nobody foresaw this" in desktop.line()
    assert desktop.line() == str(SetGain("head", 0.5))
    # Held: the system lets it up and down again, faster than a finger.
    held = ["keydown", "ctrl", "keydown", "alt", "keydown", "a", *(["keyup", "a", "keydown", "a"] * 5)]
    desktop.press(
        *(word for one in held for word in ([one, "--delay", "0"] if one.startswith("key") else [one]))
    )
    desktop.press("keyup", "a", "keyup", "alt", "keyup", "ctrl", "key", "ctrl+alt+f")
    assert [desktop.line() for _ in range(2)] == [str(Away()), str(Freeze())]
    told, _ = desktop.listener.communicate("", timeout=20)
    assert told.split() == ["over"] and desktop.listener.returncode == 0


@pytest.mark.timeout(60)
def test_a_display_that_goes_is_told_in_one_line_and_the_run_goes_on(
    display: Display, tmp_path: Path
) -> None:
    desktop = Desktop(display, tmp_path / "hotkeys.toml")
    assert desktop.line().startswith("Under other windows, too: ")
    display.server.terminate()
    assert "No hotkeys any more" in desktop.line()
    told, _ = desktop.listener.communicate("", timeout=20)
    assert told.split() == ["over"] and desktop.listener.returncode == 0
