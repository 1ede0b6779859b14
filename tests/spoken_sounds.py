"""Sounds of voices made here: vowels, syllables, notes, silence; and espeak-ng's where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from facepuppet.core.types import F32
from facepuppet.voice import RATE_HZ, Hearing, PlainMouth, VoiceFrame

ATTACK_S = 0.03


def silence(seconds: float) -> F32:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def vowel(seconds: float, hz: float | tuple[float, float] = 120.0, loud: float = 0.1) -> F32:
    """Harmonics of a pitch, or of one that glides from the first to the second, with soft ends."""
    n = round(seconds * RATE_HZ)
    first, last = hz if isinstance(hz, tuple) else (hz, hz)
    phase = 2.0 * np.pi * np.cumsum(np.linspace(first, last, n)) / RATE_HZ
    wave_ = sum(np.sin(k * phase) / k for k in range(1, 16))
    edge = np.minimum(np.arange(n), np.arange(n)[::-1]) / (ATTACK_S * RATE_HZ)
    return np.asarray(loud * wave_ * np.minimum(edge, 1.0), np.float32)


def syllables(
    n: int, every_s: float = 0.24, hz: float = 120.0, stressed: Sequence[int] = (), loud: float = 0.07
) -> F32:
    """So many bursts in a row; stressed ones are twice as loud and a third higher."""
    parts = []
    for i in range(n):
        voiced_s = 0.6 * every_s
        out = i in stressed
        parts += [
            vowel(voiced_s, 1.3 * hz if out else hz, 2.2 * loud if out else loud),
            silence(every_s - voiced_s),
        ]
    return np.concatenate(parts)


def phrases(n: int, pause_s: float = 0.6) -> F32:
    """Phrases of nine syllables each, the third and seventh stressed, with pauses between them."""
    return np.concatenate(
        [np.concatenate([syllables(9, stressed=(2, 6)), silence(pause_s)]) for _ in range(n)]
    )


def frames_of(sound: F32) -> list[VoiceFrame]:
    """What is heard of a sound without any network, which knows nothing of buzzes."""
    return Hearing(PlainMouth()).feed(sound)


def spoken(text: str, folder: Path) -> F32:
    """Speech of espeak-ng at 16 kHz; skips where it is not installed (Debian: espeak-ng)."""
    program = shutil.which("espeak-ng")
    if program is None:
        pytest.skip("needs espeak-ng")
    path = folder / "speech.wav"
    subprocess.run([program, "-v", "en-us", "-w", str(path), text], check=True)
    with wave.open(str(path)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768.0
    n = len(samples) * RATE_HZ // rate
    at = np.arange(n) * rate / RATE_HZ
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
