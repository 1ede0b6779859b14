"""What `facepuppet engines` does: builds for one or many GPUs, and a look at what is there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from facepuppet.core.errors import EngineError
from facepuppet.inference.engine_cache import EngineCache, Entry, State
from facepuppet.inference.engine_store import Graph, build, key_for, prepare
from facepuppet.inference.gpu import Gpu, installed, list_gpus
from facepuppet.inference.manifest import Network
from facepuppet.inference.plan import OPTIONS, unknown_target
from facepuppet.inference.tensorrt import MODULES, Flavour, can_try


@dataclass(frozen=True, slots=True)
class Target:
    """What to build for: a compute capability as "sm89", and the GPU if it is in this machine."""

    name: str
    gpu: Gpu | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One engine.

    Attributes:
        network: its name.
        target: compute capability as "sm89".
        precision: "fp16" or "fp32".
        size: of the file's engine, in bytes.
        seconds: that building took; 0 when it was there already.
        note: why fp16 was refused; else empty.
    """

    network: str
    target: str
    precision: str
    size: int
    seconds: float
    note: str


def choose_flavour(engine: str, targets: Sequence[str]) -> Flavour:
    """Return the flavour asked for, or with "auto" the first that is installed and fits the targets.

    Raises:
        EngineError: none is installed, or it cannot build for GPUs that are not here.
    """
    if engine == "auto":
        # Building ahead of time needs no CuPy, and only TensorRT-RTX can.
        usable = [] if targets else [name for name in MODULES if can_try(name)]
        engine = usable[0] if usable else "tensorrt-rtx"
    if engine not in MODULES:
        raise EngineError(f"engine {engine!r}", f"one of {', '.join(MODULES)}", "Correct --engine.")
    flavour = Flavour(engine)
    if targets and not flavour.ahead_of_time:
        raise EngineError(
            f"--for {','.join(targets)} with {flavour.label}, which builds only on the GPU it builds for",
            "a flavour that builds ahead of time",
            "Use --engine tensorrt-rtx, or leave --for out.",
        )
    return flavour


def choose_targets(flavour: Flavour, names: Sequence[str]) -> tuple[Target, ...]:
    """Return what to build for: the named targets, or the local GPU.

    Raises:
        EngineError: a target that the flavour does not know, or no GPU and no name.
    """
    for name in names:
        if name not in flavour.targets:
            raise unknown_target(flavour, name)
    if names:
        return tuple(Target(name) for name in dict.fromkeys(names))
    try:
        gpu = flavour.choose(list_gpus())
    except EngineError as problem:
        if not flavour.ahead_of_time:
            raise
        todo = f"{problem.todo} Or name the target: --for {','.join(flavour.targets)}."
        raise EngineError(problem.got, problem.expected, todo) from problem
    return (Target(gpu.target, gpu),)


def build_all(
    networks: Sequence[Network],
    flavour: Flavour,
    targets: Sequence[Target],
    cache: EngineCache,
    *,
    precision: str | None = None,
    anew: bool = False,
) -> Iterator[Outcome]:
    """Build each network for each target, one at each step.

    Args:
        networks: of the manifest.
        flavour: with what.
        targets: for what.
        cache: where to keep them.
        precision: "fp32" for all; None lets manifest and gate decide.
        anew: also what is there already.

    Raises:
        ManifestError: a file that does not match the manifest.
        EngineError: one that cannot be built.
        OutputUnwritableError: the cache cannot be written.
    """
    for network in networks:
        graph = prepare(network, precision)
        for target in targets:
            yield _build_one(graph, flavour, target, cache, anew)


def _build_one(graph: Graph, flavour: Flavour, target: Target, cache: EngineCache, anew: bool) -> Outcome:
    key = key_for(graph.network, graph.precision, flavour, target.name, target.gpu)
    plan, seconds = None if anew else cache.get(key), 0.0
    if plan is None:
        begun_s = time.perf_counter()
        plan = build(graph, flavour, target.name, target.gpu)
        seconds = round(time.perf_counter() - begun_s, 3)
        cache.put(key, plan)
    return Outcome(graph.network.name, target.name, graph.precision, len(plan), seconds, graph.note)


def survey(cache: EngineCache, networks: Sequence[Network]) -> Iterator[tuple[Entry, State]]:
    """Look at every cached engine: what it is, and what it is good for on this machine."""
    versions = {name: Flavour(name).version for name, module in MODULES.items() if installed(module)}
    known = {(network.name, network.sha256) for network in networks}
    try:
        here = list_gpus()
    except EngineError:
        here = ()
    for entry in cache.entries():
        yield entry, _state(entry, known, versions, here)


def _state(
    entry: Entry, known: set[tuple[str, str]], versions: dict[str, str], here: tuple[Gpu, ...]
) -> State:
    key = entry.key
    if key is None:
        return State.DAMAGED
    replaced = versions.get(key.flavour, key.version) != key.version or key.options != OPTIONS
    if replaced or (key.network, key.onnx_sha256) not in known or entry.path.name != key.file_name:
        return State.STALE
    fits = any(gpu.target == key.target and key.gpu in ("", gpu.name) for gpu in here)
    return State.READY if fits and key.flavour in versions else State.ELSEWHERE
