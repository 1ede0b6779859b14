"""All painters of one portrait, at work beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

from facepuppet.core.types import U8, Motion
from facepuppet.frames.cpu.render.painter import Painter


class PainterPool:
    """Runs painters on one picture, each network on a core of its own.

    One thread a network: spread over two, a network this small spends as much time waiting for its other
    half as it saves, and spinning threads would take the cores from the tracker.

    Args:
        painters: those of the whole picture paint first, one by one; the others then see the same
            picture at the same time, as their masks do not overlap.
        helpers: threads to work on (`inference.Runtime.helpers`); a pool of its own if None.

    Attributes:
        every: paint anew on every n-th frame.
    """

    def __init__(self, painters: Sequence[Painter], helpers: Executor | None = None) -> None:
        self.every = 1
        self._coarse = [painter for painter in painters if painter.network.region == "frame"]
        self._fine = [painter for painter in painters if painter.network.region != "frame"]
        others = len(self._fine) - 1
        self._helpers = helpers or ThreadPoolExecutor(max(others, 1), "painter")

    def paint(self, rgba: U8, motion: Motion) -> None:
        """Let every painter add its residual to the moved portrait, in place."""
        patience = self.every - 1
        for painter in self._coarse:
            painter.add(rgba, painter.residuals(rgba, motion, patience))
        if not self._fine:
            return
        first, *others = self._fine
        waiting = [self._helpers.submit(other.residuals, rgba, motion, patience) for other in others]
        found = [first.residuals(rgba, motion, patience), *(future.result() for future in waiting)]
        for painter, residuals in zip(self._fine, found, strict=True):
            painter.add(rgba, residuals)
