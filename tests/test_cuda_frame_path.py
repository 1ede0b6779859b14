"""A whole frame on a GPU: the CPU's pictures, marked; and what happens when the GPU cannot."""

from dataclasses import replace

import numpy as np
import pytest
from avatars import hopper
from compare import EXACT, GPU, assert_pictures_equal
from emulated_cuda import require_compiler
from fakes import FakeTime
from gpus import AnyGpu, EmulatedGpu
from views import motion as posed
from views import view_of

from facepuppet.core.i420 import to_i420
from facepuppet.core.types import Composed, Pixels
from facepuppet.drivers.scripted import Performance
from facepuppet.frames.cpu.compose import Backdrop, Composer, Corner, Scene
from facepuppet.frames.cpu.compose.label import Label
from facepuppet.frames.cuda.cuda_maker import CudaMaker
from facepuppet.frames.cuda.device import Device
from facepuppet.frames.cuda.probe import likeness
from facepuppet.frames.fallback import FallbackMaker
from facepuppet.inference import Runtime
from facepuppet.inference.gpu import list_gpus
from facepuppet.retarget import Retargeter
from facepuppet.session.puppet import Puppet
from facepuppet.watermark import Marker

PIECE = Performance()
TIMES_S = (0.0, 1.5, 3.45, 8.25, 9.75)
SMALL = (640, 360)  # where the canvas does not matter: it takes the emulated GPU most of its time


@pytest.fixture
def engine(gpu: AnyGpu, monkeypatch, tmp_path) -> str:
    """An engine that whole frames can be made with, on either GPU."""
    if isinstance(gpu, EmulatedGpu):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # its plans are none
    return gpu.engine()


@pytest.fixture
def machine(machine, monkeypatch, tmp_path):
    """The emulated GPU alone, for what cannot be brought about on a real one."""
    require_compiler()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    machine.install(monkeypatch, "tensorrt_rtx")
    return machine


def puppet(engine="tensorrt-rtx", avatar=None, **composed):
    avatar = avatar or hopper()
    return Puppet(avatar, Composer(avatar, **composed), engine=engine)


def with_views():
    return replace(hopper(), views=(view_of(posed(jaw=0.7)), view_of(posed(yaw=0.35))))


def cuda(puppet):
    """What makes the puppet's frames on the GPU; None where the CPU does."""
    maker = puppet.maker.maker if isinstance(puppet.maker, FallbackMaker) else puppet.maker
    return maker if isinstance(maker, CudaMaker) else None


def shown(puppet, times_s=TIMES_S):
    return [puppet.show(PIECE.expression(t_s, i)) for i, t_s in enumerate(times_s)]


@pytest.mark.thorough
def test_a_performance_is_the_cpus(engine):
    on_gpu, on_cpu = puppet(engine), puppet("cpu")
    how = "kernel by kernel" if engine == "cuda" else "one CUDA graph a frame"
    assert f"CUDA kernels on {list_gpus()[0].name}, {how}" in on_gpu.frame_path
    assert on_cpu.frame_path == "CPU"
    for given, truth in zip(shown(on_gpu), shown(on_cpu), strict=True):
        assert_pictures_equal(given.rgb, truth.rgb, GPU)
        assert (given.frame_id, given.captured_ns) == (truth.frame_id, truth.captured_ns)
        assert (given.payload, given.key_name) == (truth.payload, truth.key_name)
        assert_pictures_equal(given.i420, to_i420(given.rgb), EXACT)
    assert cuda(on_gpu) is not None and on_gpu.fallbacks == ()


@pytest.mark.slow
def test_threads_do_not_wait_for_each_other(machine):
    """In whatever order they run, the picture is the same: on a GPU there is none."""
    machine.capturable = False  # a graph would keep the order in which it was captured
    maker = cuda(puppet(avatar=with_views()))
    retargeter = Retargeter(with_views())
    motions = [retargeter.update(PIECE.expression(t_s, i)) for i, t_s in enumerate(TIMES_S)]
    forwards = [maker.make(motion) for motion in motions]
    machine.backwards = True
    for motion, first in zip(motions, forwards, strict=True):
        last = maker.make(motion)
        assert_pictures_equal(last.rgb, first.rgb, EXACT)
        assert_pictures_equal(last.i420, first.i420, EXACT)


