"""Sound as microphones, rooms, telephones and noisy places leave it; and people of other pitch and speed."""

from __future__ import annotations

import numpy as np

from facepuppet.core import F32, F64
from facepuppet.voice import RATE_HZ

SPEEDS = (0.88, 1.14)


def at_speed(sound: F32, speed: float) -> F32:
    """Return it faster and higher, or slower and lower: another person, as far as bands can tell."""
    at = np.arange(round(len(sound) / speed)) * speed
    return np.interp(at, np.arange(len(sound)), sound).astype(np.float32)


def spoilt(sound: F32, chance: np.random.Generator, noises: list[F32]) -> F32:
    """Return it through a chance room, noise, telephone and level.

    Args:
        sound: (n,) clean, at 16 kHz.
        chance: what is done.
        noises: pieces that may lie under it, at 16 kHz.
    """
    made = sound.astype(np.float64)
    made = made / max(float(np.sqrt(np.mean(made**2))), 1e-6) * 0.1
    if chance.random() < 0.35:
        made = _in_a_room(made, chance)
    if chance.random() < 0.4:
        made = _tilted(made, chance)
    if chance.random() < 0.7:
        made = made + _noise(len(made), chance, noises) * 10 ** (-chance.uniform(3.0, 35.0) / 20.0) * 0.1
    if chance.random() < 0.2:
        made = _band(made, 300.0, 3400.0)
        if chance.random() < 0.5:
            made = np.round(made * 64.0) / 64.0 if chance.random() < 0.3 else made
    gain = 10 ** (chance.uniform(-30.0, 12.0) / 20.0)
    return np.asarray(np.clip(made * gain, -1.0, 1.0), np.float32)


def _in_a_room(sound: F64, chance: np.random.Generator) -> F64:
    from scipy.signal import fftconvolve

    reverberation_s = chance.uniform(0.1, 0.6)
    n = round(reverberation_s * RATE_HZ)
    tail = chance.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n)
    tail *= chance.uniform(0.1, 0.6) / np.sqrt((tail**2).sum())
    tail[0] += 1.0
    return np.asarray(fftconvolve(sound, tail)[: len(sound)])


def _tilted(sound: F64, chance: np.random.Generator) -> F64:
    spectrum = np.fft.rfft(sound)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(sound), 1.0 / RATE_HZ), 50.0) / 1000.0)
    db = chance.uniform(-4.0, 4.0) * octaves + chance.uniform(-4, 4) * np.cos(
        octaves * chance.uniform(1.0, 3.0)
    )
    return np.asarray(np.fft.irfft(spectrum * 10 ** (np.clip(db, -20, 20) / 20.0), len(sound)))


def _band(sound: F64, low_hz: float, high_hz: float) -> F64:
    spectrum = np.fft.rfft(sound)
    hz = np.fft.rfftfreq(len(sound), 1.0 / RATE_HZ)
    spectrum[(hz < low_hz) | (hz > high_hz)] = 0.0
    return np.asarray(np.fft.irfft(spectrum, len(sound)))


def _noise(n: int, chance: np.random.Generator, noises: list[F32]) -> F64:
    """Noise of rms 1: coloured, a chord, or a piece of those given."""
    kind = chance.integers(0, 4 if noises else 2)
    if kind == 0:
        spectrum = np.fft.rfft(chance.standard_normal(n))
        spectrum /= np.maximum(np.arange(len(spectrum)), 1.0) ** chance.uniform(0.0, 1.0)
        made = np.fft.irfft(spectrum, n)
    elif kind == 1:
        t_s = np.arange(n) / RATE_HZ
        root = chance.uniform(80.0, 300.0)
        made = np.zeros(n)
        for ratio in (1.0, 1.25, 1.5, 2.0, 3.0, 4.0):
            beat = 0.5 + 0.5 * np.sign(
                np.sin(2 * np.pi * chance.uniform(0.5, 4.0) * t_s + chance.uniform(0, 6.3))
            )
            made += beat * np.sin(2 * np.pi * root * ratio * t_s + chance.uniform(0, 6.3)) / ratio
    else:
        piece = noises[int(chance.integers(0, len(noises)))]
        made = np.resize(np.roll(piece, int(chance.integers(0, len(piece)))), n).astype(np.float64)
    return np.asarray(made / max(float(np.sqrt(np.mean(made**2))), 1e-6))
