"""What a face that follows a voice costs for each frame of 30 a second, on one core of this machine.

    python tools/voice_cost.py [SOUND.wav] [--seconds 30]

Told for gestures alone (head, eyes, brows, breath, mood; at most 0.3 ms) and for the whole SpeakingFace, from
sound to expression (at most 2 ms). CPU time counts, so that other work on the machine tells little. Without a
file (16 kHz, one channel, 16 bits) bursts of a buzz are heard.
"""

from __future__ import annotations

import argparse
import os
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from facepuppet.core import describe_hardware
from facepuppet.voice import RATE_HZ, Gestures, Hearing, SpeakingFace, VoiceManner

F32 = npt.NDArray[np.float32]
FPS = 30


def read_sound(path: Path) -> F32:
    """Return the samples (n,) of a sound file, full scale ±1."""
    with wave.open(str(path)) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE_HZ, 1, 2):
            raise SystemExit(f"{path}: expected 16 kHz, one channel, 16 bits")
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768.0


def buzz(seconds: float) -> F32:
    """Return four bursts a second of a voice's harmonics (n,), with a pause every three seconds."""
    t_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    hz = 120.0 + 20.0 * np.sin(2.0 * np.pi * 0.7 * t_s)
    phase = 2.0 * np.pi * np.cumsum(hz) / RATE_HZ
    voice = sum(np.sin(k * phase) / k for k in range(1, 20))
    loud = np.clip(np.sin(2.0 * np.pi * 4.0 * t_s) + 0.3, 0.0, 1.0) * (t_s % 3.0 < 2.3)
    return np.asarray(0.1 * loud * voice, np.float32)


def timed(frames: int, work: Callable[[int], object]) -> str:
    """Return the spread of what each frame takes, in words."""
    times_ms = np.empty(frames)
    for i in range(frames):
        begun_s = time.thread_time()
        work(i)
        times_ms[i] = (time.thread_time() - begun_s) * 1e3
    median, p95 = np.percentile(times_ms, [50, 95])
    return f"median {median:.3f} ms, p95 {p95:.3f} ms, mean {times_ms.mean():.3f} ms of {frames} frames"


def main() -> None:
    """Time both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sound", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    sound = read_sound(options.sound) if options.sound else buzz(options.seconds)
    machine = describe_hardware()
    print(f"{machine.cpu}, {machine.cores} cores, load {os.getloadavg()[0]:.1f} before")
    n = len(sound) * FPS // RATE_HZ
    ends = [(i + 1) * RATE_HZ // FPS for i in range(n)]

    heard = Hearing().feed(sound)
    gestures, manner = Gestures(VoiceManner(emotion=True)), VoiceManner(emotion=True)
    told = iter([*heard, None])
    following = next(told)

    def gesture(i: int) -> None:
        nonlocal following
        while following is not None and following.t_s < (i + 1) / FPS:
            gestures.hear(following, -12.0)
            following = next(told)
        gestures.at(i / FPS)

    face = SpeakingFace(manner)

    def speak(i: int) -> None:
        face.hear(sound[ends[i] - RATE_HZ // FPS if i == 0 else ends[i - 1] : ends[i]])
        face.at(max(i / FPS - 0.06, 0.0), i)

    with threadpool_limits(1):
        print("gestures   ", timed(n, gesture))
        print("whole face ", timed(n, speak))


if __name__ == "__main__":
    main()
