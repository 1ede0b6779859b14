"""A session's sound: what its peer says, as late as the puppet's pictures, and what a made voice says.

track, or samples on the data channel → ears (a voice's driver listens)
                                      → Passage, which delays ┐
a Loudspeaker's fill, of a driver that reads out ─────────────┴→ SoundBlocks → a track for each peer
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCRtpReceiver
from aiortc.mediastreams import MediaStreamError

from facepuppet.core.errors import ServerError
from facepuppet.core.types import F32
from facepuppet.drivers.voice.voice_setup import Listener
from facepuppet.server.heard_track import HeardTrack
from facepuppet.server.packets_held import hold_less
from facepuppet.server.sent_samples import SentSamples
from facepuppet.server.sound_blocks import SoundBlocks, SoundTrack
from facepuppet.sound.loudspeaker import OutputSystem
from facepuppet.sound.passage import Passage
from facepuppet.sound.sound_system import RATE_HZ, ConnectOutput, Fill, OpenOutput

MAX_DELAY_S = 2.0
_LOOK_BLOCKS = 10  # after so many it is asked how late pictures are

log = logging.getLogger(__name__)


class PeerEars:
    """What a `MicDriver` listens to: the peer's voice, wherever it comes from.

    Attributes:
        muted: whoever hears it hears silence.
        listeners: called with each block (n,), its rate in Hz, and when it ended on time.monotonic().
    """

    def __init__(self) -> None:
        self.muted = False
        self.listeners: tuple[Listener, ...] = ()

    def hear(self, sound: F32, rate_hz: float, ended_s: float) -> None:
        """Tell every listener; one that fails hears no more."""
        for listener in self.listeners:
            try:
                listener(sound, rate_hz, ended_s)
            except Exception:  # it would end the track
                log.exception("a listener of a peer's voice failed and hears no more")
                self.listeners = tuple(one for one in self.listeners if one is not listener)


class PeerSound:
    """The sound of one session, from any number of threads and one event loop.

    Args:
        picture_s: asked a few times a second for how late pictures are, from when one came in until it goes
            out; None while nobody knows.
        passed: whether the peer's own sound goes on to those who hear the puppet.

    Attributes:
        picture_s: as given.
        ears: the peer's voice.
        system: what a `Loudspeaker` plays on; goes out in the tracks.
        newest_ns: when sound of the peer came last, on time.monotonic_ns(); 0 before.
    """

    def __init__(self, picture_s: Callable[[], float | None], *, passed: bool) -> None:
        self.picture_s = picture_s
        self.ears = PeerEars()
        self.newest_ns = 0
        self._passed = passed
        self._passage: Passage | None = None
        self._rate_hz = 0
        self._wanted_s = 0.0
        self._samples = SentSamples()
        self._tracked = False  # a track is heard, and samples are not
        self._n_blocks = 0
        self._outputs = PeerOutputs()
        self._blocks = SoundBlocks(self._fill)
        self._outputs.start = self._blocks.start
        self.system: OutputSystem = self._outputs

    @property
    def muted(self) -> bool:
        """Whether silence goes on in place of the peer's voice, and drives."""
        return self.ears.muted

    @muted.setter
    def muted(self, muted: bool) -> None:
        self.ears.muted = muted

    def to_json(self) -> dict[str, Any]:
        """Return how it stands, as plain values: what is asked of a microphone elsewhere."""
        late_s = self.late_s
        return {
            "muted": self.muted,
            "wanted_s": round(self._wanted_s, 4),
            "measured_s": None if late_s is None else round(self._wanted_s + late_s, 4),
        }

    @property
    def late_s(self) -> float | None:
        """How much later than the pictures the peer's sound goes out now; None while none does."""
        passage = self._passage
        measured_s = None if passage is None else passage.measured_s
        return None if measured_s is None else measured_s - self._wanted_s

    async def hear(self, track: MediaStreamTrack, receiver: RTCRtpReceiver | None = None) -> None:
        """Hear a track until it ends; while one is heard, others are read and left out.

        Args:
            track: of sound.
            receiver: of this track, which is asked to hold less back (`packets_held`).
        """
        first, self._tracked = not self._tracked, True
        heard = HeardTrack(hold_less(receiver))
        try:
            while True:
                frame = await track.recv()
                self.newest_ns = time.monotonic_ns()
                if first and isinstance(frame, av.AudioFrame):
                    for sound, ended_s in heard.take(frame, time.monotonic()):
                        self._hear(sound, frame.sample_rate, ended_s)
                await asyncio.sleep(0)  # a burst must not hold up the loop's other peers
        except MediaStreamError:
            return
        finally:
            self._tracked = self._tracked and not first

    def hear_samples(self, pcm: bytes) -> None:
        """Hear samples of the data channel, at the pace of speech: s16le, mono, 48 kHz.

        Raises:
            ServerError: they are none, more than 100 ms at once, more than can wait, or a track is heard.
        """
        if self._tracked:
            raise ServerError("sound on the data channel", "that of the track alone", "Send one of both.")
        self._samples.put(pcm)
        self.newest_ns = time.monotonic_ns()
        self._blocks.start()

    def track(self) -> MediaStreamTrack:
        """Return a new track of what is heard of the puppet, for one peer."""
        self._blocks.start()
        return SoundTrack(self._blocks)

    def close(self) -> None:
        """End every track, and forget what waits; whoever plays or listens here is closed before."""
        self._blocks.close()
        self.ears.listeners = ()

    def _hear(self, sound: F32, rate_hz: int, ended_s: float) -> None:
        """Take in a block of the peer's voice; blocks come one after another."""
        self.ears.hear(sound, rate_hz, ended_s)
        if not self._passed:
            return
        if self._passage is None or self._rate_hz != rate_hz:
            passage = Passage(rate_hz, RATE_HZ)
            passage.wanted_s = self._wanted_s
            self._passage, self._rate_hz = passage, rate_hz
        self._passage.capture(sound, ended_s)

    def _fill(self, out: F32, starts_s: float) -> None:
        """Make the next block of what is heard of the puppet."""
        if self._n_blocks % _LOOK_BLOCKS == 0:
            picture_s = self.picture_s()
            if picture_s is not None:
                self._wanted_s = min(max(0.0, picture_s), MAX_DELAY_S)
        self._n_blocks += 1
        sound = None if self._tracked else self._samples.take(len(out))
        if sound is not None:
            self._hear(sound, RATE_HZ, time.monotonic())
        passage = self._passage
        if passage is not None:
            passage.wanted_s, passage.muted = self._wanted_s, self.ears.muted
            passage.play(out, starts_s)
        self._outputs.add_to(out, starts_s)


class PeerOutputs:
    """What loudspeakers take for a sound system: each output of it is heard by every peer.

    Attributes:
        start: called when one is opened.
    """

    def __init__(self) -> None:
        self.start: Callable[[], None] = lambda: None
        self._fills: tuple[Fill, ...] = ()

    def open_output(self, sink: str, latency_s: float, connect: ConnectOutput) -> OpenOutput:
        """Open an output; neither its word nor how much it may hold matters."""
        fill = connect(RATE_HZ)
        self._fills = (*self._fills, fill)
        self.start()
        return _PeerOutput(lambda: self._forget(fill))

    def add_to(self, out: F32, starts_s: float) -> None:
        """Add what every open output is to play now."""
        for fill in self._fills:
            played = np.zeros_like(out)
            fill(played, starts_s)
            out += played

    def _forget(self, fill: Fill) -> None:
        self._fills = tuple(one for one in self._fills if one is not fill)


class _PeerOutput:
    sink, lost = "those who hear the puppet", ""

    def __init__(self, close: Callable[[], None]) -> None:
        self.close = close
