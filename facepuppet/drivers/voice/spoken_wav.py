"""WAV from a pipe as it comes: the lengths in its header are not known to who writes them, and often wrong.

FFmpeg's reader would do, but looks at a pipe to its end before it hands the first sample over.
Layout: Microsoft, "Multimedia Programming Interface and Data Specifications" 1.0 (1991), and
WAVEFORMATEXTENSIBLE.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from facepuppet.core.types import F32

ENDLESS = 0x7FFF_0000  # lengths from here on, and 0, stand for "until the end"
MOST_HEADER = 65_536  # bytes before the sound
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_RATES_HZ = (4_000, 384_000)
_KINDS = {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64)}


@dataclass(frozen=True, slots=True)
class SampleFormat:
    """How samples are written.

    Attributes:
        hz: samples a second.
        channels: interleaved.
        bits: of a sample of one channel: 8 (unsigned), 16, 24 or 32; of floats 32 or 64. Little-endian.
        is_float: floats, full scale ±1.
    """

    hz: int
    channels: int = 1
    bits: int = 16
    is_float: bool = False

    def __post_init__(self) -> None:
        if not _RATES_HZ[0] <= self.hz <= _RATES_HZ[1]:
            raise ValueError(f"{self.hz} samples a second")
        if not 1 <= self.channels <= 8:
            raise ValueError(f"{self.channels} channels")
        if (_FLOAT if self.is_float else _PCM, self.bits) not in _KINDS:
            raise ValueError(f"{self.bits} bits a sample")

    @property
    def frame_bytes(self) -> int:
        """Bytes of one moment, all channels."""
        return self.channels * self.bits // 8

    def mono(self, content: bytes) -> F32:
        """Return whole moments (n,) as the mean of their channels, full scale ±1; what is no number is 0."""
        if self.is_float:
            wide = np.frombuffer(content, f"<f{self.bits // 8}")
            sound = np.nan_to_num(wide, nan=0.0, posinf=0.0, neginf=0.0).clip(-1.0, 1.0)
        elif self.bits == 24:
            padded = np.zeros((len(content) // 3, 4), np.uint8)
            padded[:, 1:] = np.frombuffer(content, np.uint8).reshape(-1, 3)
            sound = padded.view("<i4")[:, 0] / 2.0**31
        elif self.bits == 8:
            sound = (np.frombuffer(content, np.uint8) - 128.0) / 128.0
        else:
            sound = np.frombuffer(content, f"<i{self.bits // 8}") / 2.0 ** (self.bits - 1)
        return np.asarray(sound.reshape(-1, self.channels).mean(axis=1, dtype=np.float64), np.float32)


class SpokenWav:
    """Turns the bytes of a WAV, or of bare samples, into sound as they come.

    Args:
        bare: the format of samples without a header; None where a WAV's header tells it.

    Attributes:
        format: of the samples; None while it is not known.
    """

    def __init__(self, bare: SampleFormat | None = None) -> None:
        self.format = bare
        self._in_sound = bare is not None
        self._left: int | None = None  # bytes of sound still to come; None where nobody knows
        self._rest = b""
        self._n_header = 0

    def feed(self, content: bytes) -> F32:
        """Take in the next bytes; return the sound (n,) that they complete, mono, full scale ±1.

        Raises:
            ValueError: it is no WAV, or of a kind that is not read here; the message says what it is.
        """
        self._rest += content
        while not self._in_sound and self._read_chunk():
            pass
        if not self._in_sound or self.format is None:
            self._n_header += len(content)
            if self._n_header > MOST_HEADER:
                raise ValueError(f"a WAV header of more than {MOST_HEADER} bytes")
            return np.zeros(0, np.float32)
        n = len(self._rest) if self._left is None else min(len(self._rest), self._left)
        n -= n % self.format.frame_bytes
        sound, self._rest = self._rest[:n], self._rest[n:]
        if self._left is not None:
            self._left -= n
            if self._left < self.format.frame_bytes:
                self._rest, self._left = b"", 0  # remarks that may follow are no sound
        return self.format.mono(sound)

    def _read_chunk(self) -> bool:
        """Read one part of the header, if it is there whole."""
        if self.format is None and not self._is_riff():
            return False
        at = 12 if self._rest[:4] == b"RIFF" else 0
        if len(self._rest) < at + 8:
            return False
        name, size = self._rest[at : at + 4], struct.unpack_from("<I", self._rest, at + 4)[0]
        start = at + 8
        if name == b"data":
            if self.format is None:
                raise ValueError("a WAV that does not say how its samples are written")
            self._in_sound, self._rest = True, self._rest[start:]
            self._left = None if size == 0 or size >= ENDLESS else size
            return False
        if size > MOST_HEADER:
            raise ValueError(f"a WAV with {size} bytes of {name!r} before its sound")
        end = start + size + size % 2
        if len(self._rest) < end:
            return False
        if name == b"fmt ":
            self.format = _sample_format(self._rest[start : start + size])
        # The file's own head stays in front until the format is known: it is looked at again.
        self._rest = self._rest[end:] if self.format is not None else self._rest[:12] + self._rest[end:]
        return True

    def _is_riff(self) -> bool:
        """Whether the file's head is there; ValueError where it is another's."""
        head = self._rest[:12]
        if head[:4] != b"RIFF"[: len(head[:4])] or head[8:] != b"WAVE"[: len(head[8:])]:
            raise ValueError(f"{head!r}, which no WAV begins with")
        return len(head) == 12


def _sample_format(content: bytes) -> SampleFormat:
    if len(content) < 16:
        raise ValueError(f"a WAV whose format has {len(content)} bytes")
    tag, channels, hz, _, _, bits = struct.unpack_from("<HHIIHH", content)
    if tag == _EXTENSIBLE and len(content) >= 26:
        tag = struct.unpack_from("<H", content, 24)[0]
    if tag not in (_PCM, _FLOAT):
        raise ValueError(f"a WAV of kind {tag}, which is compressed")
    return SampleFormat(hz, channels, bits, tag == _FLOAT)
