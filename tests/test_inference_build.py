"""Runtime really built by TensorRT-RTX, which needs no GPU for that; running them does."""

import dataclasses
import inspect
import re

import fake_gpu
import numpy as np
import onnx
import pytest
from fake_gpu import Machine, fake_tensorrt
from networks import mover, unet, write_manifest
from onnx.reference import ReferenceEvaluator

from facepuppet.core.errors import EngineError, ManifestError
from facepuppet.diagnose.verify import Rounding
from facepuppet.inference import OnnxSession, Runtime, engine_store
from facepuppet.inference.builder import Target, build_all
from facepuppet.inference.deviation import JITTER, measure, probe_feeds
from facepuppet.inference.engine_cache import EngineCache
from facepuppet.inference.gpu import Gpu
from facepuppet.inference.manifest import read_all, read_manifest
from facepuppet.inference.plan import Tensor, build_plan
from facepuppet.inference.precision import emulate_half, to_half
from facepuppet.inference.tensorrt import Flavour

TARGETS = ("sm75", "sm86", "sm89", "sm120")


@pytest.fixture(scope="module")
def rtx():
    pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX has no wheel for this system")
    return Flavour("tensorrt-rtx")


@pytest.fixture
def cache(tmp_path):
    return EngineCache(tmp_path / "cache")


def test_it_knows_its_targets(rtx):
    assert rtx.ahead_of_time and set(TARGETS) <= set(rtx.targets)
    assert rtx.targets[0] == "sm75", "oldest first"


@pytest.mark.parametrize("target", TARGETS)
def test_a_unet_builds_for_each_target(rtx, target):
    built = build_plan(unet(), rtx, target)
    planes = (1, 3, 64, 64)
    assert built.inputs == (
        Tensor("warped", planes, "float32"),
        Tensor("source", planes, "float32"),
        Tensor("contours", (1, 4, 64, 64), "float32"),
    )
    outputs = {Tensor("residual", planes, "float32"), Tensor("mask", (1, 1, 64, 64), "float32")}
    assert set(built.outputs) == outputs
    assert built.plan[:4] == b"vtrt"


def test_engines_differ_by_target_and_precision(rtx, tmp_path):
    (network,) = read_manifest(write_manifest(tmp_path))
    half, exact = engine_store.prepare(network), engine_store.prepare(network, "fp32")
    assert (half.precision, exact.precision) == ("fp16", "fp32")
    plans = [build_plan(graph.model, rtx, t).plan for graph in (half, exact) for t in ("sm75", "sm120")]
    assert len(set(plans)) == 4


@pytest.mark.parametrize("model", [unet(), mover()], ids=["painter", "with motion"])
@pytest.mark.parametrize("precision", ["fp16", "fp32"])
def test_both_precisions_keep_the_signature(rtx, tmp_path, cache, model, precision):
    (network,) = read_manifest(write_manifest(tmp_path / "n", model, precision=precision))
    (built,) = build_all([network], rtx, [Target("sm89")], cache)  # checks names, shapes and types
    (entry,) = cache.entries()
    assert (built.precision, built.size) == (precision, entry.size)
    assert entry.key == engine_store.key_for(network, precision, rtx, "sm89")


@pytest.mark.thorough
@pytest.mark.parametrize("network", read_all(), ids=lambda network: network.name)
@pytest.mark.parametrize(
    # The oldest has no networks that the others lack; each target is built for above.
    "target",
    [TARGETS[0], *(pytest.param(target, marks=pytest.mark.thorough) for target in TARGETS[1:])],
)
def test_every_shipped_network_builds(rtx, network, target, cache):
    if (network.name, target) == ("face-landmarks", "sm75"):
        # TensorRT-RTX 1.7 has no matrix products in fp32 for Turing; such a tracker stays on the CPU.
        with pytest.raises(EngineError, match="cannot build for sm75"):
            list(build_all([network], rtx, [Target(target)], cache))
        return
    (built,) = build_all([network], rtx, [Target(target)], cache)
    assert built.seconds > 0
    (entry,) = cache.entries()
    assert entry.key is not None and entry.key.target == target and entry.size > 10_000


