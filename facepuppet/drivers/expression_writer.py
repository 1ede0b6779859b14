"""What every recording is written by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from facepuppet.core.errors import OutputUnwritableError
from facepuppet.core.types import Expression

W = TypeVar("W", bound="ExpressionWriter")


class ExpressionWriter(ABC):
    """Writes expressions as they come; the file appears under its name at close().

    Attributes:
        n: expressions written so far.
        n_with_face: of those, in which the driver was seen.
    """

    _path: Path
    n: int = 0
    n_with_face: int = 0

    @abstractmethod
    def add(self, expression: Expression) -> None:
        """Append one expression; ignored after close().

        Raises:
            OutputUnwritableError: the disk is full.
        """

    @abstractmethod
    def close(self) -> None:
        """Finish the file and give it its name; without a single expression there is no file."""

    @abstractmethod
    def abort(self) -> None:
        """Throw away what was written; a former file under the name stays as it was."""

    def _unwritable(self, error: OSError) -> OutputUnwritableError:
        """Give up; return what to tell."""
        self.abort()
        return OutputUnwritableError(
            f"'{self._path}', which cannot be written ({error.strerror or error})",
            "an existing folder that you may write to, with room left",
            "Choose another file, or free some space.",
        )

    def __enter__(self: W) -> W:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()
