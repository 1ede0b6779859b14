"""Who waits for a place, in the order in which they came."""

from __future__ import annotations


class WaitingLine:
    """A line; places in it count from 1."""

    def __init__(self) -> None:
        self._line: dict[str, None] = {}  # keeps its order

    def __len__(self) -> int:
        return len(self._line)

    def enter(self, who: str, most: int) -> bool:
        """Stand in line; False where so many stand in it."""
        if len(self._line) >= most:
            return False
        self._line[who] = None
        return True

    def leave(self, who: str) -> None:
        """Step out of it, seated or not; those behind move up."""
        self._line.pop(who, None)

    def place(self, who: str) -> int:
        """Return somebody's place; 0 for who does not stand in it."""
        return next((i for i, one in enumerate(self._line, start=1) if one == who), 0)
