"""Held notes: what made and recorded speech has next to none of, and singing is made of.

A buzz with vibrato through the formants of a vowel, between pauses and consonants that shut the lips.
Formants are the means of men of G. Peterson, H. Barney, "Control methods used in a study of the
vowels", 1952; those of others are scaled.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

import numpy as np

from engines.voice.espeak import Phone, Spoken
from facepuppet.core import F32, F64
from facepuppet.voice import RATE_HZ

FORMANTS_HZ = MappingProxyType(
    {
        "i": (270, 2290, 3010),
        "ɛ": (530, 1840, 2480),
        "ɑ": (730, 1090, 2440),
        "ɔ": (570, 840, 2410),
        "u": (300, 870, 2240),
    }
)
_WIDTHS_HZ = (80.0, 100.0, 140.0)
_FADE_S = 0.03


def sung_lines(n: int, seed: int) -> Iterator[tuple[str, Spoken]]:
    """Yield lines of held notes, each by a singer of its own."""
    for number in range(n):
        chance = np.random.default_rng((seed, number))
        yield f"singer {number}", _line(chance)


def _line(chance: np.random.Generator) -> Spoken:
    size, base_hz = chance.uniform(0.95, 1.25), chance.uniform(90.0, 350.0)
    pieces: list[F32] = []
    phones: list[Phone] = []
    at_s = 0.0
    for _ in range(chance.integers(3, 7)):
        lasts_s = float(chance.uniform(0.08, 0.5))
        shut = chance.random() < 0.5
        phones.append(Phone("m" if shut else "", at_s))
        pitch_hz = base_hz * 2 ** (chance.integers(-5, 8) / 12)
        hum = note("u", lasts_s, pitch_hz, size, chance) * 0.08
        pieces.append(hum if shut else np.zeros_like(hum))
        at_s += lasts_s
        vowel, lasts_s = str(chance.choice(list(FORMANTS_HZ))), float(chance.uniform(0.4, 2.5))
        phones.append(Phone(vowel, at_s))
        pieces.append(note(vowel, lasts_s, pitch_hz, size, chance))
        at_s += lasts_s
    phones.append(Phone("", at_s))
    pieces.append(np.zeros(RATE_HZ // 5, np.float32))
    return Spoken(np.concatenate(pieces), RATE_HZ, tuple(phones))


def note(vowel: str, lasts_s: float, pitch_hz: float, size: float, chance: np.random.Generator) -> F32:
    """Return one held note, (n,) at 16 kHz.

    Args:
        vowel: of FORMANTS_HZ.
        lasts_s: how long.
        pitch_hz: how high.
        size: of formants against a man's.
        chance: vibrato and level.
    """
    t_s: F64 = np.arange(round(lasts_s * RATE_HZ)) / RATE_HZ
    vibrato = chance.uniform(0.0, 0.02) * np.sin(2 * np.pi * chance.uniform(4.5, 6.5) * t_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz * (1.0 + vibrato)) / RATE_HZ
    sound = np.zeros_like(t_s)
    for harmonic in range(1, int(4500.0 / pitch_hz) + 1):
        hz = harmonic * pitch_hz
        near = [
            level / (1.0 + ((hz - size * formant_hz) / width_hz) ** 2)
            for level, formant_hz, width_hz in zip(
                (1.0, 0.6, 0.3), FORMANTS_HZ[vowel], _WIDTHS_HZ, strict=True
            )
        ]
        sound += (0.01 + sum(near)) / harmonic**0.5 * np.sin(harmonic * phase)
    fade = np.clip(np.minimum(t_s, lasts_s - t_s) / _FADE_S, 0.0, 1.0)
    return np.asarray(0.2 * fade * sound / max(float(np.abs(sound).max(initial=0.0)), 1e-9), np.float32)
