"""Runs CUDA kernels on the CPU: the very source that a GPU gets, compiled by the machine's C++ compiler.

It fits kernels whose threads never wait for each other: each thread runs after the other. Scalars and
pointers must be of the types in the kernel's signature, which CuPy would not check.

Reads outside of any memory are found by GCC's sanitizers, much slower:

    LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" \\
        ASAN_OPTIONS=detect_leaks=0 FACEPUPPET_SANITIZE=1 pytest tests/test_cuda_*.py
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

COMPILER = next(filter(None, map(shutil.which, ("c++", "clang++", "g++"))), None)
SANITIZE = bool(os.environ.get("FACEPUPPET_SANITIZE"))
_OPTIONS = (
    ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    if SANITIZE
    # Kernels inlined into their loops, and indices without a call; more optimising costs more than it gives.
    else ("-O1", "-fno-semantic-interposition", "-ftls-model=initial-exec")
)
_NO_COMPILER = "no C++ compiler: kernels cannot be run here"
needs_compiler = pytest.mark.skipif(COMPILER is None, reason=_NO_COMPILER)

# What CUDA's own compiler knows by itself.
_CUDA = r"""
#include <math.h>
#include <string.h>
#define __global__
#define __device__ static
struct Index { unsigned int x, y, z; };
static thread_local Index blockIdx, threadIdx, blockDim, gridDim;
struct float2 { float x, y; };
struct float4 { float x, y, z, w; };
struct uchar4 { unsigned char x, y, z, w; };
static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }
static inline float2 make_float2(float x, float y) { return {x, y}; }
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
static inline uchar4 make_uchar4(unsigned char x, unsigned char y, unsigned char z, unsigned char w) {
    return {x, y, z, w};
}
static inline unsigned int __float_as_uint(float v) { unsigned int bits; memcpy(&bits, &v, 4); return bits; }
static inline unsigned long long atomicMax(unsigned long long* at, unsigned long long v) {
    unsigned long long old = *at;
    if (v > old) *at = v;
    return old;
}
"""
_KERNEL = re.compile(r"KERNEL (\w+)\(([^)]*)\)")
_LAUNCHER = """
extern "C" void launch_{name}(const int* shape_, {parameters}) {{
    gridDim = {{(unsigned)shape_[0], (unsigned)shape_[1], 1}};
    blockDim = {{(unsigned)shape_[2], (unsigned)shape_[3], 1}};
    const unsigned per_block_ = blockDim.x * blockDim.y, blocks_ = gridDim.x * gridDim.y;
    for (unsigned nth_ = 0; nth_ < blocks_; nth_++) {{
        const unsigned block_ = shape_[4] ? blocks_ - 1 - nth_ : nth_;
        blockIdx = {{block_ % gridDim.x, block_ / gridDim.x, 0}};
        for (unsigned i_ = 0; i_ < per_block_; i_++) {{
            const unsigned thread_ = shape_[4] ? per_block_ - 1 - i_ : i_;
            threadIdx = {{thread_ % blockDim.x, thread_ / blockDim.x, 0}};
            {name}({names});
        }}
    }}
}}
"""


def require_compiler() -> None:
    """Skip where kernels cannot be run."""
    if COMPILER is None:
        pytest.skip(_NO_COMPILER)


class CompileException(Exception):  # noqa: N818 - its name there
    """CuPy's, which is no RuntimeError."""


class EmulatedModule:
    """What cupy.RawModule gives: kernels by name.

    Args:
        code: CUDA source.
        enqueue: called with each launch, to be done now or later.
        backwards: asked at each launch whether the last thread runs first.
    """

    def __init__(
        self, code: str, enqueue: Callable[[Callable[[], None]], None], backwards: Callable[[], bool]
    ) -> None:
        self._library, self._kernels = _compiled(code)
        self._enqueue, self._backwards = enqueue, backwards

    def compile(self) -> None:
        """Done already."""

    def get_function(self, name: str):
        parameters, launcher = self._kernels[name], self._library[f"launch_{name}"]

        def launch(grid, block, arguments) -> None:
            assert len(grid) == len(block) == 2 and min(*grid, *block) > 0
            shape = (ctypes.c_int * 5)(*grid, *block, self._backwards())
            given = [
                _argument(name, parameter, argument)
                for parameter, argument in zip(parameters, arguments, strict=True)
            ]
            self._enqueue(lambda: launcher(shape, *given))

        return launch


def _argument(kernel: str, parameter: str, argument):
    where = f"{kernel}: {parameter}"
    if "*" in parameter:
        assert hasattr(argument, "data"), where
        return ctypes.c_void_p(argument.data.ptr)
    if parameter.startswith("int "):
        assert type(argument) is np.int32, where
        return ctypes.c_int(argument)
    assert parameter.startswith("float ") and type(argument) is np.float32, where
    return ctypes.c_float(argument)


@lru_cache(maxsize=4)
def _compiled(code: str) -> tuple[ctypes.CDLL, dict[str, list[str]]]:
    if COMPILER is None:
        raise CompileException("no C++ compiler")
    kernels = {name: [p.strip() for p in text.split(",")] for name, text in _KERNEL.findall(code)}
    launchers = [
        _LAUNCHER.format(
            name=name,
            parameters=", ".join(parameters),
            names=", ".join(re.findall(r"\w+$", parameter)[0] for parameter in parameters),
        )
        for name, parameters in kernels.items()
    ]
    folder = Path(tempfile.mkdtemp(prefix="facepuppet-kernels-"))
    try:
        (folder / "kernels.cpp").write_text(_CUDA + code + "".join(launchers), "utf-8")
        library = folder / "kernels.so"
        command = [
            COMPILER,
            "-std=c++17",
            *_OPTIONS,
            "-shared",
            "-fPIC",
            "-o",
            library,
            folder / "kernels.cpp",
        ]
        subprocess.run(command, check=True, capture_output=True, text=True)
        return ctypes.CDLL(str(library)), kernels
    except subprocess.CalledProcessError as problem:
        raise CompileException(problem.stderr) from problem
    finally:
        shutil.rmtree(folder, ignore_errors=True)
