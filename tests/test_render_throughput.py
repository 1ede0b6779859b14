"""The tool that times frames says what was timed, and refuses what it cannot."""

import sys

import pytest
import render_throughput
from emulated_cuda import needs_compiler
from fake_gpu import Machine


def measured(monkeypatch, capsys, *words):
    monkeypatch.setattr(render_throughput, "WARM_UP", 1)
    monkeypatch.setattr(render_throughput, "N_EXPRESSIONS", 3)
    arguments = ["--portrait", "256", "--canvas", "320x180", "--seconds", "0.2", *words]
    monkeypatch.setattr(sys, "argv", ["render_throughput.py", *arguments])
    render_throughput.main()
    return capsys.readouterr().out


def test_the_cpu_is_timed(monkeypatch, capsys):
    told = measured(monkeypatch, capsys, "--engine", "cpu")
    assert "frames a second, 1.00 times the first" in told and "frames by CPU" in told
    assert all(stage in told for stage in ("render", "compose", "mark"))


def test_stages_need_a_gpu(monkeypatch, capsys):
    with pytest.raises(SystemExit, match="made on a GPU, got CPU by cpu"):
        measured(monkeypatch, capsys, "--engine", "cpu", "--stages")


@pytest.mark.thorough  # test_cuda_frame_path takes the same times of one frame
@needs_compiler
def test_a_gpu_is_timed_step_by_step(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    Machine().install(monkeypatch, "tensorrt_rtx")
    told = measured(monkeypatch, capsys, "--engine", "tensorrt-rtx", "--stages")
    assert "CUDA kernels on NVIDIA GeForce RTX 4090" in told
    assert all(step in told for step in ("upload", "warp", "painters", "mark, bring"))
