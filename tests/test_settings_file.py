"""Settings in a file: nothing that anybody wrote in it is lost, whatever happens."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facepuppet.core.errors import FacepuppetError, OutputUnwritableError, SettingsError
from facepuppet.session.settings_file import Changes, SettingsFile

HEADING = "# how it is\n# and may be edited\n"
BY_HAND = """\
# mine
schema = 1
new-thing = { of = "a later version", at = 1979-05-27T07:32:00Z, odd = nan }

[avatars.one]  # my best
name = "one"
colour = "mauve"  # means nothing yet
gain = { head = 0.5, tail = 3 }

[other]
x = [1, 2]
"""
ROOT = Path(__file__).resolve().parents[1]

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
things = st.sampled_from(["one", "two", "a 'quoted' \"name\"", "new\nline", "tab\t.dot"]) | words.filter(bool)
numbers = st.floats(allow_nan=False, allow_infinity=False)
values = st.none() | st.booleans() | numbers | words | st.lists(words, max_size=3).map(tuple)
keys = st.sampled_from(["still", "background", "a.b", ""]).map(lambda key: (key,)) | st.tuples(
    st.just("gain"), st.sampled_from(["head", "mouth", "lid s"])
)


def settings_file(folder: Path, text: str | None = None) -> SettingsFile:
    file = SettingsFile(folder / "avatars.toml", "avatars", HEADING)
    if text is not None:
        file.path.write_text(text, encoding="utf-8")
    return file


def said(table: Any, changes: Changes) -> dict[str, Any]:
    """What a table must hold after changes, worked out another way: flat, and then folded."""
    flat = {
        (name, inner) if isinstance(value, dict) else (name,): held
        for name, value in table.items()
        for inner, held in (value.items() if isinstance(value, dict) else [("", value)])
    }
    flat |= {key: list(value) if isinstance(value, tuple) else value for key, value in changes.items()}
    folded: dict[str, Any] = {}
    for (name, *inner), value in flat.items():
        if value is not None:
            folded.update({name: {**folded.get(name, {}), inner[0]: value}} if inner else {name: value})
    return folded


def test_a_new_file_says_what_it_is_and_is_its_users_alone(tmp_path: Path) -> None:
    file = settings_file(tmp_path / "deep" / "er")
    assert file.read("one") == {}
    file.change("one", "Grace \udc80", {("gain", "head"): 0.5, ("still",): ("lids", "torso")})
    text = file.path.read_text(encoding="utf-8")
    assert text.startswith(HEADING + "schema = 1\n") and "gain = {head = 0.5}" in text
    assert file.read("one") == {"name": "Grace ?", "gain": {"head": 0.5}, "still": ["lids", "torso"]}
    if os.name == "posix":
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(things, st.dictionaries(keys, values, max_size=4)), min_size=1, max_size=5))
def test_what_is_set_is_read_again_and_what_anybody_else_wrote_stays(
    tmp_path: Path, steps: list[tuple[str, Changes]]
) -> None:
    file = settings_file(tmp_path, BY_HAND)
    held: dict[str, dict[str, Any]] = dict(tomllib.loads(BY_HAND)["avatars"])
    for thing, changes in steps:
        file.change(thing, "", changes)
        held[thing] = said(held.get(thing, {}), changes)
        assert file.read(thing) == held[thing]
    text = file.path.read_text(encoding="utf-8")
    document = tomllib.loads(text)
    assert document.pop("avatars") == {name: table for name, table in held.items() if table}
    assert document["new-thing"]["of"] == "a later version" and document["other"] == {"x": [1, 2]}
    for comment in ("# mine", "# my best", "# means nothing yet"):
        assert comment in text


def test_what_is_as_it_was_is_not_written_again(tmp_path: Path) -> None:
    file = settings_file(tmp_path, BY_HAND)
    before = file.path.stat()
    file.change("one", "another name", {("gain", "head"): 0.5, ("label",): None})
    file.change("two", "two", {("label",): None})
    after = file.path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


DAMAGED = {
    "no TOML": b"schema = 1\n[avatars.one\n",
    "no text": b"\xff\xfe\x00schema",
    "cut off": BY_HAND.encode()[:60],
    "of another program": b'[tool]\nname = "x"\n',
    "a schema of words": b'schema = "one"\n',
    "no tables": b"schema = 1\navatars = [1]\n",
    "no table of settings": b"schema = 1\n[avatars]\none = 3\n",
    "as deep as a well": b"schema = 1\nx = " + b"[" * 50_000,
    "huge": b"# " + b"x" * 1_000_001,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_told_and_kept_beside(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file = settings_file(tmp_path)
    for number in (1, 2):
        file.path.write_bytes(content)
        with pytest.raises(SettingsError) as told:
            file.read("one")
        assert "\n" not in str(told.value) and len(str(told.value)) < 500
        assert file.path.read_bytes() == content, "who only reads leaves it to its owner to mend"
        file.change("one", "one", {("label",): "tl"})
        assert file.read("one") == {"name": "one", "label": "tl"}
        aside = tmp_path / f"avatars.damaged-{number}.toml"
        assert aside.read_bytes() == content and str(aside) in caplog.messages[-1]


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    file = settings_file(tmp_path, "schema = 2\n[avatars]\none = 'in another way'\n")
    before = file.path.read_bytes()
    for use in (lambda: file.read("one"), lambda: file.change("one", "one", {("label",): "tl"})):
        with pytest.raises(SettingsError, match="schema 2"):
            use()
    assert file.path.read_bytes() == before and len(list(tmp_path.glob("*.toml"))) == 1


def test_an_editor_of_windows_does_no_harm(tmp_path: Path) -> None:
    file = settings_file(tmp_path)
    file.path.write_bytes(b"\xef\xbb\xbf" + BY_HAND.replace("\n", "\r\n").encode())
    file.change("one", "one", {("label",): "tl"})
    assert file.read("one")["label"] == "tl" and file.read("one")["colour"] == "mauve"
    assert "# means nothing yet" in file.path.read_text(encoding="utf-8")


def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    file, real = settings_file(tmp_path), tmp_path / "dotfiles" / "mine.toml"
    real.write_text(BY_HAND, encoding="utf-8")
    try:
        file.path.symlink_to(real)
    except OSError:
        pytest.skip("this system lets this user make no links")
    file.change("one", "one", {("label",): "tl"})
    assert file.path.is_symlink() and 'label = "tl"' in real.read_text(encoding="utf-8")


def test_where_nothing_can_be_written_one_sentence_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "avatars.toml").mkdir()
    for folder in (tmp_path / "file", tmp_path):
        with pytest.raises(FacepuppetError) as told:
            settings_file(folder).change("one", "one", {("label",): "tl"})
        assert "\n" not in str(told.value)


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of Linux stands for a full disk")
def test_a_full_disk_costs_only_what_is_new(tmp_path: Path) -> None:
    import resource

    file = settings_file(tmp_path, BY_HAND)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        with pytest.raises(OutputUnwritableError):
            file.change("one", "one", {("label",): "tl"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert file.path.read_text(encoding="utf-8") == BY_HAND
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".lock", ".toml"]


WRITER = (
    "import sys, time; from pathlib import Path; from facepuppet.session.settings_file import SettingsFile\n"
    "file = SettingsFile(Path(sys.argv[1]), 'avatars', '')\n"
    "print('ready', flush=True); n = 0\n"
    "while n != int(sys.argv[3]):\n"
    "    n += 1; file.change(sys.argv[2], '', {('gain', f'{sys.argv[4]}{n % 40}'): float(n)})\n"
    "    time.sleep(float(sys.argv[5]))  # locks are not given in turn\n"
)


def writer(path: Path, thing: str, n: int, letter: str, pause_s: float = 0.02) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", WRITER, str(path), thing, str(n), letter, str(pause_s)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_runs_that_write_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    file = settings_file(tmp_path, BY_HAND)
    writing = [writer(file.path, "one", 15, "a"), writer(file.path, "two", 15, "b")]
    for n in range(1, 16):
        file.change("one", "", {("gain", f"c{n}"): float(n)})
        time.sleep(0.02)
    assert [process.wait(60) for process in writing] == [0, 0]
    numbers = {str(n): float(n) for n in range(1, 16)}
    one = {letter + n: value for letter in "ac" for n, value in numbers.items()}
    assert file.read("one")["gain"] == {"head": 0.5, "tail": 3, **one}
    assert file.read("two")["gain"] == {"b" + n: value for n, value in numbers.items()}


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_a_run_that_is_killed_in_mid_write_leaves_a_whole_file_and_no_lock(tmp_path: Path) -> None:
    file = settings_file(tmp_path, BY_HAND)
    for n in range(3):
        process = writer(file.path, "one", -1, "k", 0.0)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        time.sleep(0.05 + 0.0137 * n)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert file.read("one")["colour"] == "mauve"
        file.change("two", "two", {("round",): float(n)})
        assert file.read("two")["round"] == n and "# my best" in file.path.read_text(encoding="utf-8")
