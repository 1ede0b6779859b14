"""What every sender offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

from facepuppet.wires import WireSample

S = TypeVar("S", bound="Sender")


class Sender(ABC):
    """Tells somebody else what a driver does; used by one thread.

    Attributes:
        description: whom it tells, in words for a person.
    """

    description: str = "a sender"

    @abstractmethod
    def send(self, sample: WireSample) -> None:
        """Tell of one moment; it may neither wait for who hears nor fail because nobody does.

        Raises:
            OSError: it could not be told.
        """

    @abstractmethod
    def close(self) -> None:
        """Release what is held; safe to call twice."""

    def __enter__(self: S) -> S:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