def test_what_is_shown_stays_as_it_is(engine):
    """A pacer repeats a frame while the next one is made."""
    one = puppet(engine, canvas_px=SMALL)
    first = one.show(PIECE.expression(0.0, 0))
    kept = first.rgb.copy()
    one.show(PIECE.expression(8.25, 1))
    assert_pictures_equal(first.rgb, kept, EXACT)
    assert not first.rgb.flags.writeable


@pytest.mark.thorough
def test_a_label_that_comes_and_goes_starts_with_the_first_frame(engine):
    """Not with the frames that the GPU was tried on."""
    given, truth = (
        shown(puppet(by, canvas_px=SMALL, label_every_s=10.0), (5.0,))[0] for by in (engine, "cpu")
    )
    left, top, width, height = Label(SMALL, Corner.BOTTOM_RIGHT).box_px
    box = np.s_[top : top + height, left : left + width]
    assert_pictures_equal(given.rgb[box], truth.rgb[box], GPU)


@pytest.mark.slow
def test_views_take_part(engine):
    on_gpu, on_cpu = (puppet(by, with_views()) for by in (engine, "cpu"))
    assert cuda(on_gpu) is not None
    for given, truth in zip(shown(on_gpu, (1.5, 8.25)), shown(on_cpu, (1.5, 8.25)), strict=True):
        assert_pictures_equal(given.rgb, truth.rgb, GPU)


@pytest.mark.parametrize("how", [pytest.param("lost", marks=pytest.mark.thorough), "hung"])
def test_the_cpu_goes_on_after_less_than_a_second(machine, monkeypatch, how):
    one, waited = puppet(canvas_px=SMALL), FakeTime()
    before = shown(one)[-1]
    setattr(machine, how, True)
    monkeypatch.setattr("facepuppet.inference.gpu.time", waited)
    after = one.show(PIECE.expression(TIMES_S[-1], len(TIMES_S)))
    assert (0 < waited.passed_s < 1) if how == "hung" else (waited.passed_s == 0)
    assert_pictures_equal(after.rgb, before.rgb, GPU)
    assert one.frame_path == "CPU" and cuda(one) is None
    assert any("failed in mid-stream" in sentence for sentence in one.fallbacks)
    assert all("CPU" in by for by in one.networks.values())
    assert one.show(PIECE.expression(TIMES_S[-1], len(TIMES_S) + 1)).i420 is None


@pytest.mark.slow
def test_what_sinks_want_is_wanted_of_the_next_maker_too(machine):
    one = puppet(canvas_px=SMALL)
    one.set_pixels(Pixels.I420)
    before = shown(one)[-1]
    machine.lost = True
    after = one.show(PIECE.expression(TIMES_S[-1], len(TIMES_S)))
    assert one.frame_path == "CPU" and before._rgb is None and after._rgb is None
    assert_pictures_equal(after.i420, before.i420, GPU)


@pytest.mark.parametrize("what_fails", ["capturable", "replayable"])
@pytest.mark.slow
def test_without_graphs_kernels_are_launched_one_by_one(machine, caplog, what_fails):
    """A graph that does not do what was captured brings no frame of the right number, and none is marked."""
    setattr(machine, what_fails, False)
    one = puppet(canvas_px=SMALL)
    assert "kernel by kernel" in one.frame_path and "No CUDA graph" in caplog.text
    given, truth = (by.show(PIECE.expression(0.0, 0)) for by in (one, puppet("cpu", canvas_px=SMALL)))
    assert_pictures_equal(given.rgb, truth.rgb, GPU)


