"""espeak-ng's library: speech whose phones and their times are known.

Its program tells phones without times; the library calls back with both.
"""

from __future__ import annotations

import ctypes
from ctypes.util import find_library
from dataclasses import dataclass
from typing import Any

import numpy as np

from facepuppet.core import F32

_SYNCHRONOUS, _PHONEME_EVENTS, _IPA, _UTF8, _NO_EXIT = 2, 1, 2, 1, 1 << 15
_PHONEME, _END = 7, 0
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4


class _Name(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Name),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True, slots=True)
class Phone:
    """One phone of speech.

    Attributes:
        ipa: its symbol; empty for a pause.
        start_s: when it begins; it lasts until the next one.
    """

    ipa: str
    start_s: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """Speech with its phones.

    Attributes:
        sound: (n,) float32 mono, full scale ±1.
        rate_hz: of the sound.
        phones: in order.
    """

    sound: F32
    rate_hz: int
    phones: tuple[Phone, ...]


class Espeak:
    """The library, loaded; one at a time in a process.

    Raises:
        OSError: it is not installed.
    """

    def __init__(self) -> None:
        path = find_library("espeak-ng")
        if path is None:
            raise OSError("espeak-ng's library is not here: sudo apt-get install libespeak-ng1")
        self._library = ctypes.CDLL(path)
        self.rate_hz = self._library.espeak_Initialize(
            _SYNCHRONOUS, 0, None, _PHONEME_EVENTS | _IPA | _NO_EXIT
        )
        self._blocks: list[Any] = []
        self._phones: list[Phone] = []
        self._callback = _Callback(self._heard)
        self._library.espeak_SetSynthCallback(self._callback)

    def say(
        self,
        text: str,
        voice: str = "en",
        *,
        words_a_minute: int = 170,
        pitch: int = 50,
        pitch_range: int = 50,
    ) -> Spoken:
        """Speak a text.

        Args:
            text: what.
            voice: language and variant, as "de+f3".
            words_a_minute: 80 to 400.
            pitch: 0 to 100.
            pitch_range: 0 to 100.

        Raises:
            ValueError: no such voice.
        """
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"got voice {voice!r}, expected one of `espeak-ng --voices`")
        for parameter, value in ((_RATE, words_a_minute), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._blocks.clear()
        self._phones.clear()
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        sound = np.concatenate([*self._blocks, np.zeros(0, np.float32)])
        return Spoken(sound, self.rate_hz, tuple(self._phones))

    def _heard(self, samples: Any, n: int, events: Any) -> int:
        if samples and n > 0:
            block = np.ctypeslib.as_array(samples, (n,)).astype(np.float32) / 32768.0
            self._blocks.append(block)
        at = 0
        while events[at].type != _END:
            event = events[at]
            if event.type == _PHONEME:
                name = event.id.string.decode(errors="replace")
                self._phones.append(Phone(name, event.audio_position * 1e-3))
            at += 1
        return 0
