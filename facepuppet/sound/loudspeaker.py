"""An output for sound through a show: opened, watched, opened again; whatever happens, the show goes on."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facepuppet.core.errors import SoundError
from facepuppet.sound.sound_system import LATENCY_S, RATE_HZ, ConnectOutput, Fill, OpenOutput

F32 = NDArray[np.float32]

LOOK_S = 0.2  # how often the device is looked at
RETRY_S, MOST_RETRY_S = 1.0, 16.0  # between attempts to open, each twice as long as the one before
STALL_S = 0.3  # without a block, and nothing is heard
LOST_S = 2.0  # without a block, and it is opened anew
OPENING_S = 3.0  # that the first attempt may take
PATIENCE_S = 5.0  # with a sound system that does not let go
_CONVERTER = "sinc_fastest"

log = logging.getLogger(__name__)


class OutputSystem(Protocol):
    """What opens an output."""

    def open_output(self, sink: str, latency_s: float, connect: ConnectOutput) -> OpenOutput:
        """Open an output and start it; see `PortAudio.open_output`."""


class Loudspeaker:
    """Fetches sound for an output from `start` to `stop`.

    Nothing raises: what goes wrong is logged once and tried again until it works.

    Args:
        sink: word for the output (`endpoints.find_endpoint`).
        system: what opens it.
        fill: called from a thread of the sound system with a block (n,) at RATE_HZ to fill, and when that
            starts to be heard, on time.monotonic().
    """

    def __init__(self, sink: str, system: OutputSystem, fill: Fill) -> None:
        self._sink, self._system, self._fill = sink, system, fill
        self._problem = ""
        self._tried = False
        self._started_s = self._filled_s = -np.inf
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="loudspeaker", daemon=True)

    @property
    def opening(self) -> bool:
        """Whether it is not known yet if it plays."""
        return not self._tried and time.monotonic() - self._started_s < OPENING_S

    @property
    def playing(self) -> bool:
        """Whether it plays now."""
        return time.monotonic() - self._filled_s < STALL_S

    def start(self) -> None:
        """Begin, in a thread; returns at once."""
        self._started_s = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Close the device and wait for that; safe to call twice."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE_S)

    def __enter__(self) -> Loudspeaker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _keep(self) -> None:
        retry_s = RETRY_S
        while not self._stopping.is_set():
            try:
                self._once()
            except SoundError as error:
                self._tell(str(error))
            except Exception as error:  # of a library; the show goes on without sound
                log.debug("sound failed", exc_info=error)
                self._tell(f"{type(error).__name__}: {error}")
            retry_s = RETRY_S if self.playing else min(2.0 * retry_s, MOST_RETRY_S)
            self._tried = True
            self._stopping.wait(retry_s)

    def _once(self) -> None:
        """Open the device and stay until it fails or the show ends."""
        opened_s = time.monotonic()
        output = self._system.open_output(self._sink, LATENCY_S, self._connect)
        try:
            while not self._stopping.wait(LOOK_S):
                if self.playing:
                    self._tried = True
                    self._well()
                if output.lost:
                    raise SoundError(output.lost, "an output that stays", "It is tried again until it works.")
                if time.monotonic() - max(self._filled_s, opened_s) > LOST_S:
                    raise SoundError(
                        f"no more sound through '{output.sink}'",
                        "a device that works",
                        "It is tried again until it works.",
                    )
        finally:
            output.close()

    def _connect(self, hz: float) -> Fill:
        fill = self._fill if hz == RATE_HZ else _Converted(self._fill, hz)

        def filled(out: F32, starts_s: float) -> None:
            self._filled_s = time.monotonic()
            self._tried = True
            fill(out, starts_s)

        return filled

    def _tell(self, problem: str) -> None:
        if problem != self._problem:
            log.warning("sound: %s Until then nothing is heard, and the lips go by the clock.", problem)
        self._problem = problem

    def _well(self) -> None:
        if self._problem:
            log.warning("sound: works again")
            self._problem = ""


class _Converted:
    """Fills blocks of a device that has a rate of its own."""

    def __init__(self, fill: Fill, hz: float) -> None:
        from samplerate import Resampler

        self._fill, self._hz = fill, hz
        self._resampler = Resampler(_CONVERTER, 1)
        self._block = np.zeros(RATE_HZ // 100, np.float32)
        self._rest = np.zeros(0, np.float32)

    def __call__(self, out: F32, starts_s: float) -> None:
        while len(self._rest) < len(out):
            self._fill(self._block, starts_s + len(self._rest) / self._hz)
            made = self._resampler.process(self._block, self._hz / RATE_HZ)
            self._rest = np.concatenate([self._rest, made])
        out[:], self._rest = self._rest[: len(out)], self._rest[len(out) :]
