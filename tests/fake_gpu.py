"""A machine with NVIDIA GPUs, as far as facepuppet can tell: modules with the APIs of CuPy and TensorRT.

Runtime are real networks run by ONNX Runtime on numpy memory, and kernels are really compiled and run (see
emulated_cuda), so names, shapes, copies and addresses have to be right. What a test wants to go wrong, it
sets on the `Machine`.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import sys
import time
import types
import weakref
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

import numpy as np
import pytest
from emulated_cuda import SANITIZE, CompileException, EmulatedModule

from facepuppet.inference.silent_onnxruntime import ort

MAGIC = b"fake plan "


@dataclass
class Machine:
    """What the fakes share.

    Attributes:
        driver: CUDA version of the driver, 0 for none.
        gpus: names and compute capabilities.
        lost: the GPU answers every call with an error.
        hung: the GPU never finishes.
        full_from: bytes that may be allocated.
        wrong: added to every output.
        runs: how many times an engine ran.
        builds: how many engines were built.
        compiled: how many engines' kernels were compiled, in first runs.
        allocated: bytes on the GPU so far.
        captured: what is enqueued while a graph is captured; None while none is.
        capturable: graphs can be captured.
        replayable: graphs do what was captured.
        backwards: the last thread of each kernel runs first.
        fences: memory whose borders `check_fences` looks at.
        current: CUDA's current device.
    """

    driver: int = 13000
    runtime: int = 13000
    gpus: list[tuple[str, int, int]] = field(default_factory=lambda: [("NVIDIA GeForce RTX 4090", 8, 9)])
    lost: bool = False
    hung: bool = False
    full_from: int = 1 << 40
    wrong: float = 0.0
    runs: int = 0
    builds: int = 0
    compiled: int = 0
    allocated: int = 0
    current: int = 0
    captured: list | None = None
    capturable: bool = True
    replayable: bool = True
    backwards: bool = False
    fences: list = field(default_factory=list)

    @property
    def target(self) -> str:
        """Compute capability of the current device, as in "89"."""
        _, major, minor = self.gpus[self.current]
        return f"{major}{minor}"

    def check(self) -> None:
        if self.driver == 0 or self.driver < self.runtime:
            raise CUDARuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient")
        if not self.gpus:
            raise CUDARuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")
        if self.lost:
            raise CUDARuntimeError("cudaErrorDevicesUnavailable: the device fell off the bus")

    def enqueue(self, operation) -> None:
        """Do it, or keep it for the graph that is being captured."""
        self.check()
        operation() if self.captured is None else self.captured.append(operation)

    def check_fences(self) -> None:
        """Nothing may have written before or behind any memory of the GPU."""
        for memory in self.fences:
            assert (memory[:_FENCE] == _FENCE_BYTE).all()
            assert (memory[len(memory) - _FENCE :] == _FENCE_BYTE).all()

    def install(self, patch: pytest.MonkeyPatch, *flavours: str, version: str = "1.7.1") -> None:
        """Make the modules importable: CuPy, and the flavours by their modules' names."""
        cupy = fake_cupy(self)
        patch.setitem(sys.modules, "cupy", cupy)
        patch.setitem(sys.modules, "cupyx", cupy.cupyx)
        for name in ("tensorrt", "tensorrt_rtx"):
            patch.delitem(sys.modules, name, raising=False)
        for name in flavours:
            patch.setitem(sys.modules, name, fake_tensorrt(self, name, version))
        known = {"cupy", *flavours}
        for asking in ("tensorrt", "builder"):
            patch.setattr(f"facepuppet.inference.{asking}.installed", lambda module: module in known)


class CUDARuntimeError(RuntimeError):
    pass


class OutOfMemoryError(MemoryError):
    pass


_FENCE, _FENCE_BYTE = 0 if SANITIZE else 256, 0xA5  # fences would hide reads beyond an end


