"""One GPU as the frame path uses it: memory, compiled kernels, one stream, one graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from facepuppet.core.errors import EngineError
from facepuppet.frames.cuda.kernel_source import source
from facepuppet.inference.gpu import HUNG_S, Gpu, import_cupy, wait_for
from facepuppet.inference.runtime import Runtime

_BLOCK = (32, 8)

Array = Any  # memory on the GPU (cupy.ndarray); CuPy has no types of its own


class Device:
    """Compiles the kernels and runs them in order.

    Args:
        gpu: where.
        runtime: keeps the compiled kernels, which all puppets on this GPU share; compiled anew if None.

    Raises:
        EngineError: no CuPy, no compiler, or the GPU was lost or is full.
    """

    def __init__(self, gpu: Gpu, runtime: Runtime | None = None) -> None:
        self.gpu = gpu
        self._cupy = import_cupy()
        _load_compiler()
        self._runtime = runtime
        with self._answering():
            self.stream = self._cupy.cuda.Stream(non_blocking=True)
        self._kernels: dict[str, Any] = {}
        self._graph: Any = None

    @cached_property
    def _module(self) -> Any:
        """The kernels, once one is launched: who only copies and runs networks compiles none."""
        if self._runtime is None:
            return self._new_module()
        return self._runtime.once(("kernels", self.gpu.index), self._new_module)

    def _new_module(self) -> Any:
        return self._cupy.RawModule(code=source(), options=("--std=c++17",))

    def upload(self, array: npt.NDArray[Any]) -> Array:
        """Copy an array to the GPU, to stay there."""
        with self._answering():
            held = self._cupy.empty(array.shape, array.dtype)
        self.fill(held, array)
        return held

    def fill(self, held: Array, array: npt.NDArray[Any]) -> None:
        """Copy an array into memory on the GPU; there before this returns."""
        with self._answering():
            held.set(np.ascontiguousarray(array), stream=self.stream)
            self.stream.synchronize()

    def empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """Memory on the GPU that some kernel is to fill."""
        with self._answering():
            return self._cupy.empty(shape, np.dtype(dtype))

    def pinned(self, n_bytes: int) -> npt.NDArray[np.uint8]:
        """Memory of the computer that the GPU copies from and to by itself."""
        with self._answering():
            memory: npt.NDArray[np.uint8] = import_module("cupyx").empty_pinned(
                (n_bytes,), np.dtype(np.uint8)
            )
            return memory

    def compile(self) -> None:
        """Compile the kernels now rather than with the first frame; the result is cached on disk.

        Raises:
            EngineError: no compiler, or it refuses them.
        """
        with self._answering():
            self._module.compile()

    def launch(self, kernel: str, size: tuple[int, int], *arguments: Array | int | float) -> None:
        """Enqueue a kernel with a thread for each of (columns, rows)."""
        grid = tuple(-(-n // block) for n, block in zip(size, _BLOCK, strict=True))
        given = tuple(_scalar(argument) for argument in arguments)
        if kernel not in self._kernels:
            self._kernels[kernel] = self._module.get_function(kernel)
        self._kernels[kernel](grid, _BLOCK, given)

    def copy_in(self, pinned: npt.NDArray[Any], held: Array) -> None:
        """Enqueue a copy to the GPU."""
        held.set(pinned, stream=self.stream)

    def copy_out(self, held: Array, pinned: npt.NDArray[Any]) -> None:
        """Enqueue a copy from the GPU."""
        held.get(stream=self.stream, out=pinned, blocking=False)

    def copy(self, source: Array, held: Array) -> None:
        """Enqueue a copy from memory on the GPU to other memory there, of the same size."""
        held.data.copy_from_device_async(source.data, source.nbytes, self.stream)

    def record(self, enqueue: Callable[[], None]) -> None:
        """Capture what a function enqueues as a CUDA graph, for `replay`.

        Raises:
            EngineError: something that it enqueues cannot be captured; nothing has run.
        """
        with self._answering():
            self.stream.begin_capture()
            try:
                enqueue()
            finally:
                graph = self.stream.end_capture()
            self._graph = graph

    def replay(self) -> None:
        """Enqueue the recorded graph."""
        with self._answering():
            self._graph.launch(stream=self.stream)

    def run(self, enqueue: Callable[[], None]) -> None:
        """Enqueue one by one, without a graph."""
        with self._answering():
            enqueue()

    def stamp(self) -> Any:
        """Enqueue a time stamp, for `elapsed_s`."""
        with self._answering():
            event = self._cupy.cuda.Event()
            event.record(self.stream)
            return event

    def elapsed_s(self, earlier: Any, later: Any) -> float:
        """Seconds on the GPU between two stamps that it has passed."""
        with self._answering():
            return float(self._cupy.cuda.get_elapsed_time(earlier, later)) * 1e-3

    def wait(self, patience_s: float = HUNG_S) -> None:
        """Wait for all that was enqueued, but not for ever: a hung GPU never raises.

        Raises:
            EngineError: it was lost, or does not answer.
        """
        with self._answering():
            wait_for(self.stream, patience_s)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Make the GPU and its stream current, and name what goes wrong there."""
        try:
            with self._cupy.cuda.Device(self.gpu.index), getattr(self, "stream", None) or _Nothing():
                yield
        except self._cupy.cuda.memory.OutOfMemoryError as problem:
            raise EngineError(
                f"{self.gpu.name}, whose memory is full ({self.gpu.memory_mb} MiB in all)",
                "room for the portrait and its pictures",
                "Close other programs that use the GPU, or use --engine cpu.",
            ) from problem
        except (RuntimeError, TimeoutError, self._cupy.cuda.compiler.CompileException) as problem:
            raise self._lost(problem) from problem

    def _lost(self, problem: BaseException) -> EngineError:
        return EngineError(
            f"{self.gpu.name}, which failed ({' '.join(str(problem).split())[:200]})",
            "a GPU that runs the frame path",
            "Check nvidia-smi, or use --engine cpu.",
        )


def _scalar(argument: Any) -> Any:
    """Kernels take C's int and float, which Python's own types are not."""
    if isinstance(argument, int):
        return np.int32(argument)
    return np.float32(argument) if isinstance(argument, float) else argument


def _load_compiler() -> None:
    """Load NVRTC from NVIDIA's wheel, if it is there: CuPy alone looks only where CUDA was installed."""
    try:
        import_module("cuda.pathfinder").load_nvidia_dynamic_lib("nvrtc")
    except Exception:  # CuPy has its own ways to look, and its own words when they fail
        return


class _Nothing:
    """A context that changes nothing: a stream that is not there yet."""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...