@pytest.mark.slow
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
def test_a_gpu_that_shows_something_else_is_not_used(engine, monkeypatch, sound, broken):
    from facepuppet.frames.cuda import device

    code = device.source()
    assert sound in code
    monkeypatch.setattr(device, "source", lambda: code.replace(sound, broken))
    one = puppet(engine, canvas_px=SMALL)
    assert cuda(one) is None
    assert any("Frames are made on the CPU" in said for said in one.fallbacks)
    assert (one.show(PIECE.expression(0.0, 0)).rgb > 0).any()


def test_a_gpu_that_does_not_mark_is_not_used(engine, monkeypatch):
    from facepuppet.frames.cuda import cuda_maker as frame_path

    class Bare(frame_path.GpuMarker):
        def set_parameters(self, frame, parameters):
            super().set_parameters(frame, parameters)
            parameters["carrier_turn"] = 0.0

    monkeypatch.setattr(frame_path, "GpuMarker", Bare)
    one = puppet(engine, canvas_px=SMALL)
    assert cuda(one) is None and any("mark 0.0" in said for said in one.fallbacks)


def test_stages_are_timed(engine):
    one = puppet(engine, canvas_px=SMALL)
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


@pytest.mark.thorough
def test_another_background_comes_without_another_graph(engine):
    on_gpu, on_cpu = (puppet(which, canvas_px=SMALL) for which in (engine, "cpu"))
    shown(on_gpu, (0.0,)), shown(on_cpu, (0.0,))
    for one in (on_gpu, on_cpu):
        one.set_scene(Scene(Backdrop("colour", rgb=(0, 200, 0))))
    for given, truth in zip(shown(on_gpu, (1.5, 8.25)), shown(on_cpu, (1.5, 8.25)), strict=True):
        assert_pictures_equal(given.rgb, truth.rgb, GPU)
        assert given.rgb[4, 4, 1] > 150 and given.rgb[4, 4, 0] < 50


@pytest.mark.thorough
def test_mirror_and_label_change_with_graph_or_without(engine):
    on_gpu, on_cpu = (puppet(which, canvas_px=SMALL) for which in (engine, "cpu"))
    shown(on_gpu, (0.0,)), shown(on_cpu, (0.0,))
    for scene in (Scene(mirror=True, label=Corner.TOP_LEFT), Scene(label=Corner.OFF), Scene(mirror=True)):
        on_gpu.set_scene(scene), on_cpu.set_scene(scene)
        for given, truth in zip(shown(on_gpu, (1.5,)), shown(on_cpu, (1.5,)), strict=True):
            assert_pictures_equal(given.rgb, truth.rgb, GPU)


@pytest.mark.thorough  # of what test_the_cpu_goes_on and test_another_background each hold a half
def test_a_lost_gpu_keeps_the_background_that_was_set(machine):
    one = puppet(canvas_px=SMALL)
    one.set_scene(Scene(Backdrop("colour", rgb=(0, 200, 0))))
    machine.lost = True
    after = one.show(PIECE.expression(0.0, 0))
    assert cuda(one) is None and after.rgb[4, 4, 1] > 150


@pytest.mark.slow
def test_puppets_of_one_runtime_share_kernels_and_networks(engine, monkeypatch):
    made = []
    compile_kernels = Device._new_module
    monkeypatch.setattr(Device, "_new_module", lambda device: made.append(1) or compile_kernels(device))
    runtime = Runtime(engine)
    one, two = (puppet(runtime, canvas_px=SMALL) for _ in range(2))
    assert cuda(one) is not None and cuda(two) is not None and len(made) == 1
    sessions = [[painter.session for painter in cuda(p)._cpu.renderer.painters] for p in (one, two)]
    assert sessions[0] and all(a is b for a, b in zip(*sessions, strict=True))
    for i, t_s in enumerate(TIMES_S[:3]):
        expression = PIECE.expression(t_s, i)
        assert_pictures_equal(one.show(expression).rgb, two.show(expression).rgb, EXACT)