class DeviceArray:
    """Memory "on the GPU": only its address and explicit copies reach it; at first it holds rubbish."""

    def __init__(self, machine: Machine, shape, dtype) -> None:
        machine.check()
        n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        machine.allocated += n_bytes
        if machine.allocated > machine.full_from:
            raise OutOfMemoryError(f"Out of memory allocating {n_bytes} bytes")
        memory = np.full(n_bytes + 2 * _FENCE, _FENCE_BYTE, np.uint8)
        machine.fences.append(memory)
        self._machine, self._array = machine, memory[_FENCE : _FENCE + n_bytes].view(dtype).reshape(shape)
        self._array[...] = 7
        self.shape, self.dtype, self.nbytes = self._array.shape, self._array.dtype, n_bytes
        self.data = types.SimpleNamespace(
            ptr=self._array.ctypes.data, copy_from_device_async=self._copy_from_device_async
        )

    def set(self, array, stream) -> None:
        assert array.dtype == self._array.dtype and array.shape == self._array.shape
        self._machine.enqueue(lambda: self._array.__setitem__(..., array))

    def _copy_from_device_async(self, source, n_bytes: int, stream) -> None:
        assert n_bytes == self.nbytes
        self._machine.enqueue(lambda: ctypes.memmove(self.data.ptr, source.ptr, n_bytes))

    def get(self, stream, out, blocking) -> None:
        assert not blocking and out.dtype == self._array.dtype and out.shape == self._array.shape
        self._machine.enqueue(lambda: out.__setitem__(..., self._array))


def fake_cupy(machine: Machine) -> types.ModuleType:
    class Graph:
        def __init__(self, operations: list) -> None:
            self._operations = operations

        def launch(self, stream) -> None:
            machine.check()
            for operation in self._operations if machine.replayable else ():
                operation()

    class Event:
        def record(self, stream) -> None:
            machine.enqueue(lambda: None)
            self.at_s = time.perf_counter()

    class RawModule(EmulatedModule):
        def __init__(self, *, code: str, options: tuple[str, ...]) -> None:
            machine.check()
            super().__init__(code, machine.enqueue, lambda: machine.backwards)

    class Stream:
        def __init__(self, non_blocking: bool) -> None:
            machine.check()
            self.ptr = 1

        def __enter__(self):
            return self

        def __exit__(self, *_: object) -> None: ...

        @property
        def done(self) -> bool:
            machine.check()
            return not machine.hung

        def synchronize(self) -> None:
            machine.check()

        def begin_capture(self) -> None:
            machine.check()
            machine.captured = []

        def end_capture(self) -> Graph:
            captured, machine.captured = machine.captured, None
            if not machine.capturable:
                raise CUDARuntimeError(
                    "cudaErrorStreamCaptureInvalidated: operation failed due to a previous error"
                )
            return Graph(captured)

    @contextmanager
    def device(index: int):
        machine.current, before = index, machine.current
        yield
        machine.current = before

    def properties(index: int):
        machine.check()
        name, major, minor = machine.gpus[index]
        return {"name": name.encode(), "major": major, "minor": minor, "totalGlobalMem": 24 << 30}

    def count() -> int:
        machine.check()
        return len(machine.gpus)

    cupy = types.ModuleType("cupy")
    cupy.empty = lambda shape, dtype: DeviceArray(machine, shape, dtype)
    cupy.RawModule = RawModule
    runtime = types.SimpleNamespace(
        CUDARuntimeError=CUDARuntimeError,
        driverGetVersion=lambda: machine.driver,
        runtimeGetVersion=lambda: machine.runtime,
        getDeviceCount=count,
        getDeviceProperties=properties,
    )
    memory = types.SimpleNamespace(OutOfMemoryError=OutOfMemoryError)
    cupy.cuda = types.SimpleNamespace(
        runtime=runtime, memory=memory, Stream=Stream, Device=device, Event=Event
    )
    cupy.cuda.compiler = types.SimpleNamespace(CompileException=CompileException)
    cupy.cuda.get_elapsed_time = lambda start, end: (end.at_s - start.at_s) * 1e3
    cupy.cupyx = types.ModuleType("cupyx")
    cupy.cupyx.empty_pinned = np.empty
    return cupy