@pytest.mark.parametrize("region", ["mouth", "eye", "frame"])
def test_every_painter_that_can_be_trained_builds(rtx, region, tmp_path, cache):
    """Untrained, so that an architecture that TensorRT refuses is known before weeks go into it."""
    pytest.importorskip("torch", reason="training is an extra")
    from engines.data.regions import REGIONS
    from engines.export import to_onnx
    from engines.networks.build import build_network

    model = to_onnx(build_network(region).eval(), region)
    side = REGIONS[region].crop_px
    (network,) = read_manifest(write_manifest(tmp_path / "n", model, region=region, crop_px=side))
    built = build_all([network], rtx, [Target(name) for name in TARGETS], cache)
    assert len(list(built)) == len(TARGETS)


def test_the_fake_has_nothing_that_the_real_library_lacks(rtx):
    """What runs on the fake GPU would find the same names on a real one."""
    fake, real = fake_tensorrt(Machine(), "tensorrt_rtx", "1"), rtx.module
    for name, value in vars(fake).items():
        assert hasattr(real, name), name
        for inner in vars(value) if name[0].isupper() else ():
            assert inner.startswith("_") or hasattr(getattr(real, name), inner), f"{name}.{inner}"
    for mine, theirs in (
        (fake_gpu._Engine, real.ICudaEngine),
        (fake_gpu._Context, real.IExecutionContext),
        (fake_gpu._RuntimeConfig, real.IRuntimeConfig),
        (fake_gpu._RuntimeCache, real.IRuntimeCache),
        (fake_gpu._Network, real.INetworkDefinition),
        (fake_gpu._Config, real.IBuilderConfig),
    ):
        for name in (n for n in vars(mine) if not n.startswith("_") and n != "parsed"):
            assert hasattr(theirs, name), name


def test_the_runtime_cache_is_asked_as_the_real_one_wants_it(rtx):
    """The binding tells its signatures in its docstrings; overloads in several lines."""
    for mine, theirs in (
        (fake_gpu._Engine.create_runtime_config, rtx.module.ICudaEngine),
        (fake_gpu._Engine.create_execution_context, rtx.module.ICudaEngine),
        (fake_gpu._RuntimeConfig.create_runtime_cache, rtx.module.IRuntimeConfig),
        (fake_gpu._RuntimeConfig.set_runtime_cache, rtx.module.IRuntimeConfig),
        (fake_gpu._RuntimeCache.serialize, rtx.module.IRuntimeCache),
        (fake_gpu._RuntimeCache.deserialize, rtx.module.IRuntimeCache),
    ):
        name, names = mine.__name__, list(inspect.signature(mine).parameters)[1:]
        overloads = re.findall(rf"{name}\(self: [^,)]+(.*)\) ->", getattr(theirs, name).__doc__)
        assert names in [re.findall(r"(\w+): ", words) for words in overloads], name
    parts = {
        "a runtime cache for": rtx.module.IRuntimeCache,
        "runtime configuration": rtx.module.IRuntimeConfig,
    }
    assert all(words in part.__doc__.lower() for words, part in parts.items())


def test_a_target_it_does_not_know_is_refused(rtx):
    with pytest.raises(EngineError, match=r"sm61.*sm75"):
        build_plan(unet(), rtx, "sm61")


def test_what_it_cannot_parse_is_refused_with_its_words(rtx):
    with pytest.raises(EngineError, match="ONNX") as refused:
        build_plan(b"junk", rtx, "sm89")
    assert "\n" not in str(refused.value)


def test_loading_one_without_a_driver_is_one_line(rtx, tmp_path):
    """For real where there is no driver: TensorRT-RTX's own words, not its log."""
    gpu_there = rtx.module.Runtime(rtx.logger).deserialize_cuda_engine(build_plan(unet(), rtx, "sm89").plan)
    if gpu_there is not None:
        pytest.skip("this machine has a GPU")
    assert "CUDA" in str(rtx.failed("load this engine"))


