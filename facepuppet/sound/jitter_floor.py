"""How young sound can be at least, on devices that deliver and fetch it in fits."""

from __future__ import annotations

from collections import deque
from statistics import median

WINDOW_S = 1.0
N_WINDOWS = 10  # that are remembered
HICCUP_S = 0.025
SPARE_S = 0.005  # left over in the worst moment that counts


class JitterFloor:
    """Watches how much sound is left over at each read.

    Of the worst moments of the last ten seconds the second worst counts, since one hiccup of the machine must
    not make all sound late, and no more than HICCUP_S beyond what is usual: rather a gap now and then.

    Attributes:
        age_s: the least age at which sound is there in time; 0.0 before that is known.
        newest_s: the same by the worst moment of the last second alone.
    """

    def __init__(self) -> None:
        self.age_s = self.newest_s = 0.0
        self._worst: deque[float] = deque(maxlen=N_WINDOWS)
        self._passed_s = 0.0

    def update(self, age_s: float, spare_s: float, passed_s: float) -> float:
        """Take in one read; return `age_s`.

        Args:
            age_s: how old what was read is.
            spare_s: how much more was there; negative where it was not enough.
            passed_s: time since the last read.
        """
        self._passed_s += passed_s
        if self._passed_s >= WINDOW_S:
            self._worst.append(self.newest_s)
            self.newest_s = self._passed_s = 0.0
        self.newest_s = max(self.newest_s, age_s - spare_s + SPARE_S)
        if len(self._worst) > 1:
            self.age_s = min(sorted(self._worst)[-2], median(self._worst) + HICCUP_S)
        else:
            self.age_s = max(self.newest_s, *self._worst, 0.0)
        return self.age_s
