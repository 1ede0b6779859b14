"""Makes utterances of sentences, one ahead of what is heard."""

from __future__ import annotations

import logging
import threading

import numpy as np

from facepuppet.core.errors import SpeechError
from facepuppet.drivers.voice.playback import Playback
from facepuppet.drivers.voice.script import Script
from facepuppet.drivers.voice.sentences import sentences
from facepuppet.drivers.voice.speech_command import Speaking, SpeechCommand
from facepuppet.drivers.voice.utterance import MOST_S, PLAYED_HZ, Utterance

_JOIN_S = 5.0

log = logging.getLogger(__name__)


class Speaker:
    """A thread that takes sentences, lets a command speak each and hands its sound over as it comes.

    A sentence that fails is told of once, until one succeeds again; the others go on.

    Args:
        script: what is to be said.
        command: says it.
        playback: plays it.
    """

    def __init__(self, script: Script, command: SpeechCommand, playback: Playback) -> None:
        self._script, self._command, self._playback = script, command, playback
        self._speaking: Speaking | None = None
        self._problem = ""
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="speaker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Break off what is being made."""
        with self._lock:
            if self._speaking is not None:
                self._speaking.close()

    def close(self) -> None:
        """End; the script must be closed before."""
        self._closed = True
        self.stop()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        prepare()
        while (taken := self._script.take()) is not None:
            try:
                self._say(*taken)
            except SpeechError as error:
                self._tell(str(error))
            except Exception as error:  # one sentence must not end them all
                log.debug("a sentence was not spoken", exc_info=error)
                self._tell(f"Got an unexpected {type(error).__name__} from the speech command ({error}).")
            finally:
                self._script.done()

    def _say(self, sentence: str, turn: int) -> None:
        self._playback.wait_for_room(lambda: self._wanted(turn))
        with self._lock:
            if not self._wanted(turn):
                return
            self._speaking = speaking = self._command.speak(sentence)
            utterance = Utterance()
            self._playback.put(utterance)
        try:
            for sound, hz in speaking.sound():
                if not self._wanted(turn):
                    break
                if not utterance.add(sound, hz):
                    self._tell(f"Got more than {MOST_S:g} s of sound for one sentence; the rest is left out.")
                    break
                self._playback.wait_for_room(lambda: self._wanted(turn))
            else:
                self._problem = ""
        finally:
            utterance.finish()
            speaking.close()
            with self._lock:
                self._speaking = None

    def _wanted(self, turn: int) -> bool:
        return turn == self._script.turn and not self._closed

    def _tell(self, problem: str) -> None:
        if problem != self._problem:
            log.warning("%s", problem)
        self._problem = problem


def prepare() -> None:
    """Load what the first sentence would wait for."""
    list(sentences("Ready."))
    utterance = Utterance()
    utterance.add(np.zeros(1, np.float32), PLAYED_HZ)
    utterance.finish()
