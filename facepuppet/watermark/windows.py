"""Evidence over time: from the start, and of late."""

from __future__ import annotations

import numpy as np

from facepuppet.watermark.carrier import C64

RECENT_BLOCKS = 16
_PLOTTED_BLOCKS = 4


class Windows:
    """Sums of block evidence, (2, h, w) each: memory does not grow with time."""

    def __init__(self) -> None:
        self._total: C64 | None = None
        self._recent: list[C64] = []
        self._n_blocks = 0

    def add(self, evidence: C64) -> None:
        """Take the next block's evidence."""
        self._total = evidence if self._total is None else self._total + evidence
        self._recent = [*self._recent[1 - RECENT_BLOCKS :], evidence]
        self._n_blocks += 1

    def all(self) -> list[C64]:
        """Return the whole past and, once it is something else, the recent past."""
        if self._total is None:
            return []
        if self._n_blocks <= RECENT_BLOCKS:
            return [self._total]
        return [self._total, np.sum(self._recent, axis=0)]

    def latest(self) -> C64:
        """Return the last four blocks' sum, for plotting."""
        return np.asarray(np.sum(self._recent[-_PLOTTED_BLOCKS:], axis=0), np.complex64)