def test_a_signature_that_the_parser_changed_is_refused(rtx, tmp_path):
    (network,) = read_manifest(write_manifest(tmp_path))
    graph = engine_store.prepare(network)
    built = build_plan(graph.model, rtx, "sm89")
    renamed = dataclasses.replace(built, outputs=(Tensor("other", (1, 3, 64, 64), "float32"),))
    with pytest.raises(EngineError, match="other"):
        engine_store.check_signature(graph, renamed)


def test_tensorrt_builds_for_its_own_gpu(tmp_path, cache, monkeypatch):
    """The other flavour has no ahead-of-time targets, and tunes to the model of GPU."""
    Machine().install(monkeypatch, "tensorrt", version="10.13.3")
    flavour = Flavour("tensorrt")
    assert not flavour.ahead_of_time
    (network,) = read_manifest(write_manifest(tmp_path / "n"))
    gpu = Gpu(0, "NVIDIA GeForce RTX 4090", "sm89", 24564, "13.0")
    list(build_all([network], flavour, [Target("sm89", gpu)], cache))
    (entry,) = cache.entries()
    assert (entry.key.gpu, entry.key.version) == ("NVIDIA GeForce RTX 4090", "10.13.3")
    with pytest.raises(EngineError, match="without that GPU"):
        list(build_all([network], flavour, [Target("sm86")], cache))


def test_tensorrt_without_a_driver_cannot_build(monkeypatch):
    Machine(driver=0).install(monkeypatch, "tensorrt", version="11.4.0")
    with pytest.raises(EngineError, match="CUDA initialization failure"):
        build_plan(unet(), Flavour("tensorrt"), "sm89")


def test_a_tensorrt_that_is_too_old_is_refused(monkeypatch):
    Machine().install(monkeypatch, "tensorrt", version="8.6.1")
    with pytest.raises(EngineError, match=r"TensorRT 8\.6\.1.*version 10"):
        Flavour("tensorrt")


def test_a_damaged_network_is_refused_before_it_is_built(tmp_path):
    (network,) = read_manifest(write_manifest(tmp_path))
    network.path.write_bytes(unet(seed=1))
    with pytest.raises(ManifestError, match="sha256"):
        engine_store.prepare(network)


def test_half_precision_that_the_gate_refuses_is_built_in_single(tmp_path, cache, monkeypatch, caplog):
    """A first layer beyond fp16's range gives infinities, which nobody shall see."""
    Machine().install(monkeypatch, "tensorrt_rtx")
    (network,) = read_manifest(write_manifest(tmp_path / "n", unet(gain=1e5)))
    graph = engine_store.prepare(network)
    assert graph.precision == "fp32" and "too far off" in graph.note
    assert graph.deviation is not None and not graph.deviation.passes
    session = Runtime("tensorrt-rtx", cache=cache).open(network)
    assert session.engine == "tensorrt-rtx" and graph.note in caplog.text
    assert cache.get(engine_store.key_for(network, "fp32", Flavour("tensorrt-rtx"), "sm89")) is not None


def test_an_overflow_between_nodes_is_seen_though_the_cpu_hides_it(tmp_path):
    """Weights, inputs and outputs lie within fp16's range; only what flows between two nodes does not."""
    model = unet(gain=5e4)
    weights = [onnx.numpy_helper.to_array(w) for w in onnx.load_model_from_string(model).graph.initializer]
    assert max(np.abs(w).max() for w in weights) < np.finfo(np.float16).max
    exact, half = OnnxSession(model, "exact"), to_half(model)
    feeds = list(probe_feeds(exact.input_shapes))
    assert measure(OnnxSession(half, "as it is"), exact, feeds).passes, "the CPU's own fp16"
    seen = OnnxSession(emulate_half(half), "emulated")
    assert not measure(seen, exact, feeds).passes
    assert any(not np.isfinite(value).all() for value in seen.run(feeds[0]).values())
    (network,) = read_manifest(write_manifest(tmp_path, model))
    graph = engine_store.prepare(network)
    assert graph.precision == "fp32" and "too far off" in graph.note


