"""A driver that reads out: text in, a voice in the loudspeakers, and its face."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.types import F32, Expression
from facepuppet.drivers.base import Driver
from facepuppet.drivers.voice.line_sources import LineSource
from facepuppet.drivers.voice.playback import FADE_S, Playback
from facepuppet.drivers.voice.script import Script
from facepuppet.drivers.voice.speaker import Speaker
from facepuppet.drivers.voice.speech_command import SpeechCommand
from facepuppet.sound.loudspeaker import Loudspeaker, OutputSystem
from facepuppet.voice import SpeakingFace, VoiceManner

STOP = "/stop"
LINGER_S = 1.5  # beside other drivers, the face stays so long after what was said
END_S = 0.6  # and so long when there will be no more
USUAL_DELAY_S = 0.05  # of pictures, before anything is known of it
ALLOWANCE_S = 0.015  # half a frame until a call fetches a picture, which no clock here sees
MOST_DELAY_S = 2.0
# A made voice is of no room. Beside nothing at all its faintest breath would count as loud, so the face hears
# a quiet room's noise, too: -58 dB of full scale.
ROOM = 10.0 ** (-58.0 / 20.0)
_SLICE_S = 0.02
_FADE_OUT_S = FADE_S + 0.03  # the last block leaves, and the device plays what it holds

log = logging.getLogger(__name__)


class SayDriver(Driver):
    """Reads out lines, sentence by sentence; between them the face rests.

    Lines are read out in the order in which they come. "/stop" breaks off what is being said and forgets what
    waits; so does an empty line of somebody who is there (`LineSource.waits`). A line that begins with two
    slashes is read out with one of them.

    What fails (the command, the sound, a source) is told in the log, and the face rests. It ends when its
    source has ended and all is said.

    Args:
        source: of lines; closed with this.
        command: speaks.
        system: opens the output for sound; None for none, and the lips go by the clock.
        sink: word for that output.
        fps: expressions a second.
        alone: it shows a face all the time, and not only when there is something to say.
        picture_s: asked for how late pictures are, None while nobody knows: sound is played as late.
        manner: how the voice moves the face.
        seed: the same seed, text and times give the same gestures.
    """

    live = True
    certain = True

    def __init__(
        self,
        source: LineSource,
        command: SpeechCommand,
        *,
        system: OutputSystem | None = None,
        sink: str = "default",
        fps: float = 30.0,
        alone: bool = True,
        picture_s: Callable[[], float | None] = lambda: None,
        manner: VoiceManner | None = None,
        seed: int = 0,
    ) -> None:
        self.description = f"{source.description}, spoken by {command.name}"
        self.fps: float | None = fps
        self._source, self._command = source, command
        self._system, self._sink = system, sink
        self._alone, self._picture_s = alone, picture_s
        self._face = SpeakingFace(manner, seed)
        self._room = np.random.default_rng(seed)
        self._script = Script(command.language)
        self._closed = threading.Event()
        self._source_ended = self._unknown_told = False
        self._clock: Clock = SystemClock()
        self._playback: Playback | None = None
        self._speaker: Speaker | None = None
        self._loudspeaker: Loudspeaker | None = None
        self._period_ns = round(1e9 / fps)
        self._due_ns = self._quiet_since_ns = 0
        self._spoke = False
        self._face_s = 0.0
        self._n = 0

    @property
    def voice(self) -> VoiceManner | None:
        """How the voice moves the face."""
        return self._face.manner

    def set_voice(self, manner: VoiceManner) -> None:
        """Let it move the face in another way, from the next moment on."""
        self._face.manner = manner

    @property
    def room(self) -> int:
        """How many characters more may wait to be said."""
        return self._script.room

    def start(self, clock: Clock) -> None:
        """Open what plays, and listen from now on."""
        self._clock = clock
        self._due_ns = self._quiet_since_ns = clock.now_ns()
        self._playback = playback = Playback(self._now_s, self._delay_s)
        if self._system is not None:
            self._loudspeaker = Loudspeaker(self._sink, self._system, playback.fill)
            self._loudspeaker.start()
        self._speaker = Speaker(self._script, self._command, playback)
        self._speaker.start()
        self._source.start(self._hear, self._end)

    def say(self, text: str) -> None:
        """Add to what is said; from any thread, and what finds no room is left out."""
        self._script.put(text)

    def stop_saying(self) -> None:
        """Break off what is said, softly, and forget what waits; from any thread."""
        self._script.clear()
        if self._speaker is not None and self._playback is not None:
            self._speaker.stop()
            self._playback.stop()

    def read(self) -> Expression | None:
        """Wait for the next moment and return its face; None once all is said, and after close()."""
        if self._playback is None:
            self.start(self._clock)
        now_ns = self._wait()
        if self._closed.is_set() or self._playback is None:
            return None
        if not (self._script.empty and self._playback.idle):
            self._spoke, self._quiet_since_ns = True, now_ns
        quiet_s = (now_ns - self._quiet_since_ns) * 1e-9
        if self._source_ended and quiet_s > END_S:
            return None
        self._n += 1
        expression = self._at(self._playback, now_ns * 1e-9)
        if not self._alone and (not self._spoke or quiet_s > LINGER_S):
            return Expression.absent(self._n, now_ns)
        return replace(expression, captured_ns=now_ns)

    def close(self) -> None:
        """Break off softly, end the command and close the output; safe to call twice."""
        playback, loudspeaker = self._playback, self._loudspeaker
        if not self._closed.is_set() and playback is not None and not playback.idle:
            self.stop_saying()
            if loudspeaker is not None and loudspeaker.playing:
                threading.Event().wait(_FADE_OUT_S)
        self._closed.set()
        self._script.close()
        self._source.close()
        if self._speaker is not None:
            self._speaker.close()
        if self._loudspeaker is not None:
            self._loudspeaker.stop()
        super().close()

    def _wait(self) -> int:
        """Wait until the next expression is due; return the time."""
        while not self._closed.is_set() and (left_ns := self._due_ns - self._clock.now_ns()) > 0:
            self._clock.sleep_s(min(_SLICE_S, left_ns * 1e-9))
        now_ns = self._clock.now_ns()
        # After a pause of the machine nothing is made up for.
        self._due_ns = max(self._due_ns + self._period_ns, now_ns - self._period_ns)
        return now_ns

    def _at(self, playback: Playback, now_s: float) -> Expression:
        """The face that is to be seen when what is played at now + delay is heard."""
        seen_s = now_s + self._delay_s()
        loudspeaker = self._loudspeaker
        playback.held = loudspeaker is not None and loudspeaker.opening
        if loudspeaker is None or not loudspeaker.playing:
            playback.run_to(seen_s)
        self._face_s = max(self._face_s, playback.face_s(seen_s))
        self._face.hear(self._in_a_room(playback.hear(self._face_s)))
        return self._face.at(self._face_s, self._n)

    def _in_a_room(self, sound: F32) -> F32:
        return sound + np.float32(ROOM) * self._room.standard_normal(len(sound), np.float32)

    def _now_s(self) -> float:
        return self._clock.now_ns() * 1e-9

    def _delay_s(self) -> float:
        picture_s = self._picture_s()
        known_s = USUAL_DELAY_S if picture_s is None else picture_s
        return min(max(0.0, known_s), MOST_DELAY_S) + ALLOWANCE_S

    def _hear(self, line: str) -> None:
        """Do what a line says."""
        stripped = line.strip()
        if stripped.lower() == STOP or (not stripped and not self._source.waits):
            self.stop_saying()
        elif stripped.startswith("//"):
            self._script.put(stripped[1:], waits=self._source.waits)
        elif stripped.startswith("/"):
            self._tell_unknown(stripped)
        else:
            self._script.put(stripped, waits=self._source.waits)

    def _tell_unknown(self, line: str) -> None:
        if not self._unknown_told:
            self._unknown_told = True
            log.warning(
                "Got %r from %s; expected text, or %s. Begin text with two slashes to have one of them read.",
                line[:40],
                self._source.description,
                STOP,
            )

    def _end(self) -> None:
        self._source_ended = True
