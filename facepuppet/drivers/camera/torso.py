"""The driver's shoulders, by the pose network.

A pose takes about 6 ms, four times as long as the face, and shoulders move slowly: so offline they may be
found on every n-th frame only. Live they are found beside the loop, on whatever frame is newest, and followed
in between by `BodyFlow` for a thirtieth of that.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np

from facepuppet.core.slot import LatestSlot
from facepuppet.core.types import Frame
from facepuppet.drivers.camera.tracking import Torso
from facepuppet.vision.body_flow import BodyFlow
from facepuppet.vision.pose import PoseModel
from facepuppet.vision.trackers import ShoulderFinder

log = logging.getLogger(__name__)

MAX_AGE_NS = 500_000_000  # shoulders older than this are no longer reported
CALM = 0.01  # shoulders that moved by less than this share of their width between two looks
OFFER_NS = 25_000_000  # at least, from frame to frame that is followed: all of 30 a second, half of 60
# Chosen on eight clips of people who sway, against the poses of every frame smoothed without lag. A look each
# 100 ms: off by 1.4 % of the shoulders' width, 145 ms late. This, with a third of the looks: 1.4 %, 134 ms,
# half the tremble, but 0.8° of roll off in place of 0.5°. Nothing between the same looks: 2.2 %, 233 ms.
LOOK_NS = 300_000_000  # from one look at moving shoulders to the next, whatever the camera's rate
BLIND = 0.6  # share of that where they cannot be followed in between
RARER_NS = LOOK_NS // 3  # so much more after each calm look
MOST_PATIENCE = 3  # how many times rarer calm shoulders are looked for


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
        every_ns: from one look to the next at present, while they are followed in between.
    """

    def __init__(self) -> None:
        self.every_ns = LOOK_NS
        self._last_ns: int | None = None

    def is_due(self, captured_ns: int, *, followed: bool) -> bool:
        """Whether to look at a frame of this time; such a frame then counts as looked at.

        Args:
            captured_ns: when it was captured.
            followed: whether the shoulders were followed to the frame before.
        """
        every_ns = self.every_ns * (1.0 if followed else BLIND)
        due = self._last_ns is None or captured_ns - self._last_ns >= every_ns
        if due:
            self._last_ns = captured_ns
        return due

    def looked(self, *, calm: bool) -> None:
        """Take in whether the shoulders were calm from the look before to this one."""
        self.every_ns = min(self.every_ns + RARER_NS, MOST_PATIENCE * LOOK_NS) if calm else LOOK_NS


class NowAndThen:
    """Finds the torso by a look now and then (see `Pace`), and follows it in between."""

    def __init__(self, open_model: Callable[[], ShoulderFinder] = PoseModel) -> None:
        self._model = open_model()
        self._pace, self._flow = Pace(), BodyFlow()
        self._looked: Torso | None = None  # what the last look found
        self._torso: Torso | None = None
        self._followed = False  # since that look, up to the last frame

    def find(self, frame: Frame) -> Torso | None:
        """Return the torso of this frame; of an earlier one where it cannot be followed."""
        if self._pace.is_due(frame.captured_ns, followed=self._followed):
            self._look(frame)
        elif self._torso is not None:
            shoulders_px = self._flow.follow(frame.rgb)
            self._followed = shoulders_px is not None
            if shoulders_px is not None:
                self._torso = replace(self._torso, shoulders_px=shoulders_px)
        return self._torso

    def close(self) -> None:
        """Free the model."""
        self._model.close()

    def _look(self, frame: Frame) -> None:
        torso = _torso_of(self._model, frame)
        # Two looks at one body differ by more than the flow of it.
        self._pace.looked(calm=_is_calm(self._torso if self._followed else torso, self._looked))
        self._looked = self._torso = torso
        self._followed = torso is not None
        if torso is not None:
            self._flow.start(frame.rgb, torso.shoulders_px)


class BesideTheLoop:
    """Finds the torso on a thread of its own; `find` never waits.

    At most forty frames a second are offered to the thread and a newer one replaces it when the thread is
    late, so a slow machine gets older shoulders, not a slower face.
    """

    def __init__(self, open_model: Callable[[], ShoulderFinder] = PoseModel) -> None:
        self._open_model = open_model
        self._offered_ns: int | None = None
        self._frames: LatestSlot[Frame] = LatestSlot()
        self._newest: tuple[Torso | None, int] = (None, 0)  # replaced whole, so reading needs no lock
        self._thread = threading.Thread(target=self._work, name="torso", daemon=True)
        self._thread.start()

    def find(self, frame: Frame) -> Torso | None:
        """Return the newest torso the thread has finished, or None when it is too old."""
        if self._is_offered(frame.captured_ns):
            self._offered_ns = frame.captured_ns
            self._frames.put(frame)
        torso, captured_ns = self._newest
        return torso if frame.captured_ns - captured_ns <= MAX_AGE_NS else None

    def close(self) -> None:
        """Stop the thread and free the model."""
        self._frames.close()
        self._thread.join()

    def _is_offered(self, captured_ns: int) -> bool:
        return self._offered_ns is None or captured_ns - self._offered_ns >= OFFER_NS

    def _work(self) -> None:
        try:
            finder = NowAndThen(self._open_model)
            try:
                while (frame := self._frames.take()) is not None:
                    self._newest = (finder.find(frame), frame.captured_ns)
            finally:
                finder.close()
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
