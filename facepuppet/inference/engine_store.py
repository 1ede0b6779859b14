"""Runtime for networks: from the cache, or built and put there."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from facepuppet.core.errors import EngineError, OutputUnwritableError
from facepuppet.inference.deviation import Deviation, measure, probe_feeds
from facepuppet.inference.engine_cache import EngineCache
from facepuppet.inference.engine_file import EngineKey
from facepuppet.inference.gpu import Gpu
from facepuppet.inference.manifest import Network, read_verified
from facepuppet.inference.onnx_session import OnnxSession
from facepuppet.inference.plan import OPTIONS, Built, build_plan
from facepuppet.inference.precision import emulate_half, to_half
from facepuppet.inference.tensorrt import Flavour

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Graph:
    """A network's graph in the precision it shall run in.

    Attributes:
        network: its manifest entry.
        model: ONNX file.
        precision: "fp16" or "fp32".
        note: one sentence when fp16 was refused; else empty.
        deviation: of fp16 from fp32 on the CPU; None when fp16 was not tried.
    """

    network: Network
    model: bytes
    precision: str
    note: str = ""
    deviation: Deviation | None = None


def prepare(network: Network, precision: str | None = None) -> Graph:
    """Choose the precision: fp16 if the manifest allows it and the gate passes it, else fp32.

    Args:
        network: what to prepare.
        precision: "fp32" to not even try fp16; None leaves it to the manifest.

    Raises:
        ManifestError: the file does not match the manifest, or is no network.
        EngineError: it cannot be converted.
    """
    model = read_verified(network)
    if (precision or network.precision) == "fp32":
        return Graph(network, model, "fp32")
    half = to_half(model)
    exact, rounded = OnnxSession(model, network.path.name), OnnxSession(emulate_half(half), network.path.name)
    deviation = measure(rounded, exact, list(probe_feeds(exact.input_shapes)))
    if not deviation.passes:
        note = f"network {network.name!r} is built in fp32, for fp16 is too far off ({deviation})"
        return Graph(network, model, "fp32", note, deviation)
    return Graph(network, half, "fp16", "", deviation)


def key_for(
    network: Network, precision: str, flavour: Flavour, target: str, gpu: Gpu | None = None
) -> EngineKey:
    """Name all that an engine depends on."""
    return EngineKey(
        network.name,
        network.sha256,
        flavour.name,
        flavour.version,
        target,
        # Without ahead-of-time targets the builder times kernels on the GPU at hand.
        gpu.name if gpu is not None and not flavour.ahead_of_time else "",
        precision,
        OPTIONS,
    )


def supply(
    network: Network, flavour: Flavour, gpu: Gpu, cache: EngineCache, *, anew: bool = False
) -> tuple[EngineKey, bytes]:
    """Return what the engine of a network for a local GPU is, and the engine, from the cache if it is there.

    Args:
        network: what to run.
        flavour: with what.
        gpu: where.
        cache: where engines are kept.
        anew: build even if the cache has one.

    Raises:
        ManifestError: the file does not match the manifest, or is no network.
        EngineError: it cannot be built.
    """
    for precision in ("fp16", "fp32"):
        key = key_for(network, precision, flavour, gpu.target, gpu)
        plan = None if anew else cache.get(key)
        if plan is not None:
            return key, plan
    log.warning("Building network %r with %s for %s, once.", network.name, flavour.label, gpu.name)
    graph = prepare(network)
    if graph.note:
        log.warning("%s", graph.note)
    plan = build(graph, flavour, gpu.target, gpu)
    key = key_for(network, graph.precision, flavour, gpu.target, gpu)
    try:
        cache.put(key, plan)
    except OutputUnwritableError as problem:  # costs only the next start's time
        log.warning("the engine could not be cached: %s", problem)
    return key, plan


def build(graph: Graph, flavour: Flavour, target: str, gpu: Gpu | None) -> bytes:
    """Build an engine and check what the builder understood.

    Args:
        graph: what to run.
        flavour: with what.
        target: compute capability as "sm89".
        gpu: the local one, if that is the target.

    Raises:
        EngineError: it cannot be built, or its signature is not the network's.
    """
    if gpu is None and not flavour.ahead_of_time:
        raise flavour.failed(f"build for {target} without that GPU")
    built = build_plan(graph.model, flavour, target)
    check_signature(graph, built)
    return built.plan


def check_signature(graph: Graph, built: Built) -> None:
    """Check that the builder understood the network's inputs and outputs as ONNX Runtime does.

    Raises:
        EngineError: other names, shapes or types.
    """
    exact = OnnxSession(graph.model, graph.network.path.name)
    given = {tensor.name: tensor.shape for tensor in built.inputs}
    outputs = {tensor.name for tensor in built.outputs}
    types = {tensor.dtype for tensor in (*built.inputs, *built.outputs)}
    wrong = {tensor.dtype for tensor in built.outputs} != {"float32"} or not types <= {"float32", "uint8"}
    if wrong or given != exact.input_shapes or outputs != set(exact.output_names):
        raise EngineError(
            f"network {graph.network.name!r}, parsed with inputs {given}, outputs {sorted(outputs)}, "
            f"types {sorted(types)}",
            f"inputs {exact.input_shapes}, outputs {sorted(exact.output_names)}, float32",
            "Export it with static shapes, inputs of float32 or uint8 and outputs of float32.",
        )
