"""The GPUs that the pictures of the frame path are compared on: an emulated one, and a real one if there is.

    pytest -m gpu

runs the same tests on the real one alone. Nothing of CUDA is imported before such a test runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import pytest
from emulated_cuda import require_compiler
from fake_gpu import Machine

from facepuppet.core.errors import EngineError
from facepuppet.inference import Runtime
from facepuppet.inference.gpu import list_gpus
from facepuppet.inference.manifest import Network, read_verified
from facepuppet.inference.on_device import ON_DEVICE, OnDeviceSession, OnnxOnDevice
from facepuppet.inference.runtime import candidates

KINDS = ("emulated", pytest.param("real", marks=pytest.mark.gpu))  # for parametrize


class EmulatedGpu:
    """The kernels, run by the CPU (see `emulated_cuda`), and networks run by ONNX Runtime there.

    Attributes:
        machine: with this GPU in it.
    """

    def __init__(self, machine: Machine, patch: pytest.MonkeyPatch) -> None:
        self.machine, self._patch = machine, patch

    def engine(self) -> str:
        """An engine that whole frames can be made with, with its module."""
        self.machine.install(self._patch, "tensorrt_rtx")
        return "tensorrt-rtx"

    def open(self, network: Network, stream: object) -> OnDeviceSession:
        """Open a network on memory of this GPU."""
        return OnnxOnDevice(read_verified(network), list_gpus()[0], stream, "cpu")


class RealGpu:
    """CUDA's first GPU."""

    def engine(self) -> str:
        """An engine that whole frames can be made with; skips where none is installed."""
        return _real_engine()

    def open(self, network: Network, stream: object) -> OnDeviceSession:
        """Open a network on memory of this GPU."""
        engine = _real_engine()
        return Runtime(engine).open_on_device(engine, network, stream)


AnyGpu = EmulatedGpu | RealGpu


@contextmanager
def provided(kind: str) -> Iterator[AnyGpu]:
    """A GPU of one of KINDS while this lasts; skips where it cannot be."""
    if kind == "real":
        missing = _what_is_missing()
        if missing:
            pytest.skip(f"needs CuPy and an NVIDIA GPU: got {missing}")
        yield RealGpu()
        return
    require_compiler()
    machine = Machine()
    with pytest.MonkeyPatch.context() as patch:
        machine.install(patch)
        yield EmulatedGpu(machine, patch)
        machine.check_fences()


@lru_cache(maxsize=1)
def _what_is_missing() -> str:
    """Why no test can run on a real GPU; empty if one can."""
    try:
        return "" if list_gpus() else "no GPU that CUDA shows"
    except EngineError as problem:
        return problem.got


@lru_cache(maxsize=1)
def _real_engine() -> str:
    refused = []
    for engine in candidates():
        if engine in ON_DEVICE:
            try:
                Runtime(engine)
                return engine
            except EngineError as problem:
                refused.append(problem.got)
    got = "; ".join(refused) or "none of them"
    pytest.skip(f"needs TensorRT, TensorRT-RTX or onnxruntime-gpu: got {got}")
