"""What runs a network: ONNX Runtime for real, TensorRT on a fake GPU, and every way it can fail."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
from avatars import hopper
from fake_gpu import Machine
from fakes import FakeTime
from networks import unet, write_manifest

from facepuppet.core.errors import EngineError, ManifestError
from facepuppet.frames.cpu.render import Renderer
from facepuppet.inference import ENGINES, OnnxSession, Runtime, open_session, tensorrt_session
from facepuppet.inference import onnx_session as session_module
from facepuppet.inference.deviation import picture_feeds, probe_feeds
from facepuppet.inference.engine_cache import EngineCache
from facepuppet.inference.engine_file import read_engine
from facepuppet.inference.manifest import read_manifest, read_trackers, read_verified
from facepuppet.vision.sessions import open_network
from facepuppet.vision.trackers import tracking_models


@pytest.fixture
def network(tmp_path):
    return read_manifest(write_manifest(tmp_path / "weights"))[0]


@pytest.fixture
def cache(tmp_path):
    return EngineCache(tmp_path / "cache")


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def feed(network):
    return next(probe_feeds(OnnxSession(unet(), "u").input_shapes))


@pytest.fixture
def truth(feed):
    return {name: value.copy() for name, value in OnnxSession(unet(), "u").run(feed).items()}


def test_the_cpu_gives_every_output_by_name(network, feed, truth):
    session = open_session(network, "cpu")
    assert (session.engine, set(session.input_shapes)) == ("cpu", {"warped", "source", "contours"})
    assert onnxruntime.__version__ in session.description
    given = session.run(feed)
    assert set(given) == {"residual", "mask"} and given["mask"].shape == (1, 1, 64, 64)
    for name in truth:
        assert np.array_equal(given[name], truth[name])


def test_auto_is_the_cpu_where_nothing_else_is_installed(network, monkeypatch, caplog):
    Machine().install(monkeypatch)
    engines = Runtime()
    assert engines.open(network).engine == "cpu"
    assert engines.fallbacks == [] and caplog.text == ""


@pytest.mark.parametrize(
    ("flavours", "expected"),
    [(("tensorrt_rtx",), "tensorrt-rtx"), (("tensorrt", "tensorrt_rtx"), "tensorrt")],
)
def test_auto_prefers_tensorrt_then_rtx(
    machine, network, cache, feed, truth, monkeypatch, flavours, expected
):
    machine.install(monkeypatch, *flavours, version="11.4.0")
    engines = Runtime(cache=cache)
    session = engines.open(network)
    assert session.engine == expected and engines.fallbacks == []
    assert "RTX 4090" in session.description and "11.4.0" in session.description
    before = machine.runs
    given = session.run(feed)
    assert machine.runs == before + 1
    for name in truth:
        assert np.abs(given[name] - truth[name]).max() < 0.01
    assert machine.builds == 1
    assert Runtime(cache=cache).open(network).engine == expected
    assert machine.builds == 1, "the second start takes it from the cache"


def test_a_gpu_is_compared_with_fp32_though_the_cpu_runs_8_bits(
    machine, network, cache, feed, truth, tmp_path, monkeypatch
):
    machine.install(monkeypatch, "tensorrt_rtx")
    other = write_manifest(tmp_path / "other", unet(seed=1))
    network = replace(network, int8=read_manifest(other)[0])
    engines = Runtime(cache=cache)
    session = engines.open(network)
    assert session.engine == "tensorrt-rtx" and engines.fallbacks == []
    assert np.abs(session.run(feed)["residual"] - truth["residual"]).max() < 0.01


def forced(engine, network, cache):
    return Runtime(engine, cache=cache).open(network)


NO_GPU = {
    "no driver": ({"driver": 0}, "no NVIDIA driver"),
    "an old driver": ({"driver": 12020}, r"driver for CUDA 12\.2, which is too old.*13\.0"),
    "no GPU": ({"gpus": []}, "no NVIDIA GPU that can be used"),
    "a GPU it does not serve": ({"gpus": [("NVIDIA H200", 9, 0)]}, r"NVIDIA H200 \(sm90\).*sm89"),
    "no memory": ({"full_from": 1000}, "memory is full"),
    "a GPU that is gone": ({"lost": True}, "fell off the bus"),
}


@pytest.mark.parametrize("case", NO_GPU)
def test_what_keeps_an_engine_from_starting_is_one_line(case, network, cache, monkeypatch, caplog):
    """Forced, it is refused; chosen by itself, the CPU runs and says why."""
    changes, words = NO_GPU[case]
    Machine(**changes).install(monkeypatch, "tensorrt_rtx")
    with pytest.raises(EngineError, match=words) as refused:
        forced("tensorrt-rtx", network, cache)
    assert "\n" not in str(refused.value)
    engines = Runtime(cache=cache)
    assert engines.open(network).engine == "cpu"
    assert len(engines.fallbacks) == 1
    assert "TensorRT-RTX is not used" in engines.fallbacks[0] and "\n" not in engines.fallbacks[0]
    assert engines.fallbacks[0] in caplog.text


def test_three_networks_tell_a_missing_driver_once(network, cache, monkeypatch):
    Machine(driver=0).install(monkeypatch, "tensorrt_rtx")
    engines = Runtime(cache=cache)
    for _ in range(3):
        engines.open(network)
    assert len(engines.fallbacks) == 1


def test_of_two_gpus_the_first_that_serves_is_used_and_told(network, cache, feed, monkeypatch, caplog):
    machine = Machine(gpus=[("NVIDIA GTX 1080", 6, 1), ("NVIDIA RTX 3060", 8, 6)])
    machine.install(monkeypatch, "tensorrt_rtx")
    session = forced("tensorrt-rtx", network, cache)
    assert "RTX 3060" in session.description and session.run(feed)
    assert "2 NVIDIA GPUs: NVIDIA RTX 3060 is used; CUDA_VISIBLE_DEVICES chooses another" in caplog.text


@pytest.mark.parametrize("how", ["lost", "hung"])
def test_a_gpu_lost_in_mid_stream_costs_less_than_a_second(
    machine, network, cache, feed, truth, monkeypatch, how, caplog
):
    machine.install(monkeypatch, "tensorrt_rtx")
    engines = Runtime(cache=cache)
    sessions = [engines.open(network) for _ in range(3)]
    for session in sessions:
        session.run(feed)
    setattr(machine, how, True)
    waited = FakeTime()
    monkeypatch.setattr("facepuppet.inference.gpu.time", waited)
    for session in sessions:
        for name, value in session.run(feed).items():
            assert np.array_equal(value, truth[name])
    assert (0 < waited.passed_s < 1) if how == "hung" else (waited.passed_s == 0)
    assert [session.engine for session in sessions] == ["cpu"] * 3
    assert len(engines.fallbacks) == 1 and "mid-stream" in engines.fallbacks[0]
    assert caplog.text.count("mid-stream") == 1


def test_the_first_run_may_take_long(machine, network, cache, monkeypatch):
    """TensorRT-RTX compiles in it; after that the GPU is waited for only so long."""
    machine.install(monkeypatch, "tensorrt_rtx")
    assert tensorrt_session._FIRST_S > 30 > 1 > tensorrt_session.HUNG_S
    monkeypatch.setattr(tensorrt_session, "_FIRST_S", 0.05)
    machine.hung = True
    with pytest.raises(EngineError, match=r"no answer in 0\.05 s"):
        forced("tensorrt-rtx", network, cache)


def test_an_engine_that_errs_is_refused(machine, network, cache, monkeypatch):
    machine.install(monkeypatch, "tensorrt_rtx")
    machine.wrong = 0.05
    with pytest.raises(EngineError, match="computes 'mouth' wrongly"):
        forced("tensorrt-rtx", network, cache)
    machine.wrong = float("nan")
    assert Runtime(cache=cache).open(network).engine == "cpu"


def test_an_engine_built_elsewhere_is_built_anew(machine, network, cache, monkeypatch, caplog):
    """Under the right name, but of another GPU: the library's words are told, and a new one made."""
    machine.install(monkeypatch, "tensorrt_rtx")
    forced("tensorrt-rtx", network, cache)
    (path,) = cache.folder.glob("*.engine")
    key, plan = read_engine(path)
    cache.put(key, plan.replace(b" 89\n", b" 86\n"))
    assert forced("tensorrt-rtx", network, cache).engine == "tensorrt-rtx"
    assert "built anew" in caplog.text and "not compatible: 1.7.1 86" in caplog.text
    assert machine.builds == 2 and read_engine(path) == (key, plan)


