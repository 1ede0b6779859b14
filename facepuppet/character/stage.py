"""What shapes a performance between its driver and its portrait."""

from __future__ import annotations

from typing import Protocol

from facepuppet.core.types import Expression


class Stage(Protocol):
    """Shapes expressions, in the order of capture; what it leaves as it is comes back as the same object."""

    def update(self, expression: Expression) -> Expression:
        """Return the expression as this stage shapes it; time is expression.captured_ns and does not fall."""
