"""Which quality a live run can afford: cadence goes before quality.

Down at once when pictures come late, up slowly when there is room; a step up that fails is tried again
only after twice the time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum

from facepuppet.session.ladder import LADDER

LOOK_S = 0.5  # from one look at a run to the next
WARM_UP_S = 1.5  # first pictures are slow everywhere, and say nothing of the next ones
BUSY = 0.9  # a stage that works for more than this share of the time has no time left for jitter
LATE = 0.05  # share of the pictures that were due and did not come
LEAST_BUSY = 0.4  # below, making pictures is not what makes them late: the tracker, or the camera, is
BAD_LOOKS, OF_LOOKS = 3, 4  # so many of the newest looks are bad: one hiccup makes two
ROOM = 0.65  # busy shares below leave room for a better quality
PATIENCE_S = 8.0  # of room, before a better quality is tried
MOST_PATIENCE_S = 120.0
PROVEN_S = 60.0  # a better quality that lasted so long did not fail


@dataclass(frozen=True, slots=True)
class Load:
    """How a run fared since the look before.

    Attributes:
        busy: share of the time for which the busiest stage that makes pictures worked.
        due: new pictures that were wanted: as many as expressions came, at most the output's rate.
        made: new pictures that were made.
    """

    busy: float
    due: float
    made: int

    @property
    def late(self) -> float:
        """Share of the pictures due that did not come; one may be on its way."""
        return max(0.0, self.due - self.made - 1.0) / max(self.due, 1.0)

    @property
    def is_bad(self) -> bool:
        """Whether cadence is in danger from how long pictures take."""
        return self.busy > BUSY or (self.busy > LEAST_BUSY and self.late > LATE)


class Why(Enum):
    """Why the quality changes."""

    LATE = "late"  # pictures do not come in time
    ROOM = "room"  # they have come in time for long
    BATTERY = "battery"  # the machine went off its mains


class Governor:
    """Climbs up and down a ladder, of qualities or others, one step at a time.

    Time comes in with each look, so there is no clock of its own.

    Args:
        on_battery: whether the machine runs on its battery; then the best step is left out.
        n_steps: how many there are; as many as qualities, if nothing else is governed.

    Attributes:
        at: index of the step; 0 is the best.
        overwhelmed: even the last step is too much.
    """

    def __init__(self, on_battery: bool = False, n_steps: int = len(LADDER)) -> None:
        self._ceiling, self._last = int(on_battery), n_steps - 1
        self.at = self._ceiling
        self.overwhelmed = False
        self._patience_s = PATIENCE_S
        self._looks: deque[bool] = deque(maxlen=OF_LOOKS)
        self._room_since_ns: int | None = None
        self._first_ns: int | None = None
        self._rose_ns: int | None = None  # when the newest step up was taken, until it has proven itself

    def look(self, load: Load, now_ns: int) -> Why | None:
        """Take in how the run fared; returns why `at` has changed, None if it has not."""
        if self._first_ns is None:
            self._first_ns = now_ns
        if now_ns - self._first_ns < WARM_UP_S * 1e9:
            return None
        self._looks.append(load.is_bad)
        if not load.is_bad and load.busy < ROOM:
            self._room_since_ns = now_ns if self._room_since_ns is None else self._room_since_ns
        else:
            self._room_since_ns = None
        if self._rose_ns is not None and now_ns - self._rose_ns >= PROVEN_S * 1e9:
            self._rose_ns, self._patience_s = None, PATIENCE_S
        if sum(self._looks) >= BAD_LOOKS:
            return self._down(now_ns)
        return self._up(now_ns)

    def power(self, on_battery: bool) -> Why | None:
        """Take in what the machine runs on; returns as `look`."""
        self._ceiling = int(on_battery)
        if self.at >= self._ceiling:
            return None
        self._go(self._ceiling)
        return Why.BATTERY

    def put(self, at: int) -> None:
        """Go on from a step that somebody else chose."""
        if at != self.at:
            self._go(at)

    def _down(self, now_ns: int) -> Why | None:
        if self._rose_ns is not None:  # it failed
            self._patience_s = min(2.0 * self._patience_s, MOST_PATIENCE_S)
        if self.at == self._last:
            self.overwhelmed = True
            return None
        self._go(self.at + 1)
        return Why.LATE

    def _up(self, now_ns: int) -> Why | None:
        roomy_ns = 0 if self._room_since_ns is None else now_ns - self._room_since_ns
        if self.at <= self._ceiling or roomy_ns < self._patience_s * 1e9:
            return None
        self._go(self.at - 1)
        self._rose_ns = now_ns
        return Why.ROOM

    def _go(self, at: int) -> None:
        """What was seen before says nothing of the new step."""
        self.at, self._rose_ns, self._room_since_ns = at, None, None
        self.overwhelmed = False
        self._looks.clear()
