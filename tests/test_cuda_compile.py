"""NVIDIA's own compiler takes the kernels, for every kind of GPU; that needs no GPU."""

import re

import pytest

from facepuppet.frames.cuda.kernel_source import source

nvrtc = pytest.importorskip("cuda.bindings.nvrtc", reason="needs cuda-bindings and NVRTC (no macOS)")

# Turing, Ampere, Ada, Hopper and Blackwell.
TARGETS = (75, 80, 86, 89, 90, 120)


def compiled(code: str, target: int) -> tuple[bool, str]:
    error, program = nvrtc.nvrtcCreateProgram(code.encode(), b"kernels.cu", 0, [], [])
    assert error == nvrtc.nvrtcResult.NVRTC_SUCCESS
    options = [b"--std=c++17", b"-arch=sm_%d" % target, b"-Xptxas=-v"]
    (error,) = nvrtc.nvrtcCompileProgram(program, len(options), options)
    _, size = nvrtc.nvrtcGetProgramLogSize(program)
    log = b" " * size
    nvrtc.nvrtcGetProgramLog(program, log)
    nvrtc.nvrtcDestroyProgram(program)
    return error == nvrtc.nvrtcResult.NVRTC_SUCCESS, log.decode()


def few(target: int) -> list[pytest.MarkDecorator]:
    """The oldest and the newest tell most; one of them is enough for a first look."""
    marks = {TARGETS[0]: [], TARGETS[-1]: [pytest.mark.thorough]}
    return marks.get(target, [pytest.mark.slow])


@pytest.mark.parametrize("target", [pytest.param(target, marks=few(target)) for target in TARGETS])
def test_kernels_compile_without_a_warning_or_spill(target):
    done, log = compiled(source(), target)
    assert done and "warning" not in log, log
    kernels = set(re.findall(r"KERNEL (\w+)\(", source()))
    assert set(re.findall(r"entry function '(\w+)'", log)) == kernels
    assert set(re.findall(r"(\d+) bytes spill stores", log)) == {"0"}


def test_the_compiler_would_complain():
    done, log = compiled(source() + "KERNEL broken(int* a) { a[0] = no_such_name; }", TARGETS[0])
    assert not done and "no_such_name" in log


def test_no_kernel_counts_in_doubles():
    """A single 0.5 without its f would: consumer GPUs take 64 times as long for it."""
    error, program = nvrtc.nvrtcCreateProgram(source().encode(), b"kernels.cu", 0, [], [])
    options = [b"--std=c++17", b"-arch=compute_75"]
    (error,) = nvrtc.nvrtcCompileProgram(program, len(options), options)
    assert error == nvrtc.nvrtcResult.NVRTC_SUCCESS
    _, size = nvrtc.nvrtcGetPTXSize(program)
    ptx = b" " * size
    nvrtc.nvrtcGetPTX(program, ptx)
    nvrtc.nvrtcDestroyProgram(program)
    assert b".f32" in ptx and b".f64" not in ptx