class _Tensor:
    def __init__(self, node) -> None:
        self.name, self.shape = node.name, tuple(node.shape)
        self.dtype = np.uint8 if node.type == "tensor(uint8)" else np.float32


@lru_cache(maxsize=32)
def _session(model: bytes) -> ort.InferenceSession:
    """A session for all engines of a model; a second thread would wait busily for its turn."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class _Engine:
    def __init__(self, machine: Machine, model: bytes) -> None:
        self._machine, self._device = machine, machine.current
        self._digest = hashlib.sha256(model).hexdigest()
        self._session = _session(model)
        self._inputs = [_Tensor(node) for node in self._session.get_inputs()]
        self._outputs = [_Tensor(node) for node in self._session.get_outputs()]
        self._by_name = {tensor.name: tensor for tensor in (*self._inputs, *self._outputs)}
        self.num_io_tensors = len(self._by_name)

    def get_tensor_name(self, i: int) -> str:
        return list(self._by_name)[i]

    def get_tensor_shape(self, name: str):
        return self._by_name[name].shape

    def get_tensor_dtype(self, name: str):
        return self._by_name[name].dtype

    def get_tensor_mode(self, name: str) -> str:
        return "in" if name in {tensor.name for tensor in self._inputs} else "out"

    def create_runtime_config(self) -> _RuntimeConfig:
        return _RuntimeConfig(self._machine)

    def create_execution_context(self, runtime_config: _RuntimeConfig | None = None) -> _Context:
        return _Context(self, runtime_config)


class _RuntimeConfig:
    def __init__(self, machine: Machine) -> None:
        self._machine, self._cache = machine, None

    def create_runtime_cache(self) -> _RuntimeCache:
        return _RuntimeCache(self._machine)

    def set_runtime_cache(self, cache: _RuntimeCache) -> bool:
        self._cache = cache
        return True


class _RuntimeCache:
    """Names of engines, and the GPU and driver that they were compiled with."""

    def __init__(self, machine: Machine) -> None:
        self._machine, self._kernels = machine, []

    def serialize(self) -> memoryview:
        machine = self._machine
        return memoryview(json.dumps([machine.driver, machine.gpus, self._kernels]).encode())

    def deserialize(self, blob: bytes) -> bool:
        self._machine.check()
        driver, gpus, kernels = json.loads(blob)
        if driver > self._machine.driver or [tuple(gpu) for gpu in gpus] != self._machine.gpus:
            return False
        self._kernels = kernels
        return True


class _Context:
    def __init__(self, engine: _Engine, config: _RuntimeConfig | None) -> None:
        self._engine, self._at = engine, {}
        # As in C++ nothing is held here: who lets go of config or cache has lost them.
        self._config = config and weakref.ref(config)
        self._cache = config and config._cache and weakref.ref(config._cache)
        self._is_compiled = False

    def set_tensor_address(self, name: str, address: int) -> None:
        self._at[name] = address

    def execute_async_v3(self, stream: int) -> bool:
        machine = self._engine._machine
        assert machine.current == self._engine._device, "run on another device than loaded on"
        machine.enqueue(self._execute)
        return True

    def _execute(self) -> None:
        machine = self._engine._machine
        machine.runs += 1
        self._compile()
        feed = {tensor.name: self._memory(tensor) for tensor in self._engine._inputs}
        given = self._engine._session.run(None, feed)
        for tensor, value in zip(self._engine._outputs, given, strict=True):
            self._memory(tensor)[...] = value + machine.wrong

    def _compile(self) -> None:
        assert self._config is None or self._config() is not None, "the config is gone"
        known = []
        if self._cache is not None:
            assert self._cache() is not None, "the runtime cache is gone"
            known = self._cache()._kernels
        if not self._is_compiled and self._engine._digest not in known:
            self._engine._machine.compiled += 1
            known.append(self._engine._digest)
        self._is_compiled = True

    def _memory(self, tensor: _Tensor):
        n = int(np.prod(tensor.shape))
        pointer = ctypes.cast(
            self._at[tensor.name], ctypes.POINTER(np.ctypeslib.as_ctypes_type(tensor.dtype))
        )
        return np.ctypeslib.as_array(pointer, (n,)).reshape(tensor.shape)


class _Config:
    def __init__(self) -> None:
        self.num_compute_capabilities, self._target = 0, None

    def clear_flag(self, flag: str) -> None:
        assert flag == "tf32"

    def set_compute_capability(self, target: int, index: int) -> None:
        assert index < self.num_compute_capabilities
        self._target = target


class _Network:
    def __init__(self, machine: Machine, flags: int) -> None:
        assert flags == 1, "strongly typed"
        self._machine = machine

    def parsed(self, model: bytes) -> None:
        self._model, self._engine = model, _Engine(self._machine, model)

    @property
    def num_inputs(self) -> int:
        return len(self._engine._inputs)

    @property
    def num_outputs(self) -> int:
        return len(self._engine._outputs)

    def get_input(self, i: int) -> _Tensor:
        return self._engine._inputs[i]

    def get_output(self, i: int) -> _Tensor:
        return self._engine._outputs[i]


def fake_tensorrt(machine: Machine, name: str, version: str) -> types.ModuleType:
    """The part of the API that both flavours share; ahead-of-time targets for tensorrt_rtx only."""
    module = types.ModuleType(name)
    module.__version__ = version
    severity = IntEnum("Severity", ["INTERNAL_ERROR", "ERROR", "WARNING", "INFO", "VERBOSE"], start=0)

    class ILogger:
        INTERNAL_ERROR, ERROR, WARNING = severity.INTERNAL_ERROR, severity.ERROR, severity.WARNING

    class Parser:
        def __init__(self, network: _Network, logger: ILogger) -> None:
            self._network, self._logger = network, logger

        def parse(self, model: bytes) -> bool:
            try:
                self._network.parsed(model)
            except Exception as error:
                self._logger.log(severity.ERROR, str(error))
                return False
            return True

    class Builder:
        def __init__(self, logger: ILogger) -> None:
            if name == "tensorrt" and (machine.driver < machine.runtime or not machine.gpus):
                logger.log(severity.ERROR, "CUDA initialization failure with error: 35")
                raise TypeError("pybind11::init(): factory function returned nullptr")
            self._logger = logger

        def create_network(self, flags: int) -> _Network:
            return _Network(machine, flags)

        def create_builder_config(self) -> _Config:
            return _Config()

        def build_serialized_network(self, network: _Network, config: _Config) -> bytes:
            machine.builds += 1
            target = config._target or machine.target
            return MAGIC + f"{version} {target}\n".encode() + network._model

    class Runtime:
        def __init__(self, logger: ILogger) -> None:
            self._logger = logger

        def deserialize_cuda_engine(self, plan: bytes) -> _Engine | None:
            machine.check()
            head, _, model = plan.partition(b"\n")
            built = head.removeprefix(MAGIC).decode()
            if built != f"{version} {machine.target}":
                self._logger.log(severity.ERROR, f"The engine plan file is not compatible: {built}")
                return None
            return _Engine(machine, model)

    module.ILogger, module.Builder, module.OnnxParser, module.Runtime = ILogger, Builder, Parser, Runtime
    module.NetworkDefinitionCreationFlag = types.SimpleNamespace(STRONGLY_TYPED=0)
    module.BuilderFlag = types.SimpleNamespace(TF32="tf32")
    module.TensorIOMode = types.SimpleNamespace(INPUT="in", OUTPUT="out")
    module.nptype = lambda dtype: dtype
    if name == "tensorrt_rtx":
        module.IRuntimeConfig, module.IRuntimeCache = _RuntimeConfig, _RuntimeCache
        module.ComputeCapability = types.SimpleNamespace(
            NONE=0, CURRENT=1, **{f"SM{n}": n for n in (75, 80, 86, 89, 120)}
        )
    return module
