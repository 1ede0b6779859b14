"""When sound that carries time stamps was sent, by how soon the soonest of it came."""

from __future__ import annotations

import math

PAUSE_S = 1.0  # without anything, and what follows may count from anywhere
JUMP_S = 1.0  # by which stamps that go on may be off, before they count as begun anew
WINDOW_S = 5.0  # in which something comes without delay, or the way has become longer
STEP_S = 0.1  # by which it must have, to be believed at once
RISE = 2e-3  # of what is less, and of clocks that differ, so much a second


class ArrivalTimes:
    """Brings a sender's time stamps to this machine's clock.

    What took longest on its way tells nothing of when it was sent, what took least does: the least difference
    between arrival and stamp counts, until for a whole window none was so small any more.
    """

    def __init__(self) -> None:
        self._offset_s = self._lasting_s = self._last_s = -math.inf
        self._least_s, self._since_s = math.inf, 0.0

    def sent_s(self, stamp_s: float, now_s: float) -> float:
        """Return when something was sent that comes now, as if the quickest had taken no time.

        Args:
            stamp_s: the sender's time of it, from anywhere.
            now_s: time of arrival; does not fall.
        """
        offset_s, passed_s = now_s - stamp_s, now_s - self._last_s
        if passed_s > PAUSE_S or offset_s - self._offset_s > JUMP_S:
            self._offset_s = self._lasting_s = offset_s
            self._least_s, self._since_s = math.inf, now_s
        self._last_s = now_s
        self._look_back(offset_s, now_s)
        rise_s = min(max(0.0, self._lasting_s - self._offset_s), RISE * passed_s)
        self._offset_s = min(offset_s, self._offset_s + rise_s)
        return stamp_s + self._offset_s

    def _look_back(self, offset_s: float, now_s: float) -> None:
        """Find what even the quickest takes, once a window."""
        self._least_s = min(self._least_s, offset_s)
        if now_s - self._since_s < WINDOW_S:
            return
        self._lasting_s = self._least_s
        if self._lasting_s - self._offset_s > STEP_S:
            self._offset_s = self._lasting_s
        self._least_s, self._since_s = math.inf, now_s
