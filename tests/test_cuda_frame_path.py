"""A whole frame on a GPU: the CPU's pictures, marked; and what happens when the GPU cannot."""

import time
from dataclasses import replace

import numpy as np
import pytest
from avatars import hopper
from emulated_cuda import needs_compiler
from views import motion as posed
from views import view_of

from facepuppet.core.types import Composed
from facepuppet.drivers.scripted import Performance
from facepuppet.frames.cpu.compose import Composer, Corner
from facepuppet.frames.cpu.compose.label import Label
from facepuppet.frames.cuda.cuda_maker import CudaMaker
from facepuppet.frames.cuda.probe import likeness
from facepuppet.frames.fallback import FallbackMaker
from facepuppet.session.puppet import Puppet
from facepuppet.sinks.virtual_camera import to_i420
from facepuppet.watermark import Marker

pytestmark = needs_compiler
PIECE = Performance()
TIMES_S = (0.0, 1.5, 3.45, 8.25, 9.75)


@pytest.fixture
def machine(machine, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    machine.install(monkeypatch, "tensorrt_rtx")
    return machine


def puppet(engine="tensorrt-rtx", avatar=None, **composed):
    avatar = avatar or hopper()
    return Puppet(avatar, Composer(avatar, **composed), engine=engine)


def cuda(puppet):
    """What makes the puppet's frames on the GPU; None where the CPU does."""
    maker = puppet.maker.maker if isinstance(puppet.maker, FallbackMaker) else puppet.maker
    return maker if isinstance(maker, CudaMaker) else None


def shown(puppet, times_s=TIMES_S):
    return [puppet.show(PIECE.expression(t_s, i)) for i, t_s in enumerate(times_s)]


def test_a_performance_is_the_cpus(machine):
    """Within what no one sees: edges fall a fraction of a pixel aside."""
    on_gpu, on_cpu = puppet(), puppet("cpu")
    assert "CUDA kernels on NVIDIA GeForce RTX 4090, one CUDA graph a frame" in on_gpu.frame_path
    assert on_cpu.frame_path == "CPU"
    for given, truth in zip(shown(on_gpu), shown(on_cpu), strict=True):
        off = np.abs(given.rgb.astype(int) - truth.rgb)
        assert off.mean() < 0.15 and np.percentile(off, 99.9) <= 10
        assert (given.frame_id, given.captured_ns) == (truth.frame_id, truth.captured_ns)
        assert (given.payload, given.key_name) == (truth.payload, truth.key_name)
        assert (given.i420 == to_i420(given.rgb)).all()
    assert cuda(on_gpu) is not None and on_gpu.fallbacks == ()


def test_threads_do_not_wait_for_each_other(machine):
    """In whatever order they run, the picture is the same: on a GPU there is none."""
    machine.capturable = False  # a graph would keep the order in which it was captured
    avatar = replace(hopper(), views=(view_of(posed(jaw=0.7)), view_of(posed(yaw=0.35))))
    one, other = puppet(avatar=avatar), puppet(avatar=avatar)
    forwards = shown(one)
    machine.backwards = True
    for first, last in zip(forwards, shown(other), strict=True):
        assert (first.rgb == last.rgb).all() and (first.i420 == last.i420).all()


def test_what_is_shown_stays_as_it_is(machine):
    """A pacer repeats a frame while the next one is made."""
    one = puppet()
    first = one.show(PIECE.expression(0.0, 0))
    kept = first.rgb.copy()
    one.show(PIECE.expression(8.25, 1))
    assert (first.rgb == kept).all() and not first.rgb.flags.writeable


def test_a_label_that_comes_and_goes_starts_with_the_first_frame(machine):
    """Not with the frames that the GPU was tried on."""
    given, truth = (
        shown(puppet(engine, label_every_s=10.0), (5.0,))[0] for engine in ("tensorrt-rtx", "cpu")
    )
    left, top, width, height = Label(Composer(hopper()).canvas_px, Corner.BOTTOM_RIGHT).box_px
    off = np.abs(given.rgb.astype(int) - truth.rgb)
    assert off[top : top + height, left : left + width].mean() < 0.5


def test_views_take_part(machine):
    avatar = replace(hopper(), views=(view_of(posed(jaw=0.7)), view_of(posed(yaw=0.35))))
    on_gpu, on_cpu = puppet(avatar=avatar), puppet("cpu", avatar=avatar)
    assert cuda(on_gpu) is not None
    for given, truth in zip(shown(on_gpu, (1.5, 8.25)), shown(on_cpu, (1.5, 8.25)), strict=True):
        assert np.abs(given.rgb.astype(int) - truth.rgb).mean() < 0.5


@pytest.mark.parametrize("how", ["lost", "hung"])
def test_the_cpu_goes_on_within_a_second(machine, how):
    """In the process's own time, as the wait spins: a busy machine may not give it all it asks for."""
    one = puppet()
    before = shown(one)[-1]
    setattr(machine, how, True)
    begun_s = time.process_time()
    after = one.show(PIECE.expression(TIMES_S[-1], len(TIMES_S)))
    assert time.process_time() - begun_s < 1.0
    assert np.abs(after.rgb.astype(int) - before.rgb).mean() < 1.0
    assert one.frame_path == "CPU" and cuda(one) is None
    assert any("failed in mid-stream" in sentence for sentence in one.fallbacks)
    assert all("CPU" in by for by in one.networks.values())
    assert one.show(PIECE.expression(TIMES_S[-1], len(TIMES_S) + 1)).i420 is None


@pytest.mark.parametrize("what_fails", ["capturable", "replayable"])
def test_without_graphs_kernels_are_launched_one_by_one(machine, caplog, what_fails):
    """A graph that does not do what was captured brings no frame of the right number, and none is marked."""
    setattr(machine, what_fails, False)
    one = puppet()
    assert "kernel by kernel" in one.frame_path and "No CUDA graph" in caplog.text
    given, truth = one.show(PIECE.expression(0.0, 0)), puppet("cpu").show(PIECE.expression(0.0, 0))
    assert np.abs(given.rgb.astype(int) - truth.rgb).mean() < 0.5


def test_a_full_gpu_leaves_frames_to_the_cpu(machine):
    """Networks alone may still fit."""
    puppet()
    machine.full_from = machine.allocated + (8 << 20)
    one = puppet()
    assert cuda(one) is None and "TensorRT-RTX" in one.networks["mouth"]
    assert any("Frames are made on the CPU" in said and "memory is full" in said for said in one.fallbacks)


@pytest.mark.parametrize(
    ("sound", "broken"),
    [
        ("moved[Y * w + X] = rounded(", "moved[Y * w + X] = rounded_off("),  # does not compile
        ("displacement[cell] =\n", "displacement[cell] = make_float2(9.f, 0.f);\n    float2 unused =\n"),
    ],
)
def test_a_gpu_that_shows_something_else_is_not_used(machine, monkeypatch, sound, broken):
    from facepuppet.frames.cuda import device

    code = device.source()
    assert sound in code
    monkeypatch.setattr(device, "source", lambda: code.replace(sound, broken))
    one = puppet()
    assert cuda(one) is None
    assert any("Frames are made on the CPU" in said for said in one.fallbacks)
    assert (one.show(PIECE.expression(0.0, 0)).rgb > 0).any()


def test_a_gpu_that_does_not_mark_is_not_used(machine, monkeypatch):
    from facepuppet.frames.cuda import cuda_maker as frame_path

    class Bare(frame_path.GpuMarker):
        def set_parameters(self, frame, parameters):
            super().set_parameters(frame, parameters)
            parameters["carrier_turn"] = 0.0

    monkeypatch.setattr(frame_path, "GpuMarker", Bare)
    one = puppet()
    assert cuda(one) is None and any("mark 0.0" in said for said in one.fallbacks)


def test_stages_are_timed(machine):
    one = puppet()
    taken = cuda(one).profile(one._retargeter.update(PIECE.expression(0.0, 0)))
    assert {"CPU: parameters", "upload", "warp", "painters", "compose", "CPU: take"} <= set(taken)
    assert min(taken.values()) >= 0.0


def test_painters_on_the_cpu_keep_frames_there(machine):
    machine.wrong = 1.0  # the networks' gate refuses the GPU
    one = puppet("auto")
    assert cuda(one) is None and one.frame_path == "CPU" and one.fallbacks


@pytest.mark.parametrize(
    ("change", "passes"),
    [
        (lambda marked, unmarked: marked, True),
        (lambda marked, unmarked: unmarked, False),
        (lambda marked, unmarked: np.roll(marked, 8, axis=1), False),
        (lambda marked, unmarked: marked // 2, False),
    ],
)
def test_likeness_sees_what_matters(change, passes):
    random = np.random.default_rng(1)
    smooth = random.integers(60, 200, (9, 16, 3)).repeat(32, 0).repeat(32, 1).astype(np.uint8)
    unmarked = Composed(np.ascontiguousarray(smooth), 0, 0)
    marked = Marker(size_px=(512, 288)).mark(unmarked).rgb
    assert likeness(change(marked, unmarked.rgb), marked, unmarked.rgb).passes is passes
