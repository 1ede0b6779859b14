"""The voice in a file: frame i shows what is heard i/fps seconds after its start."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from facepuppet.core.metrics import Meter, Spread
from facepuppet.core.types import F32, Expression
from facepuppet.drivers.voice.voice_setup import VoiceSetup
from facepuppet.drivers.voice.voiced_driver import VoicedDriver
from facepuppet.media.sound_reader import SoundReader
from facepuppet.voice.speaking_face import SpeakingFace
from facepuppet.voice.voice_frame import LOOK_AHEAD_S, RATE_HZ, STEP_S

_BLOCK = round(0.2 * RATE_HZ)  # heard at once: a network is faster with several steps than with each
_SCRAP_S = 0.002  # of sound at the end, as containers round their times, needs no frame of its own
# After the sound's end, for the last moment to be known and the mouth to shut.
_TAIL = np.zeros(round((LOOK_AHEAD_S + 3.0 * STEP_S) * RATE_HZ), np.float32)


class VoiceFileDriver(VoicedDriver):
    """Speaks what a file says, once; the last frame covers the end of the sound. Live, at its own pace.

    Args:
        path: any file with sound that FFmpeg can decode.
        fps: expressions a second.
        setup: how the voice drives.

    Raises:
        MediaUnreadableError: missing, no media file, or without sound.
    """

    _face: SpeakingFace

    def __init__(self, path: Path, fps: float = 30.0, setup: VoiceSetup | None = None) -> None:
        setup = setup or VoiceSetup()
        self._sound = SoundReader(path, RATE_HZ)
        self._face = SpeakingFace(setup.manner, setup.seed)
        self.description = f"the voice in {str(path)!r}"
        self.fps: float | None = fps
        length_s = self._sound.duration_s
        self.n_frames: int | None = (
            None if length_s is None else max(1, math.ceil((length_s - _SCRAP_S) * fps))
        )
        self._meter = Meter()
        self._next_id = 0
        self._n_heard = 0
        self._ended = self._closed = False
        self._reading = threading.Lock()  # so that close() cannot pull the file away

    def read(self) -> Expression | None:
        """Return the next moment; None when the sound has ended."""
        if self.fps is None:
            return None
        with self._reading:
            expression = None if self._closed else self._moment(self._next_id, self._next_id / self.fps)
        self._next_id += 1
        return None if expression is None else self.paced(expression)

    def close(self) -> None:
        """End, and let go of the file."""
        super().close()  # wakes a read() that waits for its time
        with self._reading:
            self._closed = True
            self._sound.close()

    def timings(self) -> Mapping[str, Spread]:
        """Return the time of hearing, a fifth of a second of sound each."""
        return self._meter.spreads()

    def _moment(self, frame_id: int, t_s: float) -> Expression | None:
        while not self._ended and self._face.until_s <= t_s:
            with self._meter.time("hear"):
                self._hear()
        over = self._ended and frame_id > 0 and t_s >= self._n_heard / RATE_HZ - _SCRAP_S
        return None if over else self._face.at(t_s, frame_id)

    def _hear(self) -> None:
        """Take in the next piece of sound, or at its end the silence behind it."""
        blocks: list[F32] = []
        while sum(map(len, blocks)) < _BLOCK and (block := self._sound.read()) is not None:
            blocks.append(block)
        self._n_heard += sum(map(len, blocks))
        self._ended = not blocks
        self._face.hear(np.concatenate(blocks) if blocks else _TAIL)
