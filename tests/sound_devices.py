"""Sound devices whose clocks are wrong by a known amount, in simulated time, for tests of sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facepuppet.sound.passage import Passage

RATE_HZ = 48_000
BLOCK = 480
F32 = NDArray[np.float32]
Signal = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass
class Device:
    """A device whose clock is `ppm` fast, which calls up to `late_s` late and delays sound by `holds_s`."""

    ppm: float = 0.0
    late_s: float = 0.002
    holds_s: float = 0.0
    rate_hz: float = RATE_HZ

    def times_s(self, seconds: float, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """When each block begins by its own clock, and when the program is called for it."""
        period_s = round(self.rate_hz * 0.01) / (self.rate_hz * (1 + 1e-6 * self.ppm))
        begins_s = np.arange(round(seconds / period_s)) * period_s
        late_s = np.random.default_rng(seed).uniform(0, self.late_s, len(begins_s))
        return begins_s, np.maximum.accumulate(begins_s + late_s)


@dataclass
class Played:
    """What an output played: samples, and when the first of each block was heard."""

    sound: F32
    starts_s: NDArray[np.float64]

    def time_s(self, index: int) -> float:
        """When a sample was heard."""
        block, rest = divmod(index, BLOCK)
        return float(self.starts_s[block]) + rest / RATE_HZ


def play_through(
    passage: Passage,
    signal: Signal,
    seconds: float,
    microphone: Device,
    output: Device,
    at: dict[float, Callable[[], None]] | None = None,
    silent: tuple[float, float] = (0.0, 0.0),
) -> Played:
    """Run a passage between two devices.

    Args:
        passage: what is tested.
        signal: the sound at true times.
        seconds: to run.
        microphone: hands its blocks over when they have ended, told without an error.
        output: asks for a block `holds_s` before it is heard.
        at: what to do at which time.
        silent: between these times the microphone gives no block.
    """
    n = round(microphone.rate_hz * 0.01)
    step_s = 1 / (microphone.rate_hz * (1 + 1e-6 * microphone.ppm))
    begins_s, called_s = microphone.times_s(seconds, 1)
    events: list[tuple[float, Callable[[], None]]] = []
    for begin_s, call_s in zip(begins_s, called_s + n * step_s, strict=True):
        if not silent[0] <= begin_s < silent[1]:
            sound = signal(begin_s + step_s * np.arange(n)).astype(np.float32)
            ended_s = begin_s + n * step_s
            events.append((call_s, lambda sound=sound, ended_s=ended_s: passage.capture(sound, ended_s)))
    out_s, asked_s = output.times_s(seconds, 2)
    blocks = [np.zeros(BLOCK, np.float32) for _ in out_s]
    for block, heard_s, ask_s in zip(blocks, out_s + output.holds_s, asked_s, strict=True):
        events.append((ask_s, lambda block=block, heard_s=heard_s: passage.play(block, heard_s)))
    events += list((at or {}).items())
    for _, act in sorted(events, key=lambda event: event[0]):
        act()
    return Played(np.concatenate(blocks), out_s + output.holds_s)


def clicks(times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """A bump of a millisecond at the start of each half second."""
    phase = times_s % 0.5
    return np.where(phase < 0.001, 0.5 * np.sin(np.pi * phase / 0.001) ** 2, 0.0)


def delays_s(played: Played) -> NDArray[np.float64]:
    """Time and delay of each click of `clicks` that was heard, (n, 2) in s; delays below half a second."""
    loud = np.flatnonzero(np.abs(played.sound) > 0.2)
    firsts = loud[np.diff(loud, prepend=-RATE_HZ) > 0.1 * RATE_HZ]
    tops = [first + int(np.abs(played.sound[first : first + 60]).argmax()) for first in firsts]
    heard_s = np.array([played.time_s(top) for top in tops])
    return np.column_stack([heard_s, (heard_s - 0.0005) % 0.5])


TONE_HZ, TONE = 440.0, 0.5


def tone(times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """A steady tone: whatever steps in it is heard as a click."""
    return TONE * np.sin(2 * np.pi * TONE_HZ * times_s)


def roughness(sound: F32) -> float:
    """The largest second difference of a tone, 1 being that of the tone itself at its top."""
    bend = TONE * (2 * np.pi * TONE_HZ / RATE_HZ) ** 2
    return float(np.abs(np.diff(sound.astype(float), 2)).max() / bend)
