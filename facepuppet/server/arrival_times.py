"""When sound that carries time stamps was sent, by how soon the soonest of it came."""

from __future__ import annotations

import math

PAUSE_S = 1.0  # without anything, and what follows may count from anywhere
JUMP_S = 1.0  # by which stamps that go on may be off, before they count as begun anew
RISE = 2e-4  # by which two clocks may differ; sound cards differ by half of it at most


class ArrivalTimes:
    """Brings a sender's time stamps to this machine's clock.

    What took longest on its way tells nothing of when it was sent, what took least does: the least difference
    between arrival and stamp counts, and it rises by no more than clocks differ.
    """

    def __init__(self) -> None:
        self._offset_s = self._last_s = -math.inf

    def sent_s(self, stamp_s: float, now_s: float) -> float:
        """Return when something was sent that comes now, as if the quickest had taken no time.

        Args:
            stamp_s: the sender's time of it, from anywhere.
            now_s: time of arrival; does not fall.
        """
        offset_s, passed_s = now_s - stamp_s, now_s - self._last_s
        if passed_s > PAUSE_S or offset_s - self._offset_s > JUMP_S:
            self._offset_s = offset_s
        else:
            self._offset_s = min(offset_s, self._offset_s + RISE * passed_s)
        self._last_s = now_s
        return stamp_s + self._offset_s
