"""From what the user typed to a driver that reads out: say, say:FILE, say:PATH.sock, say:HOST:PORT."""

from __future__ import annotations

import logging
from pathlib import Path

from facepuppet.core.addresses import parted_address
from facepuppet.core.errors import DriverError, SoundError
from facepuppet.drivers.voice.line_sockets import tcp_socket, unix_socket
from facepuppet.drivers.voice.line_sources import LineSource, StreamLines, standard_input
from facepuppet.drivers.voice.say_driver import SayDriver
from facepuppet.drivers.voice.saying import NOWHERE, Saying
from facepuppet.drivers.voice.speech_command import SpeechCommand
from facepuppet.drivers.voice.spoken_wav import SampleFormat
from facepuppet.drivers.voice.voice_setup import VoiceSetup
from facepuppet.sound.loudspeaker import OutputSystem

SOCKET_SUFFIXES = (".sock", ".socket")
LOOPBACK = "127.0.0.1"

log = logging.getLogger(__name__)


def open_say(word: str, fps: float = 30.0, setup: VoiceSetup | None = None) -> SayDriver:
    """Open what reads out what a word names.

    Args:
        word: `say` reads standard input; after it and a colon may come a file or named pipe that is there, a
            socket's path, or PORT or HOST:PORT, without a host of this machine alone.
        fps: expressions a second.
        setup: how, and how the voice drives.

    Raises:
        SpeechError: the command is not installed.
        DriverError: what lines come from cannot be read or listened on.
    """
    setup = setup or VoiceSetup()
    saying = setup.saying or Saying()
    bare = None if saying.raw_hz is None else SampleFormat(saying.raw_hz)
    command = SpeechCommand(saying.command, bare)
    return SayDriver(
        _source(word.partition(":")[2], word, saying),
        command,
        system=None if saying.to == NOWHERE else _sound_system(),
        sink=saying.to,
        fps=fps,
        alone=setup.alone,
        picture_s=saying.picture_s,
        manner=setup.manner,
        seed=setup.seed,
    )


def _source(rest: str, word: str, saying: Saying) -> LineSource:
    if not rest:
        return standard_input(saying.typed)
    path = Path(rest)
    if path.suffix in SOCKET_SUFFIXES or path.is_socket():
        return unix_socket(path)
    if path.exists():
        return StreamLines.of_path(path)
    try:
        host, port = parted_address(rest)
    except ValueError:
        port = None
    if port is None:
        raise DriverError(
            f"driver {word!r}, which names no file that is there",
            "say, say:FILE, say:PATH.sock, say:PORT or say:HOST:PORT",
            "Check its name; a socket's ends in .sock.",
        )
    return tcp_socket(host or LOOPBACK, port)


def _sound_system() -> OutputSystem | None:
    from facepuppet.sound.portaudio import PortAudio

    try:
        return PortAudio()
    except SoundError as error:
        log.warning("sound: %s Until then nothing is heard, and the lips go by the clock.", error)
        return None
