"""The microphone through a show: opened, watched, opened again; whatever happens to it, the show goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import asdict
from types import TracebackType
from typing import Any

from facepuppet.core.errors import SoundError
from facepuppet.sound.capture import Capture
from facepuppet.sound.level_meter import LevelMeter
from facepuppet.sound.passage import F32, Passage
from facepuppet.sound.sound_state import SoundState
from facepuppet.sound.sound_system import LATENCY_S, MAX_LATENCY_S, Fill, Heard, SoundSystem, Streams
from facepuppet.sound.stream_watch import StreamWatch

LOOK_S = 0.2  # how often the devices and the picture's delay are looked at
RETRY_S = 0.5  # between attempts to open
MAX_DELAY_S = 2.0
CALM_S, MOST_CALM_S = 60.0, 960.0  # in time for so long, and devices need not hold more than at first
PATIENCE_S = 5.0  # with a sound system that does not let go

Listener = Callable[[F32, float, float], None]

log = logging.getLogger(__name__)


class Microphone:
    """Passes a microphone on to an output with the picture's delay, or only listens, from `start` to `stop`.

        with Microphone("default", "facepuppet", PortAudio(), lambda: 0.05) as microphone:
            ...

    Nothing raises: what goes wrong is logged once, is in `state`, and is tried again until it works.

    Args:
        source: word for the microphone (`endpoints.find_endpoint`).
        sink: word for the output; None to listen alone.
        system: what opens them.
        delay_s: asked a few times a second for the delay to have; None while it is not known.

    Attributes:
        muted: set it to send silence, faded in and out.
        slips: how often this program was not in time for a device; what is heard then may click.
        listeners: called from a thread of the sound system with each block of the microphone, (n,) full
            scale ±1, its rate in Hz, and when it ended on time.monotonic(), whether muted or not; they must
            neither keep the block nor wait.
    """

    def __init__(
        self, source: str, sink: str | None, system: SoundSystem, delay_s: Callable[[], float | None]
    ) -> None:
        self.listeners: tuple[Listener, ...] = ()
        self._words = source, sink
        self._system, self._delay_s = system, delay_s
        self._meter = LevelMeter()
        self._passage: Passage | Capture | None = None
        self._names: tuple[str, str] | None = None
        self._muted = False
        self._wanted_s = self._drift = 0.0
        self._problem = ""
        self._latency_s, self._calm_s = LATENCY_S, CALM_S
        self._opened = self._underruns = self.slips = 0
        self._told: set[str] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="sound", daemon=True)

    @property
    def muted(self) -> bool:
        """Whether silence is sent."""
        return self._muted

    @muted.setter
    def muted(self, muted: bool) -> None:
        self._muted = muted
        if self._passage is not None:
            self._passage.muted = muted

    @property
    def state(self) -> SoundState:
        """What is known at this moment; cheap, from any thread."""
        passage, names = self._passage, self._names or (self._words[0], self._words[1] or "")
        measured_s = None if passage is None else passage.measured_s
        return SoundState(
            source=names[0],
            sink=names[1],
            running=passage is not None and passage.flows,
            muted=self._muted,
            wanted_s=round(self._wanted_s, 4),
            measured_s=None if measured_s is None else round(measured_s, 4),
            drift_ppm=round(1e6 * (self._drift if passage is None else passage.drift), 1),
            peak_dbfs=round(self._meter.peak_dbfs, 1),
            clipped=self._meter.clipped,
            underruns=self._underruns + (0 if passage is None else passage.underruns),
            restarts=max(0, self._opened - 1),
            problem=self._problem,
        )

    def to_json(self) -> dict[str, Any]:
        """Return `state` as plain values, for pages and programs."""
        return asdict(self.state)

    def start(self) -> None:
        """Begin, in a thread; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Fade out, close the devices and wait for that; safe to call twice."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE_S)

    def __enter__(self) -> Microphone:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _keep(self) -> None:
        """Open the devices and watch them, again and again."""
        while not self._stopping.is_set():
            try:
                self._once()
            except SoundError as error:
                self._tell(str(error))
            except Exception as error:  # of a library; the show goes on without sound
                log.debug("sound failed", exc_info=error)
                self._tell(f"{type(error).__name__}: {error}")
            self._stopping.wait(RETRY_S)

    def _once(self) -> None:
        """Open the devices and stay until they fail or the show ends."""
        self._look_at_picture()
        waiting = threading.Timer(PATIENCE_S, self._tell, ["the sound system does not answer; still waiting"])
        waiting.start()
        try:
            streams = self._system.open(*self._words, self._latency_s, self._connect)
        finally:
            waiting.cancel()
        self._names = streams.source, streams.sink
        self._opened += 1
        try:
            self._watch(streams)
            self._fade_out()
        finally:
            passage = self._passage
            streams.close()
            if passage is not None:
                self._drift, self._underruns = passage.drift, self._underruns + passage.underruns
            self._passage = None

    def _connect(self, in_hz: float, out_hz: float) -> tuple[Heard, Fill]:
        passage: Passage | Capture
        if self._words[1] is None:
            passage = Capture(in_hz, self._meter, self._drift)
        else:
            passage = Passage(in_hz, out_hz, self._meter, self._drift)
        passage.muted, passage.wanted_s = self._muted, self._wanted_s
        self._passage = passage

        def heard(sound: F32, ended_s: float) -> None:
            passage.capture(sound, ended_s)
            for listener in self.listeners:
                try:
                    listener(sound, in_hz, ended_s)
                except Exception:  # it would end the stream
                    log.exception("a listener of the microphone failed and hears no more")
                    self.listeners = tuple(one for one in self.listeners if one is not listener)

        return heard, passage.play

    def _watch(self, streams: Streams) -> None:
        """Stay while both devices live and the machine keeps pace; raise what has ended one of them."""
        passage, watch = self._passage, StreamWatch((streams.source, streams.sink))
        assert passage is not None
        while not self._stopping.wait(LOOK_S):
            self._look_at_picture()
            passage.wanted_s = self._wanted_s
            if passage.flows:
                self._well()
            self._look_at_level()
            self.slips = streams.slips
            watch.look((passage.captures, passage.plays), streams.slips, LOOK_S)
            if told := streams.lost:
                raise SoundError(told, "a device that stays", "It is tried again until it works.")
            if self._adapts(watch):
                return

    def _adapts(self, watch: StreamWatch) -> bool:
        """Let devices hold more while the machine is late, and less again once it is not; tells if so.

        What they hold beyond what was asked for comes on top of the delay: it must not stay for ever.
        """
        if watch.hurried and self._latency_s < MAX_LATENCY_S:
            self._latency_s *= 2.0
        elif watch.calm_s >= self._calm_s and self._latency_s > LATENCY_S:
            self._latency_s = max(self._latency_s / 2.0, LATENCY_S)
            self._calm_s = min(2.0 * self._calm_s, MOST_CALM_S)  # each time it is opened anew is heard
        else:
            return False
        log.info("sound: devices hold %.2f s from now on", self._latency_s)
        return True

    def _look_at_picture(self) -> None:
        delay_s = self._delay_s()
        if delay_s is not None:
            self._wanted_s = min(max(0.0, delay_s), MAX_DELAY_S)

    def _look_at_level(self) -> None:
        if self._meter.clipped and "clipped" not in self._told:
            self._told.add("clipped")
            log.warning("sound: the microphone is too loud and is cut off; turn its level down")

    def _fade_out(self) -> None:
        """Let what is heard end softly."""
        if self._passage is not None and self._passage.measured_s is not None:
            self._passage.muted = True
            threading.Event().wait(_FADE_OUT_S)

    def _tell(self, problem: str) -> None:
        if problem not in (self._problem, ""):
            log.warning("sound: %s", problem)
        self._problem = problem

    def _well(self) -> None:
        if self._problem:
            log.warning("sound: works again")
            self._problem = ""


_FADE_OUT_S = 0.08  # the last block leaves, and the device plays what it holds
