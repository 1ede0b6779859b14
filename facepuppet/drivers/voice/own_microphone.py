"""A microphone that a driver opens for itself, where nobody else has one open."""

from __future__ import annotations

from contextlib import ExitStack

from facepuppet.drivers.voice.mic_driver import MicDriver
from facepuppet.drivers.voice.voice_setup import VoiceSetup
from facepuppet.drivers.voice.voice_words import mic_word
from facepuppet.sound.microphone import Microphone
from facepuppet.sound.portaudio import PortAudio

DEFAULT = "default"


def open_mic(spec: str, fps: float, setup: VoiceSetup) -> MicDriver:
    """Let a microphone drive: the one of the setup, or else one that is opened for it and listened to alone.

    Args:
        spec: "mic", or "mic:" and the word for one.
        fps: expressions a second.
        setup: how the voice drives.

    Raises:
        SoundError: PortAudio is not installed.
    """
    name = mic_word(spec) or ""
    if setup.microphone is not None:
        return MicDriver(setup.microphone, fps, setup, name=name)
    microphone, owned = Microphone(name or DEFAULT, None, PortAudio(), lambda: None), ExitStack()
    driver = MicDriver(microphone, fps, setup, owned=owned, name=name)
    owned.enter_context(microphone)  # started last: there is nothing left to fail
    return driver
