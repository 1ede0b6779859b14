"""The user's command that turns a sentence into sound, run once a sentence."""

from __future__ import annotations

import logging
import os
import queue
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from facepuppet.core.errors import SpeechError
from facepuppet.core.types import F32
from facepuppet.drivers.voice.spoken_wav import SampleFormat, SpokenWav

PLACE = "{}"  # a word of the command that the text takes the place of
PATIENCE_S = 5.0  # without sound, before it counts as hung
_BYTES = 8_192  # read at once: 0.19 s of espeak-ng's sound
_PIECES = 8  # that wait to be taken; the command waits then
_TOLD_CHARACTERS = 300  # of what it says of itself
_JOIN_S = 2.0
_END_S = 0.2  # between what it says and its end
_ESPEAK = (
    "Debian, Ubuntu: `sudo apt-get install espeak-ng`; macOS: `brew install espeak-ng`; "
    "or name another command with --say-command."
)

log = logging.getLogger(__name__)


class SpeechCommand:
    """A command that is given text and answers with sound on its standard output.

    Args:
        command: as typed into a shell, which never sees it: words are parted here. Text takes the place of a
            word that is {}, or else comes on standard input.
        bare: the format of its samples; None for WAV.
        patience_s: how long to wait for sound.

    Attributes:
        name: of the program, for people.

    Raises:
        SpeechError: no command, or none that is installed.
    """

    def __init__(
        self, command: str, bare: SampleFormat | None = None, patience_s: float = PATIENCE_S
    ) -> None:
        self._words = _parted(command)
        self.name = os.path.basename(self._words[0])  # noqa: PTH119 - a word, which need be no path
        self._bare, self._patience_s = bare, patience_s
        if shutil.which(self._words[0]) is None:
            todo = _ESPEAK if self.name == "espeak-ng" else "Install it, or name another with --say-command."
            raise SpeechError(
                f"the speech command '{self._words[0]}', which is not installed",
                "a program that speaks",
                todo,
            )

    @property
    def language(self) -> str:
        """What it is told to speak, by espeak-ng's -v or a word like it; English where it is not told."""
        for word, following in zip(self._words, [*self._words[1:], ""], strict=True):
            if word in ("-v", "--voice", "--lang", "--language"):
                return following.partition("+")[0] or "en"
            if word.startswith("-v") and len(word) > 2 and not word.startswith("--"):
                return word[2:].partition("+")[0]
        return "en"

    def speak(self, text: str) -> Speaking:
        """Begin to speak a text; close what is returned.

        Raises:
            SpeechError: it cannot be started.
        """
        # A text that begins with a dash would be an option: "-f/etc/passwd" is one of espeak-ng's.
        word = f" {text}" if text.startswith("-") else text
        words = [word if given == PLACE else given for given in self._words]
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for us, who then end it with all that it has started
            )
        except (OSError, ValueError) as error:
            raise SpeechError(
                f"the speech command '{self.name}', which cannot be started ({error})",
                "a program that speaks",
                "Name another with --say-command.",
            ) from error
        typed = b"" if PLACE in self._words else f"{text}\n".encode(errors="replace")
        return Speaking(process, typed, self.name, SpokenWav(self._bare), self._patience_s)


class Speaking:
    """A command that speaks one sentence. One thread uses it; any may `close` it.

    Args:
        process: closed with this.
        typed: for its standard input.
        name: for people.
        wav: understands its answer.
        patience_s: how long to wait for sound.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], typed: bytes, name: str, wav: SpokenWav, patience_s: float
    ) -> None:
        self._process, self._typed, self._name = process, typed, name
        self._wav, self._patience_s = wav, patience_s
        self._pieces: queue.Queue[bytes] = queue.Queue(_PIECES)
        self._complaints = b""
        self._closed = threading.Event()
        # Threads, since Windows has no select for pipes; they end with the process.
        self._threads = [
            threading.Thread(target=work, name="speech command", daemon=True)
            for work in (self._type, self._take_sound, self._take_complaints)
        ]
        for thread in self._threads:
            thread.start()

    def sound(self) -> Iterator[tuple[F32, int]]:
        """Give the sound in blocks (n,), mono, full scale ±1, with their rate in Hz, as they come.

        Raises:
            SpeechError: no sound comes, or something that is none; what came before it was given.
        """
        heard, failure = False, ""
        patient_until_s = time.monotonic() + self._patience_s
        while not self._closed.is_set():
            try:
                piece = self._pieces.get(timeout=max(0.0, patient_until_s - time.monotonic()))
            except queue.Empty:
                raise self._error(f"gives no sound for {self._patience_s:g} s") from None
            if not piece:
                break
            try:
                block = self._wav.feed(piece)
            except ValueError as error:
                failure = f"answers {error}"
                break
            if len(block) and self._wav.format is not None:
                heard = True
                yield block, self._wav.format.hz
                patient_until_s = time.monotonic() + self._patience_s
        if not self._closed.is_set():
            self._judge(heard, failure)

    def close(self) -> None:
        """End it, with all that it has started; safe to call twice."""
        self._closed.set()
        self._kill()
        self._process.wait()
        with suppress(queue.Empty):
            while True:
                self._pieces.get_nowait()
        with suppress(queue.Full):
            self._pieces.put_nowait(b"")  # whoever waits for sound goes on
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(_JOIN_S)

    def _kill(self) -> None:
        with suppress(OSError):
            if os.name == "posix":
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def _judge(self, heard: bool, failure: str) -> None:
        """Raise what went wrong, now that it answers no more."""
        try:
            status = self._process.wait(self._patience_s if not failure else _END_S)
        except subprocess.TimeoutExpired:
            status = 0  # it answered all that it had to
        self._threads[2].join(_END_S)  # what it says of itself comes on another pipe
        if status:
            raise self._error(f"fails (exit status {status})")
        if failure or not heard:
            raise self._error(failure or "answers nothing")

    def _error(self, what: str) -> SpeechError:
        told = " ".join(self._complaints.decode(errors="replace").split())[:_TOLD_CHARACTERS]
        return SpeechError(
            f"the speech command '{self._name}', which {what}" + (f": {told}" if told else ""),
            "WAV on its standard output, or bare samples with --say-raw",
            "Try it in a terminal, or name another with --say-command.",
        )

    def _type(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, ValueError), self._process.stdin as typed:  # it need not read
            typed.write(self._typed)

    def _take_sound(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as out:
            while not self._closed.is_set():
                piece = os.read(out.fileno(), _BYTES)
                self._put(piece)
                if not piece:
                    return

    def _put(self, piece: bytes) -> None:
        while not self._closed.is_set():
            with suppress(queue.Full):
                self._pieces.put(piece, timeout=0.1)
                return

    def _take_complaints(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as told:
            while piece := os.read(told.fileno(), _BYTES):
                self._complaints = (self._complaints + piece)[: 4 * _TOLD_CHARACTERS]


def _parted(command: str) -> Sequence[str]:
    try:
        words = shlex.split(command, posix=os.name == "posix")
    except ValueError as error:
        raise SpeechError(
            f"the speech command {command!r} ({error})", "words as a shell has them", "Close its quotes."
        ) from error
    if not words:
        raise SpeechError("no speech command", "a program that speaks", _ESPEAK)
    return words if os.name == "posix" else [word.strip('"') for word in words]  # kept there, for its slashes
