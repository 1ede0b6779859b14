"""NVIDIA GPUs of this machine, asked through CuPy; nothing of CUDA is imported before it is asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from facepuppet.core.errors import EngineError

HUNG_S = 0.4  # a frame or a painter takes milliseconds; the call must go on within a second


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU.

    Attributes:
        index: CUDA's number of it, after CUDA_VISIBLE_DEVICES.
        name: its model.
        target: compute capability as "sm89".
        memory_mb: its own memory in MiB.
        driver_cuda: newest CUDA version that the driver serves, as "13.0".
    """

    index: int
    name: str
    target: str
    memory_mb: int
    driver_cuda: str


def installed(module: str) -> bool:
    """Whether a module could be imported, without importing it."""
    return find_spec(module) is not None


def import_cupy() -> Any:
    """Import CuPy, which holds the buffers on the GPU.

    Raises:
        EngineError: it is not installed, or does not load.
    """
    try:
        return import_module("cupy")
    except Exception as problem:  # besides ImportError, missing CUDA libraries raise what they like
        raise EngineError(
            f"no usable CuPy ({_first_line(problem)})",
            "CuPy, which moves pictures to and from the GPU",
            "pip install 'facepuppet[gpu]'",
        ) from problem


def list_gpus() -> tuple[Gpu, ...]:
    """Return the GPUs that CUDA shows, fastest first unless CUDA_DEVICE_ORDER says otherwise.

    Raises:
        EngineError: no CuPy, no driver, a driver that is too old, or no GPU.
    """
    runtime = import_cupy().cuda.runtime
    driver, needed = _version(runtime.driverGetVersion()), _version(runtime.runtimeGetVersion())
    try:
        count = runtime.getDeviceCount()
        driver_cuda = ".".join(map(str, driver))
        return tuple(_gpu(runtime.getDeviceProperties(i), i, driver_cuda) for i in range(count))
    except runtime.CUDARuntimeError as problem:
        raise _no_gpu(driver, needed, _first_line(problem)) from problem


def wait_for(stream: Any, patience_s: float) -> None:
    """Wait for a stream (cupy.cuda.Stream) to be done, but not for ever: a hung GPU never raises.

    Raises:
        TimeoutError: it does not answer.
    """
    deadline_s = time.monotonic() + patience_s
    while not stream.done:
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"no answer in {patience_s:g} s")
        time.sleep(0)


def _gpu(properties: dict[str, Any], index: int, driver_cuda: str) -> Gpu:
    return Gpu(
        index,
        properties["name"].decode(),
        f"sm{properties['major']}{properties['minor']}",
        properties["totalGlobalMem"] >> 20,
        driver_cuda,
    )


def _no_gpu(driver: tuple[int, int], needed: tuple[int, int], why: str) -> EngineError:
    if driver == (0, 0):
        return EngineError(
            "no NVIDIA driver",
            "one, for an engine on an NVIDIA GPU",
            "Install NVIDIA's driver, or use --engine cpu.",
        )
    if driver < needed:
        return EngineError(
            f"an NVIDIA driver for CUDA {driver[0]}.{driver[1]}, which is too old",
            f"one for CUDA {needed[0]}.{needed[1]} or newer",
            "Update the NVIDIA driver.",
        )
    return EngineError(
        f"no NVIDIA GPU that can be used ({why})", "one that CUDA shows", "Check nvidia-smi, or use the CPU."
    )


def _version(number: int) -> tuple[int, int]:
    """CUDA counts 13.1 as 13010."""
    return number // 1000, number % 1000 // 10


def _first_line(problem: Exception) -> str:
    lines = [line.strip("= ") for line in str(problem).splitlines()]
    return next((line for line in lines if line), type(problem).__name__)