def test_an_engine_refused_even_when_new_is_one_line(machine, network, cache, monkeypatch):
    machine.install(monkeypatch, "tensorrt_rtx")
    monkeypatch.setattr(
        "facepuppet.inference.engine_store.build", lambda graph, flavour, target, gpu: b"fake plan 0 0\n"
    )
    with pytest.raises(EngineError, match=r"cannot load this engine .*not compatible: 0 0"):
        forced("tensorrt-rtx", network, cache)
    engines = Runtime(cache=cache)
    assert engines.open(network).engine == "cpu" and len(engines.fallbacks) == 1


def test_a_provider_that_is_missing_is_named(network):
    absent = next(e for e in ("directml", "coreml", "cuda") if not has_provider(e))
    with pytest.raises(EngineError, match="ExecutionProvider"):
        open_session(network, absent)


def has_provider(engine):
    return session_module.PROVIDERS[engine] in onnxruntime.get_available_providers()


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_provider_that_onnx_runtime_drops_silently_is_told(network, monkeypatch, caplog):
    """ONNX Runtime itself goes on with the CPU when a provider's libraries do not load."""
    everything = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: everything)
    Machine().install(monkeypatch)
    engines = Runtime()
    assert engines.open(network).engine == "cpu"
    assert len(engines.fallbacks) == 1 and "CUDA is not used" in engines.fallbacks[0]
    with pytest.raises(EngineError, match="CUDA"):
        open_session(network, "cuda")


