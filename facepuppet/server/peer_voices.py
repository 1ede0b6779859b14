"""A peer whose voice or text drives a puppet: no camera."""

from __future__ import annotations

import logging

from facepuppet.core.errors import ServerError, SpeechError
from facepuppet.drivers.base import Driver
from facepuppet.drivers.voice.mic_driver import MicDriver
from facepuppet.drivers.voice.say_driver import SayDriver
from facepuppet.drivers.voice.saying import ESPEAK
from facepuppet.drivers.voice.speech_command import SpeechCommand
from facepuppet.drivers.voice.voice_setup import VoiceSetup
from facepuppet.server.channel_lines import ChannelLines
from facepuppet.server.messages import DrivenBy
from facepuppet.server.peer_sound import PeerSound

_TODO = "Install espeak-ng (Debian, Ubuntu: `sudo apt-get install espeak-ng`), or name a command with --say."

log = logging.getLogger(__name__)


def speech_command(command: str | None) -> str | None:
    """Return the command with which this server reads out; None where there is none.

    Args:
        command: as asked for by --say; None for espeak-ng, if it is there.

    Raises:
        ServerError: the one that was asked for is not installed.
    """
    try:
        SpeechCommand(command or ESPEAK)
    except SpeechError as error:
        if command is not None:
            raise ServerError(error.got, error.expected, "Install it, or name another with --say.") from error
        log.info("There is no program that speaks, so texts are not read out. %s", _TODO)
        return None
    return command or ESPEAK


def open_voice_of_peer(
    driven_by: DrivenBy,
    sound: PeerSound,
    *,
    fps: float = 30.0,
    lines: ChannelLines | None = None,
    command: str | None = ESPEAK,
    setup: VoiceSetup | None = None,
) -> Driver:
    """Open the driver of a peer that shows no face. Closing it leaves the sound open.

    Args:
        driven_by: by voice or by text.
        sound: of the session: where the voice is heard, or played.
        fps: expressions a second.
        lines: what is to be said, for text; closed with the driver.
        command: that speaks (`speech_command`); None where there is none.
        setup: how the voice drives.

    Raises:
        ServerError: a camera is asked for, or nothing here speaks.
    """
    setup = setup or VoiceSetup()
    if driven_by is DrivenBy.VOICE:
        driver = MicDriver(sound.ears, fps, setup)
        driver.description = "the voice of a peer"
        return driver
    if driven_by is not DrivenBy.TEXT:
        raise ServerError(f"a puppet driven by {driven_by.value}", "voice or text", "Open a camera's driver.")
    return _open_text(sound, fps, lines or ChannelLines(), command, setup)


def _open_text(
    sound: PeerSound, fps: float, lines: ChannelLines, command: str | None, setup: VoiceSetup
) -> SayDriver:
    try:
        speaks = None if command is None else SpeechCommand(command)
    except SpeechError:
        speaks = None
    if speaks is None:
        raise ServerError(
            "a text to be read out, on a server without a program that speaks",
            "one that has it",
            "Drive the puppet by camera or voice, or ask whoever runs the server to install espeak-ng.",
        )
    driver = SayDriver(
        lines,
        speaks,
        system=sound.system,
        fps=fps,
        picture_s=sound.picture_s,
        manner=setup.manner,
        seed=setup.seed,
    )
    lines.room = lambda: driver.room
    return driver
