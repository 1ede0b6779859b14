"""What a portrait that reads out is made of: sentences, lines, sound from a command's pipe."""

from __future__ import annotations

import io
import os
import socket
import stat
import struct
import sys
import threading
import time
import wave
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from fakes import wait_until

from facepuppet.core.errors import DriverError, SpeechError
from facepuppet.drivers.voice.line_sockets import MOST_PEERS, SocketLines, tcp_socket, unix_socket
from facepuppet.drivers.voice.line_sources import StreamLines
from facepuppet.drivers.voice.script import MOST_CHARACTERS as MOST_WAITING
from facepuppet.drivers.voice.script import Script
from facepuppet.drivers.voice.sentences import MOST_CHARACTERS, sentences
from facepuppet.drivers.voice.speech_command import SpeechCommand
from facepuppet.drivers.voice.spoken_wav import MOST_HEADER, SampleFormat, SpokenWav
from facepuppet.drivers.voice.typed_lines import MOST_BYTES, LineAssembler

TONE = (0.5 * np.sin(np.arange(1000) * 0.1)).astype(np.float32)
posix = pytest.mark.skipif(os.name != "posix", reason="Unix sockets, pipes with names, process groups")


# Sentences


@pytest.mark.parametrize(
    ("language", "text", "parts"),
    [
        ("en", "Dr. Smith paid $3.50. Why? He had to!", ["Dr. Smith paid $3.50.", "Why?", "He had to!"]),
        ("de", "Am 3. Oktober z. B. um 10.30 Uhr. Ja!", ["Am 3. Oktober z. B. um 10.30 Uhr.", "Ja!"]),
        ("zh", "你好。今天天气很好！你想去吗？", ["你好。", "今天天气很好！", "你想去吗？"]),
        ("en", "你好。今天天气很好！", ["你好。", "今天天气很好！"]),
        ("xx", "One. Two.", ["One.", "Two."]),
        ("en", "one line\nanother line\r\n\n  third  ", ["one line", "another line", "third"]),
        ("en", "tab\tbell\x07and\x00nul \ufffd\ufffd end", ["tab bell and nul end"]),
        ("en", "Half \ud800 a character", ["Half a character"]),
        ("en", "... !!! 😀 --", []),
        ("en", "", []),
    ],
)
def test_text_is_parted_into_sentences(language: str, text: str, parts: list[str]) -> None:
    assert list(sentences(text, language)) == parts


def test_text_without_marks_is_cut_where_one_can_breathe() -> None:
    words = list(sentences("word " * 200 + ", " + "other " * 100))
    assert all(len(part) <= MOST_CHARACTERS for part in words)
    assert " ".join(words).split() == [*["word"] * 200, ",", *["other"] * 100]
    clauses = list(sentences("this is a part of it, " * 40))
    assert all(part.endswith(",") for part in clauses)
    assert "".join(sentences("x" * 1000)) == "x" * 1000


# WAV


def written(sound: np.ndarray, bits: int, channels: int, *, is_float: bool = False) -> bytes:
    """Samples as a program would write them."""
    many = np.repeat(sound[:, None], channels, 1).astype(np.float64)
    if is_float:
        return many.astype(f"<f{bits // 8}").tobytes()
    if bits == 8:
        return (many * 127 + 128).round().astype(np.uint8).tobytes()
    whole = (many * (2 ** (bits - 1) - 1)).round().astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()


