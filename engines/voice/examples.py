"""What the network learns from: features of sound as it may come in, and what lips do at those moments."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engines.voice.augment import at_speed, spoilt
from engines.voice.espeak import Phone, Spoken
from engines.voice.phones import GRID_HZ, kinds_of, lips_of
from engines.voice.take import Take
from facepuppet.core import F32, F64
from facepuppet.face import (
    ARKIT_INDEX,
    LOWER_LIP_INNER,
    MOUTH_CORNERS,
    UPPER_LIP_INNER,
    canonical_landmarks,
    landmark_basis,
    mouth_gap,
    mouth_width,
)
from facepuppet.voice import MOUTH_SHAPES, RATE_HZ, VoiceSpectrum, frame_times_s

_LIPS = (int(UPPER_LIP_INNER[5]), int(LOWER_LIP_INNER[5]))
QUIET_DB = 12.0  # over the floor of clean sound: below it nobody speaks
REACH_S = 0.08  # lips move so long before sound begins and after it ends


@dataclass(frozen=True, slots=True)
class Example:
    """One stretch of sound and its truth, step by step.

    Attributes:
        name: whose it is: of all examples of one name, all are trained on or none.
        features: (k, 81) of the product's own spectrum.
        mouth: (k, 13) weights of MOUTH_SHAPES.
        gap, width: (k,) of the lips, beyond those at rest.
        speaking: (k,) 1 where somebody speaks.
        shut: (k,) 1 where phones say that lips meet.
        filmed: whether the truth is a film's, or else phones'.
    """

    name: str
    features: F32
    mouth: F32
    gap: F32
    width: F32
    speaking: F32
    shut: F32
    filmed: bool


def of_take(
    take: Take, person: str, chance: np.random.Generator, noises: list[F32], *, clean: bool
) -> Example:
    """Return a clip's example, its sound as it is or spoilt."""
    speed = 1.0 if clean else float(chance.uniform(0.92, 1.08))
    sound = take.sound if clean else spoilt(at_speed(take.sound, speed), chance, noises)
    features, _ = VoiceSpectrum().feed(sound)
    t_s = frame_times_s(len(features)) * speed
    mouth = np.stack(
        [take.weights[:, [ARKIT_INDEX[n] for n in names]].mean(1) for names in MOUTH_SHAPES.values()], 1
    )
    known = [np.interp(t_s, take.t_s, values).astype(np.float32) for values in (take.gap, take.width)]
    weights = np.stack([np.interp(t_s, take.t_s, row) for row in mouth.T], 1).astype(np.float32)
    seen = (t_s >= take.t_s[0] - 0.05) & (t_s <= take.t_s[-1] + 0.05)
    speaking = _speaking(take.sound, t_s)
    gap, width = (values[seen] for values in known)
    shut = np.zeros(int(seen.sum()), np.float32)
    return Example(person, features[seen], weights[seen], gap, width, speaking[seen], shut, True)


def of_spoken(
    spoken: Spoken,
    voice: str,
    chance: np.random.Generator,
    noises: list[F32],
    *,
    burst_lead_s: float,
    clean: bool,
) -> Example:
    """Return the example of speech whose phones are known, with pauses before and after it."""
    sound, phones = _with_pauses(at_16k(spoken), chance)
    if not clean:
        speed = float(chance.uniform(0.88, 1.14))
        phones = tuple(replace(phone, start_s=phone.start_s / speed) for phone in phones)
        sound = at_speed(sound, speed)
    kinds = kinds_of(phones, len(sound) / RATE_HZ, burst_lead_s=burst_lead_s)
    lips = lips_of(kinds)
    gap, width = measures_of(lips)
    features, _ = VoiceSpectrum().feed(sound if clean else spoilt(sound, chance, noises))
    at = np.clip(np.round(frame_times_s(len(features)) * GRID_HZ - 0.5), 0, len(kinds) - 1).astype(int)
    talking = _speaking(sound, frame_times_s(len(features)))
    shut = np.array([kind == "shut" for kind in kinds], np.float32)
    return Example(voice, features, lips[at], gap[at], width[at], talking, shut[at], False)


def of_noise(chance: np.random.Generator, noises: list[F32]) -> Example:
    """Return the example of sound in which nobody speaks."""
    sound = spoilt(1e-4 * chance.standard_normal(6 * RATE_HZ).astype(np.float32), chance, noises)
    features, _ = VoiceSpectrum().feed(sound)
    nothing = np.zeros(len(features), np.float32)
    mouth = np.zeros((len(features), len(MOUTH_SHAPES)), np.float32)
    return Example("noise", features, mouth, nothing, nothing, nothing, nothing, False)


def measures_of(lips: F32) -> tuple[F32, F32]:
    """Return how far weights (n, 13) open and widen the mean face's mouth, each (n,)."""
    upper, lower, right, left = (_points(lips, index) for index in (*_LIPS, *MOUTH_CORNERS.tolist()))
    apart = lower - upper
    gap = np.where(apart[:, 1] > 0.0, np.hypot(apart[:, 0], apart[:, 1]), 0.0)  # lips that cross meet
    width = np.linalg.norm(left - right, axis=1)
    mean = canonical_landmarks()
    return (
        np.asarray(gap - mouth_gap(mean), np.float32),
        np.asarray(width - mouth_width(mean), np.float32),
    )


def _points(lips: F32, index: int) -> F64:
    """Where weights (n, 13) take a landmark, (n, 3), as `compose_landmarks` before lips meet."""
    basis = np.stack(
        [landmark_basis()[[ARKIT_INDEX[n] for n in names], index].sum(0) for names in MOUTH_SHAPES.values()]
    )
    return np.asarray(canonical_landmarks()[index] + lips @ basis)


def _speaking(clean: F32, t_s: F64) -> F32:
    """1 where clean sound is loud, and a little before and after."""
    _, loudness = VoiceSpectrum().feed(clean)
    times = frame_times_s(len(loudness)) + 0.0425  # of the windows' middle
    loud = times[loudness > QUIET_DB]
    if not len(loud):
        return np.zeros(len(t_s), np.float32)
    at = np.searchsorted(loud, t_s)
    nearest = np.minimum(
        np.abs(loud[np.clip(at, 0, len(loud) - 1)] - t_s),
        np.abs(loud[np.clip(at - 1, 0, len(loud) - 1)] - t_s),
    )
    return np.asarray(nearest < REACH_S, np.float32)


def at_16k(spoken: Spoken) -> Spoken:
    """Return speech at 16 kHz."""
    from scipy.signal import resample_poly

    if spoken.rate_hz == RATE_HZ:
        return spoken
    sound = resample_poly(spoken.sound, RATE_HZ, spoken.rate_hz).astype(np.float32)
    return Spoken(sound, RATE_HZ, spoken.phones)


def _with_pauses(spoken: Spoken, chance: np.random.Generator) -> tuple[F32, tuple[Phone, ...]]:
    before, after = (round(float(chance.uniform(0.2, 1.2)) * RATE_HZ) for _ in range(2))
    sound = np.concatenate([np.zeros(before, np.float32), spoken.sound, np.zeros(after, np.float32)])
    sound = sound + 1e-4 * chance.standard_normal(len(sound)).astype(np.float32)
    moved = tuple(replace(phone, start_s=phone.start_s + before / RATE_HZ) for phone in spoken.phones)
    return sound, (*moved, Phone("", (before + len(spoken.sound)) / RATE_HZ))
