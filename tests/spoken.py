"""Sounds for tests of the voice, and files of them."""

from __future__ import annotations

import wave
from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from facepuppet.core.types import Blendshapes, Expression
from facepuppet.face import ARKIT_INDEX

Sound = NDArray[np.float32]
SHUT = 0.05  # of jawOpen; what is below is shut
PITCH_HZ, FORMANTS_HZ, WIDTH_HZ = 120.0, (700.0, 1220.0, 2600.0), 130.0  # a man's /a/


def vowel(seconds: float, rate_hz: int = 16_000, level: float = 0.3) -> Sound:
    """An /a/ that lasts, (n,)."""
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    sound = np.zeros(len(times_s))
    for harmonic in np.arange(PITCH_HZ, min(3800.0, rate_hz / 2), PITCH_HZ):
        near = [1.0 / (1.0 + ((harmonic - formant) / WIDTH_HZ) ** 2) for formant in FORMANTS_HZ]
        sound += (0.05 + max(near)) / (1.0 + harmonic / 500.0) * np.sin(2 * np.pi * harmonic * times_s)
    return (level * sound / np.abs(sound).max(initial=1e-9)).astype(np.float32)


def silence(seconds: float, rate_hz: int = 16_000) -> Sound:
    """Nothing, (n,)."""
    return np.zeros(round(seconds * rate_hz), np.float32)


def talk(rate_hz: int = 16_000) -> Sound:
    """Half a second of silence, half a second of /a/, half a second of silence."""
    return np.concatenate([silence(0.5, rate_hz), vowel(0.5, rate_hz), silence(0.5, rate_hz)])


def write_wav(path: Path, sound: Sound, rate_hz: int = 16_000, channels: int = 1) -> Path:
    """Write 16 bits, on every channel alike."""
    values = (32_767 * np.clip(sound, -1, 1)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.repeat(values[:, None], channels, 1).tobytes())
    return path


def write_sound(path: Path, codec: str, sound: Sound, rate_hz: int = 48_000, layout: str = "stereo") -> Path:
    """Write a file by FFmpeg's name of a codec."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz)
        stream.codec_context.layout = layout
        for frame in frames_of(sound, rate_hz, stream.codec_context):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def frames_of(sound: Sound, rate_hz: int, context: av.AudioCodecContext) -> Iterable[av.AudioFrame]:
    """Turn mono sound into what an encoder takes."""
    frame = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
    frame.sample_rate = rate_hz
    resampler = av.AudioResampler(context.format.name, context.layout.name, rate_hz)
    yield from resampler.resample(frame)
    yield from resampler.resample(None)


def jaw(expression: Expression) -> float:
    """How far a mouth is open, 0 to 1."""
    assert expression.face is not None and isinstance(expression.face.deformation, Blendshapes)
    return float(expression.face.deformation.weights[ARKIT_INDEX["jawOpen"]])