def wav(
    samples: bytes,
    hz: int,
    bits: int,
    channels: int,
    tag: int = 1,
    *,
    length: int | None = None,
    before: bytes = b"",
) -> bytes:
    length = len(samples) if length is None else length
    form = struct.pack("<HHIIHH", tag, channels, hz, hz * channels * bits // 8, channels * bits // 8, bits)
    if tag == 0xFFFE:
        form += struct.pack("<HHIH", 22, bits, 0, 1) + b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
    chunks = b"WAVE" + before + b"fmt " + struct.pack("<I", len(form)) + form
    chunks += b"LIST" + struct.pack("<I", 5) + b"INFO!\0" + b"data" + struct.pack("<I", length)
    return b"RIFF" + struct.pack("<I", min(length + 60, 0xFFFFFFFF)) + chunks + samples


@pytest.mark.parametrize("length", [None, 0, 0x7FFFF000, 0xFFFFFFFF])
@pytest.mark.parametrize(
    ("bits", "tag"), [(8, 1), (16, 1), (24, 1), (32, 1), (32, 3), (64, 3), (16, 0xFFFE), (24, 0xFFFE)]
)
@pytest.mark.parametrize("channels", [2, pytest.param(1, marks=pytest.mark.thorough)])
def test_every_common_wav_is_read_whatever_its_header_says_of_length(
    bits: int, tag: int, channels: int, length: int | None
) -> None:
    samples = written(TONE, bits, channels, is_float=tag == 3)
    content = wav(samples, 22_050, bits, channels, tag, length=length)
    reader, pieces = SpokenWav(), []
    sizes, at = np.random.default_rng(bits + channels), 0
    while at < len(content):
        n = int(sizes.integers(1, 300))
        pieces.append(reader.feed(content[at : at + n]))
        at += n
    assert reader.format == SampleFormat(22_050, channels, bits, tag == 3)
    assert np.abs(np.concatenate(pieces) - TONE).max() < 2.0 ** (2 - min(bits, 24))


def test_what_the_standard_library_writes_is_read_and_remarks_after_the_sound_are_none() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((2, 2, 48_000, 0, "NONE", ""))
        writer.writeframes(written(TONE, 16, 2))
    reader = SpokenWav()
    sound = reader.feed(file.getvalue() + b"LIST\x08\0\0\0INFOnote" + b"\x7f" * 4000)
    assert np.abs(sound - TONE).max() < 1e-4
    assert len(reader.feed(b"\x7f" * 100)) == 0


def test_bare_samples_need_no_header_and_what_is_no_number_is_silence() -> None:
    reader = SpokenWav(SampleFormat(16_000))
    assert reader.feed(b"\x00\x40\x00").tolist() == [0.5]
    assert reader.feed(b"\xc0").tolist() == [-0.5]
    wild = SpokenWav(SampleFormat(16_000, 1, 32, True))
    assert wild.feed(np.array([np.nan, np.inf, -9.0, 0.25], "<f4").tobytes()).tolist() == [0, 0, -1, 0.25]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<html>no such voice</html>", "which no WAV begins with"),
        (b"RIFF\0\0\0\0AVI LIST", "which no WAV begins with"),
        (wav(b"\0" * 8, 22_050, 16, 1, tag=2), "kind 2, which is compressed"),
        (wav(b"\0" * 8, 5, 16, 1), "5 samples a second"),
        (wav(b"\0" * 8, 22_050, 16, 0), "0 channels"),
        (wav(b"\0" * 8, 22_050, 12, 1), "12 bits"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "does not say how"),
        (b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0\1\0\1\0", "format has 4 bytes"),
        (b"RIFF\0\0\0\0WAVEjunk\xff\xff\xff\x7f", "before its sound"),
        (b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * MOST_HEADER, "header of more than"),
    ],
)
def test_what_is_no_wav_is_told(content: bytes, told: str) -> None:
    reader = SpokenWav()
    with pytest.raises(ValueError, match=told):
        for at in range(0, len(content), 4096):
            reader.feed(content[at : at + 4096])


# Lines


def test_lines_are_put_together_from_any_bytes(caplog: pytest.LogCaptureFixture) -> None:
    lines = LineAssembler("a test")
    content = "Grüße\r\n\nzweite\nohne Ende".encode()
    heard = [line for at in range(len(content)) for line in lines.feed(content[at : at + 1])]
    assert heard == ["Grüße", "", "zweite"]
    assert list(lines.rest()) == ["ohne Ende"]
    assert list(lines.feed(b"caf\xe9\n\xff\xfe ok\n")) == ["caf\ufffd", "\ufffd\ufffd ok"]
    assert len(caplog.records) == 1 and "no UTF-8" in caplog.text


def test_a_line_of_megabytes_is_handed_on_in_parts_of_whole_words_and_characters() -> None:
    lines, heard = LineAssembler("a test"), []
    text = "wörter " * 200_000 + "ß" * 100_000
    content = text.encode() + b"\n"
    for at in range(0, len(content), 16_384):
        heard += lines.feed(content[at : at + 16_384])
        assert len(lines._rest) <= 2 * MOST_BYTES
    assert "".join(heard) == text
    assert max(len(line.encode()) for line in heard) <= MOST_BYTES


