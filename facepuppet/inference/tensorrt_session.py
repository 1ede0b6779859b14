"""Running a TensorRT engine, of either flavour."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from facepuppet.core.errors import EngineError, EngineRefusedError
from facepuppet.core.types import F32
from facepuppet.inference.gpu import HUNG_S, Gpu, import_cupy, wait_for
from facepuppet.inference.onnx_session import Feed
from facepuppet.inference.runtime_cache import RuntimeCache
from facepuppet.inference.tensorrt import Flavour

_FIRST_S = 120.0  # TensorRT-RTX compiles its kernels in the first run


class TensorRtSession:
    """An engine on a GPU, with its buffers.

    Args:
        plan: serialised engine, built by this flavour and version for this GPU.
        flavour: what built it.
        gpu: where to run it.
        kernels: compiled for it in an earlier start, or to be kept for the next.

    Raises:
        EngineRefusedError: the library does not load this engine.
        EngineError: the GPU was lost, or its memory is full.
    """

    def __init__(self, plan: bytes, flavour: Flavour, gpu: Gpu, kernels: RuntimeCache) -> None:
        self.engine = flavour.name
        self.description = f"{flavour.label} on {gpu.name}"
        self._flavour, self._gpu, self._cupy = flavour, gpu, import_cupy()
        self.graphable = True
        self._running = threading.Lock()
        self._patience_s = _FIRST_S
        try:
            with self._cupy.cuda.Device(gpu.index):
                self._load(plan, kernels)
        except self._cupy.cuda.memory.OutOfMemoryError as problem:
            raise self._full() from problem
        except (RuntimeError, TypeError) as problem:  # of CUDA and of the binding
            raise self._lost(problem) from problem

    def run(self, feed: Feed) -> dict[str, F32]:
        """Return every output by name; one call at a time, others wait."""
        try:
            with self._running, self._cupy.cuda.Device(self._gpu.index):
                for name, shape in self.input_shapes.items():
                    self._host[name][...] = feed[name].reshape(shape)
                    self._device[name].set(self._host[name], stream=self._stream)
                self.enqueue(self._stream)
                for name in self.output_names:
                    self._device[name].get(stream=self._stream, out=self._host[name], blocking=False)
                wait_for(self._stream, self._patience_s)
                self._patience_s = HUNG_S
                self.keep()
                return {name: self._host[name].copy() for name in self.output_names}
        except self._cupy.cuda.memory.OutOfMemoryError as problem:
            raise self._full() from problem
        # CUDA's errors: the GPU was unplugged, reset or taken away; or it hangs.
        except (RuntimeError, TimeoutError) as problem:
            raise self._lost(problem) from problem

    @property
    def memory(self) -> Mapping[str, Any]:
        """Every input and output on the GPU (cupy.ndarray), for whoever enqueues by himself."""
        return self._device

    def enqueue(self, stream: Any) -> None:
        """Run on a stream (cupy.cuda.Stream), from `memory` to `memory`; waits for nothing.

        Raises:
            EngineError: the library refused.
        """
        if not self._context.execute_async_v3(stream.ptr):
            raise self._flavour.failed("run this engine")

    def keep(self) -> None:
        """Keep what was compiled in the first run for the next start."""
        self._kernels.keep()

    def _load(self, plan: bytes, kernels: RuntimeCache) -> None:
        module = self._flavour.module
        self._runtime = module.Runtime(self._flavour.logger)
        engine = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise EngineRefusedError(*self._flavour.failed("load this engine").args)
        self._engine, self._context = engine, kernels.context_of(engine)
        self._kernels = kernels  # after the context, which has to go first
        if self._context is None:
            raise self._full()
        self._stream = self._cupy.cuda.Stream(non_blocking=True)
        pinned = import_module("cupyx").empty_pinned
        self._host: dict[str, Any] = {}
        self._device: dict[str, Any] = {}
        self.input_shapes: dict[str, tuple[int, ...]] = {}
        outputs = []
        for name in (engine.get_tensor_name(i) for i in range(engine.num_io_tensors)):
            shape, dtype = tuple(engine.get_tensor_shape(name)), module.nptype(engine.get_tensor_dtype(name))
            self._host[name] = pinned(shape, np.dtype(dtype))
            self._device[name] = self._cupy.empty(shape, np.dtype(dtype))
            self._context.set_tensor_address(name, int(self._device[name].data.ptr))
            if engine.get_tensor_mode(name) == module.TensorIOMode.INPUT:
                self.input_shapes[name] = shape
            else:
                outputs.append(name)
        self.output_names = tuple(outputs)

    def _full(self) -> EngineError:
        self._flavour.logger.take_complaint()
        return EngineError(
            f"{self._gpu.name}, whose memory is full ({self._gpu.memory_mb} MiB in all)",
            f"room for {self._flavour.label} and its engines",
            "Close other programs that use the GPU, or use --engine cpu.",
        )

    def _lost(self, problem: BaseException) -> EngineError:
        self._flavour.logger.take_complaint()
        return EngineError(
            f"{self._gpu.name}, which was lost ({' '.join(str(problem).split())[:200]})",
            f"a GPU that {self._flavour.label} can use",
            "Check nvidia-smi, or use --engine cpu.",
        )
