"""Recorded English speech of many people, with the phones that pocketsphinx hears in it.

Its words are often wrong, its phones less so, and which of them shut or round the lips seldom.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from engines.voice.espeak import Phone, Spoken
from engines.voice.made_speech import ipa_of
from engines.voice.take import read_sound
from facepuppet.core import F32
from facepuppet.voice import RATE_HZ

LONGEST_S = 20.0  # of a recording; what is longer is cut off
_FRAME_S = 0.01  # of pocketsphinx
_BEAM, _WORD_BEAM = 1e-30, 1e-20  # wider ones take five times as long

log = logging.getLogger(__name__)


def aligned_lines(folder: Path, kept: Path) -> Iterator[tuple[str, Spoken]]:
    """Yield the recordings of a folder with their phones; each is aligned once and kept.

    What cannot be read, or in which nothing is understood, is left out, and the log says so.
    """
    kept.mkdir(parents=True, exist_ok=True)
    decoder = None
    for file in sorted(folder.iterdir()):
        path = kept / f"{file.stem}.npz"
        if not path.exists():
            decoder = decoder or _decoder()
            try:
                sound = read_sound(file)[: round(LONGEST_S * RATE_HZ)]
                phones = _phones(decoder, sound)
            except (av.error.FFmpegError, OSError, RuntimeError) as error:
                log.warning("%s is left out (%s)", file, error)
                continue
            names, starts_s = [phone.ipa for phone in phones], [phone.start_s for phone in phones]
            np.savez_compressed(path, sound=sound, ipa=names, start_s=starts_s)
        with np.load(path) as data:
            phones = tuple(Phone(str(i), float(s)) for i, s in zip(data["ipa"], data["start_s"], strict=True))
            yield file.stem, Spoken(data["sound"], RATE_HZ, phones)


def _decoder() -> Any:
    from pocketsphinx import Decoder

    return Decoder(loglevel="FATAL", beam=_BEAM, wbeam=_WORD_BEAM, pbeam=_BEAM)


def _phones(decoder: Any, sound: F32) -> tuple[Phone, ...]:
    """Recognise words, then find their phones in time.

    Raises:
        RuntimeError: no word was understood.
    """
    data = (sound * 32767.0).astype(np.int16).tobytes()
    _decode(decoder, data)
    if decoder.hyp() is None:
        raise RuntimeError("nothing was understood")
    decoder.set_alignment()
    try:
        _decode(decoder, data)
        told = [(phone.name, phone.start) for word in decoder.get_alignment() for phone in word]
    finally:
        decoder.activate_search()
    return tuple(Phone(ipa_of(name.lower()), start * _FRAME_S) for name, start in told)


def _decode(decoder: Any, data: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(data, full_utt=True)
    decoder.end_utt()