class Inbox:
    """Hears lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ended = threading.Event()

    def hear(self, line: str) -> None:
        self.lines.append(line)


@posix
def test_programs_speak_through_a_unix_socket_of_its_owner_alone(tmp_path: Path) -> None:
    path, inbox = tmp_path / "say.sock", Inbox()
    source = unix_socket(path)
    try:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        source.start(inbox.hear, inbox.ended.set)
        with pytest.raises(DriverError, match="cannot be listened on"):
            unix_socket(path)  # somebody listens
        for text in (b"one\ntwo\n", b"no end"):
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(str(path))
                peer.sendall(text)
            wait_until(lambda text=text: inbox.lines[-1:] == [text.split(b"\n")[-1].decode() or "two"])
        assert inbox.lines == ["one", "two", "no end"]
    finally:
        source.close()
    assert not path.exists()
    with socket.socket(socket.AF_UNIX) as left_over:  # as after a crash
        left_over.bind(str(path))
    unix_socket(path).close()


def test_tcp_peers_beyond_a_few_are_turned_away_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    inbox, source = Inbox(), tcp_socket("127.0.0.1", 0)
    assert isinstance(source, SocketLines) and source.address[0] == "127.0.0.1"
    source.start(inbox.hear, inbox.ended.set)
    peers = [socket.create_connection(source.address) for _ in range(MOST_PEERS + 3)]
    try:
        peers[0].sendall(b"first\n")
        wait_until(lambda: inbox.lines == ["first"])
        wait_until(lambda: "turned away" in caplog.text)
        for peer in peers[MOST_PEERS:]:  # or one of them might take the place that is about to be free
            peer.settimeout(20)
            with suppress(ConnectionResetError):
                assert peer.recv(1) == b""
        assert caplog.text.count("turned away") == 1
        with pytest.raises(DriverError, match="cannot be listened on"):
            tcp_socket(*source.address)
        peers[0].close()  # frees a place
        wait_until(lambda: len(source._peers) < MOST_PEERS)
        with socket.create_connection(source.address) as late:
            late.sendall(b"late\n")
            wait_until(lambda: inbox.lines == ["first", "late"])
    finally:
        source.close()
        for peer in peers:
            peer.close()


@posix
def test_a_named_pipe_outlives_its_writers_and_a_file_ends(tmp_path: Path) -> None:
    pipe, inbox = tmp_path / "pipe", Inbox()
    os.mkfifo(pipe)
    source = StreamLines.of_path(pipe)
    source.start(inbox.hear, inbox.ended.set)
    for text in ("one\n", "two\n"):
        pipe.write_text(text)
        wait_until(lambda text=text: inbox.lines[-1:] == [text.strip()])
    assert not inbox.ended.is_set()
    source.close()
    (tmp_path / "text").write_bytes(b"a file\nwithout an end")
    file, inbox = StreamLines.of_path(tmp_path / "text"), Inbox()
    file.start(inbox.hear, inbox.ended.set)
    assert inbox.ended.wait(20) and inbox.lines == ["a file", "without an end"]
    file.close()
    with pytest.raises(DriverError, match="cannot be read"):
        StreamLines.of_path(tmp_path / "none")


# What waits to be said


def test_a_flood_is_bounded_told_once_and_forgotten_on_demand(caplog: pytest.LogCaptureFixture) -> None:
    script = Script()
    for _ in range(50):
        script.put("This is one of very many sentences. " * 100)
    assert MOST_WAITING <= script._n_characters < MOST_WAITING + MOST_CHARACTERS
    assert caplog.text.count("more text to say than can wait") == 1
    assert script.take() == ("This is one of very many sentences.", 0)
    script.clear()
    script.done()
    assert script.empty
    script.put("Next.")
    assert script.take() == ("Next.", 1)


def test_a_long_text_waits_for_room_and_loses_nothing() -> None:
    script, n = Script(), 2000
    writer = threading.Thread(
        target=lambda: [script.put(f"Sentence number {i}.", waits=True) for i in range(n)], daemon=True
    )
    writer.start()
    wait_until(lambda: script._n_characters >= MOST_WAITING)
    assert writer.is_alive()
    assert [script.take() for _ in range(n)] == [(f"Sentence number {i}.", 0) for i in range(n)]
    script.put("x. " * 20_000)
    blocked = threading.Thread(target=lambda: script.put("more.", waits=True), daemon=True)
    blocked.start()
    script.close()
    blocked.join(20)
    assert not blocked.is_alive() and script.take() is None


# The command


def python(code: str, *words: str) -> str:
    """A command that runs some Python at once."""
    import shlex

    return shlex.join([sys.executable, "-I", "-S", "-c", code, *words])


ECHO = (
    "import sys,struct; text=(sys.argv[1:] or [sys.stdin.read()])[0].encode(); "
    "out=sys.stdout.buffer; out.write(b'RIFF\\0\\0\\0\\0WAVEfmt '"
    "+struct.pack('<IHHIIHH',16,1,1,8000,8000,1,8)+b'data\\0\\0\\0\\0'+text)"
)


def said(command: SpeechCommand, text: str) -> bytes:
    """What a command that echoes was given."""
    speaking = command.speak(text)
    try:
        blocks = [block for block, _ in speaking.sound()]
    finally:
        speaking.close()
    return (np.concatenate(blocks) * 128 + 128).astype(np.uint8).tobytes()


def test_text_goes_in_by_standard_input_or_in_place_of_a_word_and_never_through_a_shell() -> None:
    nasty = "$(touch x); `ls` 'it' \"is\" & fine | \\ {} ü"
    assert said(SpeechCommand(python(ECHO)), nasty) == f"{nasty}\n".encode()
    by_word = SpeechCommand(python(ECHO, "{}"))
    assert said(by_word, nasty) == nasty.encode()
    assert said(by_word, "-f/etc/passwd") == b" -f/etc/passwd"  # no option


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("no-such-program-here --x", "not installed"),
        ("  ", "no speech command"),
        ("espeak-ng 'open", "No closing quotation"),
    ],
)
def test_a_command_that_cannot_be_is_told_at_once(command: str, told: str) -> None:
    with pytest.raises(SpeechError, match=told):
        SpeechCommand(command)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import sys; sys.exit('no such voice')", r"fails \(exit status 1\): no such voice"),
        ("print('garbage')", "no WAV begins with"),
        pytest.param("print('x' * 1000000)", "no WAV begins with", marks=pytest.mark.thorough),
        ("pass", "answers nothing"),
        ("import time; time.sleep(60)", "gives no sound for 0.3 s"),
        ("import sys; sys.stderr.write('y' * 1000000); sys.exit(3)", "exit status 3"),
        (
            ECHO.replace("+text", "") + "; out.flush(); import time; time.sleep(60)",
            "gives no sound for 0.3 s",
        ),
        pytest.param(
            ECHO + "; out.flush(); import time; time.sleep(60)",
            "gives no sound for 0.3 s",
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_a_command_that_fails_is_told_and_ended(code: str, told: str) -> None:
    speaking = SpeechCommand(python(code), patience_s=0.3 if "sleep" in code else 20.0).speak("Hello.")
    try:
        with pytest.raises(SpeechError, match=told):
            list(speaking.sound())
    finally:
        speaking.close()
    assert speaking._process.returncode is not None
    assert not any(thread.is_alive() for thread in speaking._threads)


@posix
def test_a_command_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    script = tmp_path / "speak"
    script.write_text(f"#!/bin/sh\nsleep 300 &\necho $! > {tmp_path}/child\ncat\nwait\n")
    script.chmod(0o755)
    speaking = SpeechCommand(str(script)).speak("Hello.")
    child = tmp_path / "child"
    wait_until(lambda: child.exists() and bool(child.read_text().strip()))
    speaking.close()
    pid = int(child.read_text())
    wait_until(lambda: not is_running(pid))
    assert list(speaking.sound()) == []


def is_running(pid: int) -> bool:
    """Whether a process lives; one that has ended and that nobody asked after does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_somebody_who_waits_for_sound_goes_on_when_it_is_broken_off() -> None:
    speaking = SpeechCommand(python("import time; time.sleep(60)"), patience_s=60.0).speak("Hello.")
    threading.Timer(0.1, speaking.close).start()
    began_s = time.monotonic()
    assert list(speaking.sound()) == []
    assert time.monotonic() - began_s < 30.0


@pytest.mark.parametrize(
    ("words", "language"),
    [("-v de", "de"), ("-vpt-br+f3", "pt-br"), ("--voice ja", "ja"), ("-s 150", "en"), ("-v", "en")],
)
def test_the_language_is_the_commands(words: str, language: str) -> None:
    assert SpeechCommand(f"{sys.executable} {words}").language == language