def test_an_unknown_engine_lists_the_known_ones():
    with pytest.raises(EngineError, match=", ".join(ENGINES)):
        Runtime("vulkan")


def test_a_file_that_is_no_network_is_the_manifests_fault(tmp_path):
    (network,) = read_manifest(write_manifest(tmp_path, b"junk"))
    with pytest.raises(ManifestError, match="ONNX Runtime refuses"):
        open_session(network)


def test_the_renderer_tells_what_runs_its_networks(machine, tmp_path, monkeypatch):
    machine.install(monkeypatch, "tensorrt_rtx")
    folder = write_manifest(tmp_path / "weights")
    renderer = Renderer(hopper(), folder, Runtime(cache=EngineCache(tmp_path / "cache")))
    assert "TensorRT-RTX" in renderer.networks["mouth"] and renderer.fallbacks == ()
    machine.lost = True
    with pytest.raises(EngineError):
        Renderer(hopper(), folder, "tensorrt-rtx")


def test_the_program_imports_no_cuda(tmp_path):
    """Neither importing nor rendering on the CPU loads a CUDA library, not even to look for one."""
    write_manifest(tmp_path)
    code = (
        "import sys, pathlib, facepuppet.cli, facepuppet.session.puppet\n"
        "import facepuppet.diagnose.doctor, facepuppet.diagnose.bench\n"
        "from facepuppet.inference import Runtime\n"
        "from facepuppet.inference.manifest import read_manifest\n"
        f"Runtime('cpu').open(read_manifest(pathlib.Path({str(tmp_path)!r}))[0])\n"
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('cupy', 'cupyx', 'tensorrt', 'tensorrt_rtx', 'tensorrt_rtx_bindings', 'cuda', 'onnx')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_tracker_runs_on_the_engine_and_is_judged_in_its_own_units(machine, cache, monkeypatch):
    network = read_trackers()["face-landmarks"]
    machine.install(monkeypatch, "tensorrt_rtx")
    session = Runtime("tensorrt-rtx", cache=cache).open(network)
    assert session.engine == "tensorrt-rtx"
    (feed,) = picture_feeds(session.input_shapes, 1)
    truth = OnnxSession(read_verified(network), network.name).run(feed)
    given = session.run(feed)
    assert all(np.abs(given[name] - truth[name]).max() < 1e-2 for name in truth)  # pixels of the crop


@pytest.mark.parametrize("wrong", [1.0, float("nan")])
def test_a_tracker_that_an_engine_gets_wrong_stays_on_the_cpu(machine, cache, monkeypatch, wrong):
    machine.install(monkeypatch, "tensorrt_rtx")
    machine.wrong = wrong
    runtime = Runtime("tensorrt-rtx", cache=cache)
    assert open_network("face-landmarks", runtime).engine == "cpu"
    (told,) = runtime.fallbacks
    assert "face-landmarks runs on the CPU" in told and "wrongly" in told


@pytest.mark.parametrize(
    ("asked", "tracks"), [("auto", "cpu"), ("cpu", "cpu"), ("tensorrt-rtx", "tensorrt-rtx")]
)
def test_only_an_engine_that_is_named_tracks(machine, cache, monkeypatch, asked, tracks):
    machine.install(monkeypatch, "tensorrt_rtx")
    runtime = Runtime(asked, cache=cache)
    mesh = tracking_models("builtin", runtime).landmarks()
    assert mesh._session.engine == tracks
