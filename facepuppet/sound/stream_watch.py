"""Whether two open sound devices still live, and whether this program keeps pace with them."""

from __future__ import annotations

from facepuppet.core.errors import SoundError

STALL_S = 1.0  # without a block, and a device counts as gone
START_S = 3.0  # until then a server may take its time between blocks
SLIPS_S = 5.0  # in which slips are counted
MAX_SLIPS = 4  # of a machine that keeps pace
_AGAIN = "It is tried again until it works."


class StreamWatch:
    """Looked at a few times a second for as long as two devices are open.

    Args:
        names: of the microphone and of the output.

    Attributes:
        hurried: the machine is not in time for the devices, which should hold more.
        calm_s: for how long it has been in time.
    """

    def __init__(self, names: tuple[str, str]) -> None:
        self.hurried, self.calm_s = False, 0.0
        self._names = names
        self._seen, self._still_s = [0, 0], [0.0, 0.0]
        self._passed_s = self._counted_s = 0.0
        self._slips = 0

    def look(self, blocks: tuple[int, int], slips: int, passed_s: float) -> None:
        """Take note of how far the devices are.

        Args:
            blocks: of the microphone and of the output, so far.
            slips: how often one of them had to wait for this program, so far.
            passed_s: since the last look.

        Raises:
            SoundError: one gives or takes nothing more.
        """
        self._passed_s += passed_s
        bound_s = STALL_S if self._passed_s > START_S + STALL_S else START_S
        for i, name in enumerate(self._names):
            self._still_s[i] = 0.0 if blocks[i] != self._seen[i] else self._still_s[i] + passed_s
            if self._still_s[i] > bound_s:
                raise SoundError(f"no more sound through '{name}'", "a device that works", _AGAIN)
        self._seen = list(blocks)
        self._count(slips, passed_s)

    def _count(self, slips: int, passed_s: float) -> None:
        self._counted_s += passed_s
        if self._passed_s < START_S:  # devices that are just opened slip
            self._slips, self._counted_s = slips, 0.0
        elif self._counted_s >= SLIPS_S:
            self.hurried = slips - self._slips > MAX_SLIPS
            self.calm_s = 0.0 if slips - self._slips > 1 else self.calm_s + self._counted_s
            self._slips, self._counted_s = slips, 0.0
