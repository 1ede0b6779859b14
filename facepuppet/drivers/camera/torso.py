"""The driver's shoulders, by the pose network.

A pose takes about 6 ms, four times as long as the face, and shoulders move slowly: so offline they may be
found on every n-th frame only, and live they are found beside the loop, on whatever frame is newest.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

import numpy as np

from facepuppet.core.slot import LatestSlot
from facepuppet.core.types import Frame
from facepuppet.drivers.camera.tracking import Torso
from facepuppet.vision.pose import PoseModel
from facepuppet.vision.trackers import ShoulderFinder

log = logging.getLogger(__name__)

MAX_AGE_NS = 500_000_000  # shoulders older than this are no longer reported
CALM = 0.01  # shoulders that moved by less than this share of their width between two looks
LOOK_NS = 100_000_000  # from one look at moving shoulders to the next, whatever the camera's rate
RARER_NS = LOOK_NS // 3  # a frame of 30 a second: so much more after each calm look
MOST_PATIENCE = 3  # how many times rarer calm shoulders are looked for
JITTER = 0.1  # a frame may come by this share of a look too early, so that one in three is one in three


class TorsoFinder(Protocol):
    """Finds the torso that goes with each frame of a sequence."""

    def find(self, frame: Frame) -> Torso | None:
        """Return the newest torso known at this frame, or None."""

    def close(self) -> None:
        """Free the model."""


class EveryNthFrame:
    """Finds the torso on every n-th frame and repeats it in between: the same input, the same output."""

    def __init__(self, every: int = 1, open_model: Callable[[], ShoulderFinder] = PoseModel) -> None:
        self._model = open_model()
        self._every = every
        self._count = 0
        self._torso: Torso | None = None

    def find(self, frame: Frame) -> Torso | None:
        """Return the torso of this frame or of one of the last `every` frames."""
        if self._count % self._every == 0:
            self._torso = _torso_of(self._model, frame)
        self._count += 1
        return self._torso

    def close(self) -> None:
        """Free the model."""
        self._model.close()


class Pace:
    """When to look: rarer, look by look, while the shoulders are calm or nobody's are seen.

    Attributes:
        every_ns: from one look to the next at present.
    """

    def __init__(self) -> None:
        self.every_ns = LOOK_NS
        self._last: Torso | None = None
        self._last_ns: int | None = None

    def is_due(self, captured_ns: int) -> bool:
        """Whether to look at a frame of this time; such a frame then counts as looked at."""
        due = self._last_ns is None or captured_ns - self._last_ns >= (1.0 - JITTER) * self.every_ns
        if due:
            self._last_ns = captured_ns
        return due

    def looked(self, torso: Torso | None) -> None:
        """Take in what a look found."""
        rarer_ns = min(self.every_ns + RARER_NS, MOST_PATIENCE * LOOK_NS)
        self.every_ns = rarer_ns if _is_calm(torso, self._last) else LOOK_NS
        self._last = torso


class BesideTheLoop:
    """Finds the torso on a thread of its own; `find` never waits.

    A frame now and then (see `Pace`) is offered to the thread and a newer one replaces it when the thread is
    late, so a slow machine gets older shoulders, not a slower face.
    """

    def __init__(self, open_model: Callable[[], ShoulderFinder] = PoseModel) -> None:
        self._pace, self._open_model = Pace(), open_model
        self._frames: LatestSlot[Frame] = LatestSlot()
        self._newest: tuple[Torso | None, int] = (None, 0)  # replaced whole, so reading needs no lock
        self._thread = threading.Thread(target=self._work, name="torso", daemon=True)
        self._thread.start()

    def find(self, frame: Frame) -> Torso | None:
        """Return the newest torso the thread has finished, or None when it is too old."""
        if self._pace.is_due(frame.captured_ns):
            self._frames.put(frame)
        torso, captured_ns = self._newest
        return torso if frame.captured_ns - captured_ns <= MAX_AGE_NS else None

    def close(self) -> None:
        """Stop the thread and free the model."""
        self._frames.close()
        self._thread.join()

    def _work(self) -> None:
        try:
            model = self._open_model()
            try:
                while (frame := self._frames.take()) is not None:
                    torso = _torso_of(model, frame)
                    self._newest = (torso, frame.captured_ns)
                    self._pace.looked(torso)
            finally:
                model.close()
        except Exception:  # the face goes on without shoulders
            log.exception("shoulders are no longer tracked")
            self._newest = (None, 0)


def _is_calm(torso: Torso | None, before: Torso | None) -> bool:
    if torso is None or before is None:
        return torso is before
    left, right = torso.shoulders_px
    moved = np.linalg.norm(torso.shoulders_px - before.shoulders_px, axis=1).max()
    return bool(moved < CALM * np.linalg.norm(right - left))


def _torso_of(model: ShoulderFinder, frame: Frame) -> Torso | None:
    seen = model.find(frame.rgb)
    return None if seen is None else Torso(*seen)
