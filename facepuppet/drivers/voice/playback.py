"""What is heard when, and what the face hears of it: one time for both.

The face's time runs beside the clock's, `offset_s` behind it. Sound that is played from a moment on enters
the face's hearing at that very moment, and silence between, so that the face at the time that is heard now is
the face of what is heard now, whatever a device does. A device that stumbles moves the offset.

    utterances → fill (a device's thread, or the clock's) → ears
               → hear (the driver's thread)               → face, earlier than the ears by the picture's delay
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from facepuppet.core.types import F32
from facepuppet.drivers.voice.utterance import PLAYED_HZ, RATIO, Utterance
from facepuppet.voice import LOOK_AHEAD_S, STEP_S
from facepuppet.voice import RATE_HZ as FACE_HZ

PAUSE_S = 0.25  # between sentences
FADE_S = 0.05  # of what is broken off
START_S = 0.2  # of sound that must be there before any is played: a slow command gives it bit by bit
AHEAD_S = 15.0  # of sound that waits; no more is made
# What the face must have heard beyond a moment to know it and the step after it, between which it is.
LEAD_S = LOOK_AHEAD_S + 1.25 * STEP_S
_BLOCK = PLAYED_HZ // 100
_EDGE = PLAYED_HZ * 3 // 1000  # samples over which sound that gives out ends, and begins again
_SNAP_S = 0.08  # by which what a device tells is no tremble but a gap
_FOLLOW = 0.02  # of the way from what is believed to what it tells, each block


@dataclass(slots=True)
class _Stretch:
    """A piece of an utterance that is played without a gap.

    Attributes:
        at: the face's sample with which it begins.
        first: of the utterance's samples (the face's), the first.
        end: the one after the last; None while it goes on.
    """

    utterance: Utterance
    at: int
    first: int
    end: int | None = None


class Playback:
    """Plays utterances in order.

    Args:
        now_s: the clock.
        delay_s: how late pictures are: sound is not heard before the lips can be seen with it.

    Attributes:
        held: nothing is begun, as while nobody knows yet who will play it.
    """

    def __init__(self, now_s: Callable[[], float], delay_s: Callable[[], float]) -> None:
        self.held = False
        self._now_s, self._delay_s = now_s, delay_s
        self._waiting: deque[Utterance] = deque()
        self._stretches: deque[_Stretch] = deque()  # that the face has not yet heard to their end
        self._playing: _Stretch | None = None
        self._sounding = False  # what is playing has begun
        self._place = 0  # of the first utterance's samples, the next to play
        self._fade_left: int | None = None
        self._offset_s = now_s()
        self._not_before_s = -math.inf
        self._filled_to_s = -math.inf
        self._fed = 0  # the face's samples: heard so far
        self._scratch = np.zeros(_BLOCK, np.float32)
        self._changed = threading.Condition()

    @property
    def idle(self) -> bool:
        """Whether nothing is played, and nothing waits."""
        with self._changed:
            return not self._waiting

    def put(self, utterance: Utterance) -> None:
        """Let an utterance be played after those before; it may grow meanwhile."""
        with self._changed:
            self._waiting.append(utterance)

    def wait_for_room(self, wanted: Callable[[], bool]) -> None:
        """Wait while there is enough to play, and more of it is wanted."""
        with self._changed:
            while wanted() and self._unplayed_s > AHEAD_S:
                self._changed.wait(0.1)

    def stop(self) -> None:
        """Fade out, and forget what waits."""
        with self._changed:
            if self._playing is not None and self._sounding:
                self._waiting = deque([self._waiting[0]])
                self._fade_left = round(FADE_S * PLAYED_HZ)
            else:
                self._forget_all()
            self._changed.notify_all()

    def fill(self, out: F32, starts_s: float) -> None:
        """Fill a block (n,) at PLAYED_HZ with what is to be heard.

        Args:
            out: filled.
            starts_s: when its first sample will be heard, on the clock.
        """
        with self._changed:
            out[:] = 0.0
            self._filled_to_s = starts_s + len(out) / PLAYED_HZ
            if self._playing is None:
                self._begin(starts_s)
            if self._playing is not None:
                late = 0 if self._sounding else self._due_in(self._playing, starts_s)
                if late < len(out):
                    self._follow(self._playing, starts_s + late / PLAYED_HZ)
                    self._play(self._playing, out[late:])
            self._changed.notify_all()

    def run_to(self, heard_s: float) -> None:
        """Play to nobody, for want of a device, up to a moment."""
        if heard_s - self._filled_to_s > AHEAD_S:
            self._filled_to_s = heard_s
        while self._filled_to_s < heard_s:
            self.fill(self._scratch, self._filled_to_s)

    def face_s(self, heard_s: float) -> float:
        """The face's time at a moment that is heard."""
        return max(0.0, heard_s - self._offset_s)

    def hear(self, face_s: float) -> F32:
        """Return what the face must hear next, (n,) at voice.RATE_HZ, to be known at a time of its own."""
        end = math.ceil((face_s + LEAD_S) * FACE_HZ)
        pieces: list[F32] = []
        with self._changed:
            while self._fed < end:
                piece = self._next_piece(end)
                if piece is None:
                    break
                pieces.append(piece.copy())
                self._fed += len(piece)
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)

    @property
    def _unplayed_s(self) -> float:
        return sum(one.seconds for one in self._waiting) - self._place / PLAYED_HZ

    def _begin(self, starts_s: float) -> None:
        """Find a time to begin, or to go on after a gap, if there is something to play."""
        while self._waiting and self._waiting[0].complete and self._place >= self._waiting[0].played.n:
            self._next_utterance()
        if not self._waiting or self.held:
            return
        first = self._waiting[0]
        if not first.complete and first.seconds - self._place / PLAYED_HZ < START_S:
            return
        # The lips must be seen with its first sound, and they are shown `delay_s` after they are known.
        seen_s = self._now_s() + self._delay_s()
        at = round((max(starts_s, seen_s, self._not_before_s) - self._offset_s) * FACE_HZ)
        self._playing = _Stretch(first, max(at, self._fed), self._place // RATIO)
        self._stretches.append(self._playing)

    def _due_in(self, stretch: _Stretch, starts_s: float) -> int:
        """After how many samples a stretch begins that has been found a time."""
        return max(0, round((stretch.at / FACE_HZ + self._offset_s - starts_s) * PLAYED_HZ))

    def _follow(self, stretch: _Stretch, starts_s: float) -> None:
        """Believe what a device tells of when it plays, a little at a time."""
        played_s = self._place / PLAYED_HZ - stretch.first / FACE_HZ
        error_s = starts_s - stretch.at / FACE_HZ - played_s - self._offset_s
        self._offset_s += error_s if abs(error_s) > _SNAP_S else _FOLLOW * error_s

    def _play(self, stretch: _Stretch, out: F32) -> None:
        utterance = stretch.utterance
        complete = utterance.complete  # before what is left is looked at, which may grow till then
        left = utterance.played.n - self._place
        # Of what comes bit by bit some is kept in reserve, to end softly with.
        given_out = left < len(out) + (0 if complete else _EDGE)
        sound = utterance.played.part(self._place, self._place + len(out))
        out[: len(sound)] = sound
        if not self._sounding and self._place:  # it goes on after a gap
            out[:_EDGE] *= np.linspace(0.0, 1.0, len(out[:_EDGE]), dtype=np.float32)
        self._sounding = True
        self._place += len(sound)
        if self._fade_left is not None:
            gains = (self._fade_left - np.arange(len(out), dtype=np.float32)) / (FADE_S * PLAYED_HZ)
            out *= np.maximum(gains, 0.0)
            self._fade_left -= len(out)
            if self._fade_left <= 0 or given_out:
                self._end(stretch)
                self._next_utterance()
        elif given_out:
            self._end(stretch)
            if complete:
                self._next_utterance()
            else:
                ending = out[: len(sound)][-_EDGE:]
                ending *= np.linspace(1.0, 0.0, len(ending), dtype=np.float32)

    def _end(self, stretch: _Stretch) -> None:
        stretch.end = self._place // RATIO
        self._playing = self._fade_left = None
        self._sounding = False

    def _forget_all(self) -> None:
        if self._playing is not None:
            self._end(self._playing)
        self._waiting.clear()
        self._place = 0

    def _next_utterance(self) -> None:
        if self._place:  # else there was nothing in it
            self._not_before_s = self._filled_to_s + PAUSE_S
        self._waiting.popleft()
        self._place = 0

    def _next_piece(self, end: int) -> F32 | None:
        """What comes next for the face, up to its sample `end`; None where that is not known yet."""
        stretch = self._stretches[0] if self._stretches else None
        if stretch is None or self._fed < stretch.at:
            silent = end if stretch is None else min(stretch.at, end)
            return np.zeros(silent - self._fed, np.float32)
        place = self._fed - stretch.at + stretch.first
        last = place + end - self._fed
        if stretch.end is not None:
            last = min(last, stretch.end)
        whole = stretch.end is not None or stretch.utterance.complete
        sound = stretch.utterance.heard.part(place, last)
        if len(sound):
            return sound
        if not whole:
            return None
        self._stretches.popleft()
        return self._next_piece(end)
