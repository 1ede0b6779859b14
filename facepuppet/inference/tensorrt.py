"""The two flavours of TensorRT, which share one Python API."""

from __future__ import annotations

import logging
from collections import deque
from functools import cached_property
from importlib import import_module
from typing import Any

from facepuppet.core.errors import EngineError
from facepuppet.inference.gpu import Gpu, installed
from facepuppet.inference.onnx_session import LABELS

log = logging.getLogger(__name__)

MODULES = {"tensorrt": "tensorrt", "tensorrt-rtx": "tensorrt_rtx"}
_OLDEST = {"tensorrt": 10, "tensorrt-rtx": 1}  # major versions whose API is used here
_ADVICE = {"tensorrt": "pip install 'facepuppet[tensorrt]'", "tensorrt-rtx": "pip install 'facepuppet[gpu]'"}


def can_try(name: str) -> bool:
    """Whether all that a flavour needs is installed; imports nothing."""
    return installed(MODULES[name]) and installed("cupy")


class Flavour:
    """A flavour, imported.

    Args:
        name: one of MODULES.

    Attributes:
        name: the same.
        module: the imported API.
        version: of the library.
        logger: to be handed to every object of the API.

    Raises:
        EngineError: not installed, too old, or it does not load.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            self.module: Any = import_module(MODULES[name])
        except Exception as problem:  # besides ImportError, missing libraries raise what they like
            raise EngineError(
                f"no usable {LABELS[name]} ({' '.join(str(problem).split())[:200]})",
                f"the Python module {MODULES[name]}",
                _ADVICE[name],
            ) from problem
        self.version: str = self.module.__version__
        if int(self.version.split(".")[0]) < _OLDEST[name]:
            raise EngineError(
                f"{LABELS[name]} {self.version}", f"version {_OLDEST[name]} or newer", _ADVICE[name]
            )
        self.logger = _listener(self.module)

    @property
    def label(self) -> str:
        """Name and version for people."""
        return f"{LABELS[self.name]} {self.version}"

    @property
    def ahead_of_time(self) -> bool:
        """Whether it builds for GPUs that are not in this machine."""
        return hasattr(self.module, "ComputeCapability")

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """Compute capabilities it builds for ahead of time, oldest first; empty if it cannot."""
        if not self.ahead_of_time:
            return ()
        names = [n for n in dir(self.module.ComputeCapability) if n.startswith("SM")]
        return tuple(f"sm{number}" for number in sorted(int(n[2:]) for n in names))

    def choose(self, gpus: tuple[Gpu, ...]) -> Gpu:
        """Return the first GPU that this flavour runs on.

        Raises:
            EngineError: none of them.
        """
        for gpu in gpus:
            if not self.ahead_of_time or gpu.target in self.targets:
                return gpu
        raise EngineError(
            f"{', '.join(f'{gpu.name} ({gpu.target})' for gpu in gpus) or 'no NVIDIA GPU'}",
            f"one that {self.label} runs on ({', '.join(self.targets) or 'any'})",
            "Use another --engine.",
        )

    def failed(self, what: str, todo: str = "Use --engine cpu, or see --debug.") -> EngineError:
        """Say that the library refused something, with its own last words."""
        words = self.logger.take_complaint()
        return EngineError(
            f"{self.label}, which cannot {what}" + (f" ({words})" if words else ""),
            "an engine that works here",
            todo,
        )


def _listener(module: Any) -> Any:
    """A logger of the library's own kind that passes on to ours and remembers what went wrong."""

    class Listener(module.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self._complaints: deque[str] = deque(maxlen=8)

        def log(self, severity: Any, text: str) -> None:
            if severity in (module.ILogger.ERROR, module.ILogger.INTERNAL_ERROR):
                self._complaints.append(text)
            log.debug("%s", text)

        def take_complaint(self) -> str:
            """Return the first complaint since the last call: what follows are its consequences."""
            first = " ".join(self._complaints[0].split())[:240] if self._complaints else ""
            self._complaints.clear()
            return first

    return Listener()
