"""All painters of one portrait, at work beside each other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor

from facepuppet.core.types import F32, U8, Motion
from facepuppet.frames.cpu.render.crops import Crop
from facepuppet.frames.cpu.render.painter import Painter, Task


class Round:
    """One frame's work: this thread takes it from one end, helpers from the other, until they meet."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self._found: list[tuple[Crop, F32] | None] = []
        self._waiting: deque[int] = deque()
        self._helping: list[Future[None]] = []

    def add(self, tasks: Sequence[Task]) -> None:
        """Take in more work; of a network that need not run only the result."""
        for task in tasks:
            self._found.append(task.run() if task.feed is None else None)
            if task.feed is not None:
                self._waiting.append(len(self.tasks))
            self.tasks.append(task)

    def call(self, helpers: Executor, spared: int) -> None:
        """Let helpers do what waits, but for the part of this thread.

        Args:
            helpers: threads to work on.
            spared: how many tasks this thread can do meanwhile.
        """
        for _ in range(len(self._waiting) - spared - len(self._helping)):
            self._helping.append(helpers.submit(self._work, self._waiting.pop))

    def results(self) -> list[tuple[Crop, F32] | None]:
        """Do what is left, and return what every task found."""
        self._work(self._waiting.popleft)
        for helper in self._helping:
            helper.result()
        return self._found

    def _work(self, take: Callable[[], int]) -> None:
        while True:
            try:
                number = take()
            except IndexError:  # none is left
                return
            self._found[number] = self.tasks[number].run()


class PainterPool:
    """Runs painters on one picture, each network on a core of its own.

    One thread a network: spread over two, a network this small spends as much time waiting for its other
    half as it saves, and spinning threads would take the cores from the tracker. Both eyes in one run of
    their network save 4 % of it, and could not share two cores.

    Args:
        painters: those of the whole picture paint first, one by one; the others then see the same
            picture at the same time, as their masks do not overlap.
        helpers: threads to work on (`inference.Runtime.helpers`); a pool of its own if None.

    Attributes:
        every: paint anew on every n-th frame; 0 is never: eyes and mouth stay as they are drawn.
    """

    def __init__(self, painters: Sequence[Painter], helpers: Executor | None = None) -> None:
        self.every = 1
        regions = {
            region: [p for p in painters if p.network.region == region] for region in ("frame", "mouth")
        }
        self._coarse, self._mouths = regions["frame"], regions["mouth"]
        self._others = [painter for painter in painters if painter not in (*self._coarse, *self._mouths)]
        self._helpers = helpers or ThreadPoolExecutor(max(len(painters) - 1, 1), "painter")

    def begin(self, rgba: U8, motion: Motion) -> Round:
        """Start on the mouth, the longest piece of work, once it is drawn; eyes may be drawn meanwhile."""
        begun = Round()
        if not self._coarse:
            self._add(begun, self._mouths, rgba, motion)
            begun.call(self._helpers, 0)
        return begun

    def paint(self, rgba: U8, motion: Motion, begun: Round | None = None) -> None:
        """Let every painter add its residual to the moved portrait, in place.

        Args:
            rgba: the moved portrait.
            motion: that it shows.
            begun: what `begin` returned for this frame; it begins now if None.
        """
        for painter in self._coarse if self.every else ():
            painter.add(rgba, painter.residuals(rgba, motion, self.every - 1))
        work = begun or self.begin(rgba, motion)
        if self._coarse:
            self._add(work, self._mouths, rgba, motion)
        self._add(work, self._others, rgba, motion)
        work.call(self._helpers, 1)
        for task, found in zip(work.tasks, work.results(), strict=True):
            if found is not None:
                task.painter.add(rgba, [found])

    def _add(self, work: Round, painters: Sequence[Painter], rgba: U8, motion: Motion) -> None:
        for painter in painters if self.every else ():
            work.add(painter.tasks(rgba, motion, self.every - 1))
