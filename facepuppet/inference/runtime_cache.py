"""The kernels that TensorRT-RTX compiles in an engine's first run, kept for the next start.

An engine of TensorRT-RTX serves every GPU of its target; what each GPU really runs is compiled on it.
TensorRT itself compiles when it builds: it has no such cache, and nothing is kept for it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from facepuppet.core.errors import OutputUnwritableError
from facepuppet.inference.engine_cache import EngineCache
from facepuppet.inference.engine_file import KERNELS, EngineKey
from facepuppet.inference.gpu import Gpu
from facepuppet.inference.tensorrt import Flavour

log = logging.getLogger(__name__)


class RuntimeCache:
    """The compiled kernels of one engine on one GPU.

    Must outlive the context that it made: TensorRT-RTX keeps plain pointers.

    Args:
        cache: where they are kept.
        engine: what they are compiled from.
        flavour: what compiles them.
        gpu: for what.
    """

    def __init__(self, cache: EngineCache, engine: EngineKey, flavour: Flavour, gpu: Gpu) -> None:
        self._cache, self._flavour = cache, flavour
        self._key = replace(engine, gpu=gpu.name, kind=KERNELS)
        self._config: Any = None
        self._kernels: Any = None
        self._known: bytes | None = None  # what was there before
        self._to_keep = False

    def context_of(self, engine: Any) -> Any:
        """Return an execution context of a loaded engine, None when the GPU's memory is full.

        Kernels of an earlier start are used where TensorRT-RTX takes them, which it does only on the
        same GPU with a driver no older. A CUDA context must be current.
        """
        if hasattr(self._flavour.module, "IRuntimeCache"):
            self._config = engine.create_runtime_config()
        if self._config is not None:
            self._kernels = self._config.create_runtime_cache()
        if self._kernels is None:
            return engine.create_execution_context()
        self._load()
        self._to_keep = self._config.set_runtime_cache(self._kernels)
        return engine.create_execution_context(runtime_config=self._config)

    def keep(self) -> None:
        """Write what was compiled, after the first run; later calls do nothing."""
        if not self._to_keep:
            return
        self._to_keep = False
        compiled = self._kernels.serialize()
        if compiled is None or bytes(compiled) == self._known:
            return
        try:
            self._cache.put(self._key, bytes(compiled))
        except OutputUnwritableError as problem:  # costs only the next start's time
            log.warning("the compiled kernels could not be cached: %s", problem)

    def _load(self) -> None:
        self._known = self._cache.get(self._key)
        if self._known is not None and not self._kernels.deserialize(self._known):
            words = self._flavour.logger.take_complaint() or "of another driver or system"
            log.warning("Kernels of %r are compiled again (%s).", self._key.network, words)