def test_motion_stays_in_single_precision():
    """Rounded to fp16, sampling positions near the border move by a visible part of a pixel."""
    half = onnx.load_model_from_string(to_half(mover()))
    kinds = {info.name: info.type.tensor_type.elem_type for info in half.graph.input}
    assert set(kinds.values()) == {onnx.TensorProto.FLOAT}
    single = {i.name for i in half.graph.initializer if i.data_type == onnx.TensorProto.FLOAT}
    assert {"base", "one"} <= single, "what the grid is computed from"
    names = [node.name for node in half.graph.node]
    assert names.index("the grid") < names.index("the sampling")


def test_what_is_never_run_in_half_precision_is_not_judged_in_it(tmp_path):
    feed = next(probe_feeds(OnnxSession(unet(), "u").input_shapes))
    truth = OnnxSession(unet(), "u").run(feed)["residual"].copy()
    for precision, same in (("fp32", True), ("fp16", False)):
        (network,) = read_manifest(write_manifest(tmp_path / precision, precision=precision))
        given = Rounding().open(network).run(feed)["residual"]
        assert np.array_equal(given, truth) is same, precision


def test_half_precision_is_emulated_as_it_is():
    """ONNX Runtime's CPU runs fp16 graphs in fp32; onnx's reference rounds every value, and so do we."""
    model = unet(side=16)
    exact, half = OnnxSession(model, "exact"), to_half(model)
    emulated = OnnxSession(emulate_half(half), "emulated")
    (feed,) = probe_feeds(exact.input_shapes, 1)
    truth = dict(zip(("residual", "mask"), ReferenceEvaluator(half).run(None, dict(feed)), strict=True))
    given, single = emulated.run(feed), exact.run(feed)
    assert (
        np.array_equal(given["residual"], truth["residual"])
        and (single["residual"] != truth["residual"]).any()
    )
    # The reference computes the sigmoid itself in fp16 too: a step of it, at most.
    assert np.abs(given["mask"] - truth["mask"]).max() <= 2.0**-11
    deviation = measure(emulated, exact, list(probe_feeds(exact.input_shapes)))
    assert deviation.passes and 0 < deviation.max_error < 0.01


@pytest.mark.parametrize(
    ("error", "passes"), [(0.0, True), (1 / 255 / 4, True), (1 / 255, False), (np.nan, False)]
)
def test_the_gate(error, passes):
    exact = OnnxSession(unet(), "exact")

    class Off:
        engine = description = "off"
        input_shapes, output_names = exact.input_shapes, exact.output_names

        def run(self, feed):
            return {name: value + np.float32(error) for name, value in exact.run(feed).items()}

    assert measure(Off(), exact, list(probe_feeds(exact.input_shapes))).passes is passes


def test_the_gate_sees_a_nan_in_any_output():
    exact = OnnxSession(unet(), "exact")
    feeds = list(probe_feeds(exact.input_shapes))
    for spoilt in exact.output_names:

        class Holed:
            engine = description = "holed"
            input_shapes, output_names = exact.input_shapes, exact.output_names

            def run(self, feed, spoilt=spoilt):
                given = exact.run(feed)
                given[spoilt][0, 0, 5, 5] = np.nan
                return given

        assert not measure(Holed(), exact, feeds).passes


@pytest.mark.parametrize("shape", [(1, 3, "side", "side"), (None, 3, 8, 8), (2, 3, 8, 8), (1, 9)])
def test_shapes_that_are_not_fixed_are_refused(shape):
    with pytest.raises(EngineError, match="static shapes"):
        list(probe_feeds({"warped": shape}))


def test_the_gate_sees_flicker():
    """A difference that comes and goes is worse than one that stays."""
    exact = OnnxSession(unet(), "exact")

    class Flickering:
        engine = description = "flickering"
        input_shapes, output_names = exact.input_shapes, exact.output_names
        sign = 1.0

        def run(self, feed):
            self.sign = -self.sign
            return {name: value + self.sign * 0.4 / 255 for name, value in exact.run(feed).items()}

    deviation = measure(Flickering(), exact, list(probe_feeds(exact.input_shapes)))
    assert deviation.mean_error < JITTER < deviation.jitter and not deviation.passes
