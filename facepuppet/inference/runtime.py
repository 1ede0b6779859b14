"""Which engine runs the painters, and what happens when it cannot."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from facepuppet.core.errors import EngineError, EngineRefusedError
from facepuppet.core.hardware import usable_cores
from facepuppet.inference.deviation import (
    MAX_RELATIVE_ERROR,
    measure,
    picture_feeds,
    probe_feeds,
    relative_error,
)
from facepuppet.inference.engine_cache import EngineCache
from facepuppet.inference.engine_store import supply
from facepuppet.inference.gpu import Gpu, list_gpus
from facepuppet.inference.manifest import Network, PaintingNetwork, read_verified
from facepuppet.inference.on_device import OnDeviceSession, OnnxOnDevice
from facepuppet.inference.onnx_session import ENGINES, LABELS, OnnxSession, Session, require_provider
from facepuppet.inference.resilient import ResilientSession
from facepuppet.inference.runtime_cache import RuntimeCache
from facepuppet.inference.tensorrt import MODULES, Flavour, can_try
from facepuppet.inference.tensorrt_session import TensorRtSession

T = TypeVar("T")
MOST_HELPERS = 3  # a portrait's painters less the one that its own thread runs; more cores need no more
log = logging.getLogger(__name__)


class Runtime:
    """Opens networks on the best engine, and remembers what it had to fall back from.

    Puppets of one process share one: a network is opened once, however many of them use it, and so are
    kernels on a GPU and the threads that painters work on.

    Args:
        engine: one of ENGINES, or "auto" for the first that is installed and works.
        threads: of the CPU.
        cache: where TensorRT engines are kept; the user's cache folder if None.

    Attributes:
        helpers: threads for networks that run beside each other.
        fallbacks: one sentence for each engine that should have run and could not, here or later in
            mid-stream; each is logged as well.

    Raises:
        EngineError: the engine asked for is unknown, or cannot run here.
    """

    def __init__(self, engine: str = "auto", *, threads: int = 1, cache: EngineCache | None = None) -> None:
        self._asked, self._threads, self._cache = engine, threads, cache or EngineCache()
        self._devices: dict[str, tuple[Flavour, Gpu]] = {}
        self._lost: set[str] = set()
        self._sessions: dict[tuple[str, str], ResilientSession] = {}
        self._shared: dict[Hashable, Any] = {}
        self._opening = threading.RLock()
        self.helpers = ThreadPoolExecutor(min(MOST_HELPERS, max(1, usable_cores() - 1)), "painter")
        self.fallbacks: list[str] = []
        if engine != "auto":
            self.require(engine)

    @property
    def is_forced(self) -> bool:
        """Whether an engine other than the CPU was asked for by name."""
        return self._asked not in ("auto", "cpu")

    def require(self, engine: str) -> str:
        """Check that an engine's software and hardware are here; return what it would run on.

        Raises:
            EngineError: they are not.
        """
        if engine not in ENGINES:
            raise EngineError(
                f"engine {engine!r}", f"auto or one of {', '.join(ENGINES)}", "Correct --engine."
            )
        if engine not in MODULES:
            return require_provider(engine)
        flavour, gpu = self._device(engine)
        return f"{flavour.label} on {gpu.name}"

    def open(self, network: Network) -> ResilientSession:
        """Open a network, or return the session that is open already; any number of threads may run it.

        Raises:
            ManifestError: its file does not match the manifest, or is no network.
            EngineError: the engine that was asked for cannot run it.
        """
        with self._opening:
            key = (network.name, network.sha256)
            if key not in self._sessions:
                self._sessions[key] = self._open(network)
            return self._sessions[key]

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` made when this key was first asked for: what several puppets need once."""
        with self._opening:
            if key not in self._shared:
                self._shared[key] = make()
            made: T = self._shared[key]
            return made

    def _open(self, network: Network) -> ResilientSession:
        spare = self._on_cpu(network)
        for engine in candidates() if self._asked == "auto" else (self._asked,):
            if engine == "cpu":
                break
            if self.is_lost(engine):
                continue
            try:
                return ResilientSession(self._trusted(engine, network), spare, self)
            except EngineError as problem:
                if self._asked != "auto":
                    raise
                self.fell_back(f"{LABELS[engine]} is not used. {problem}")
        return ResilientSession(spare, spare, self)

    def open_unchecked(self, network: Network) -> Session:
        """Open a network on the engine that was asked for, with neither gate nor spare, to examine it.

        Raises:
            ManifestError, EngineError: as `open`.
        """
        return self.open_alone(network, self._asked)

    def open_alone(self, network: Network, engine: str, *, threads: int | None = None) -> Session:
        """Open a network on one engine, with neither gate nor spare: where a spare would be too slow.

        Args:
            network: what to run.
            engine: one of ENGINES.
            threads: of the CPU; as many as for other networks if None.

        Raises:
            ManifestError, EngineError: as `open`.
        """
        return self._opened(engine, network, threads)

    @property
    def choice(self) -> tuple[str, ...]:
        """The engines that networks may run on, best first: the one asked for, or all that are not lost."""
        if self._asked != "auto":
            return (self._asked,)
        return tuple(engine for engine in candidates() if not self.is_lost(engine))

    def gpu(self, engine: str) -> Gpu:
        """Return the NVIDIA GPU that an engine of ON_DEVICE runs on.

        Raises:
            EngineError: there is none.
        """
        return self._device(engine)[1] if engine in MODULES else list_gpus()[0]

    def open_on_device(self, engine: str, network: Network, stream: Any) -> OnDeviceSession:
        """Open a network, trusted before, on memory that stays on the GPU.

        Args:
            engine: one of ON_DEVICE.
            network: what to run.
            stream: cupy.cuda.Stream to run it on.

        Raises:
            ManifestError, EngineError: as `open`.
        """
        if engine in MODULES:
            return self._on_tensorrt(engine, network)
        return OnnxOnDevice(read_verified(network), self.gpu(engine), stream)

    def fell_back(self, sentence: str) -> None:
        """Remember and tell, once."""
        if sentence not in self.fallbacks:
            self.fallbacks.append(sentence)
            log.warning("%s", sentence)

    def is_lost(self, engine: str) -> bool:
        """Whether an engine failed in mid-stream: other networks need not wait for it too."""
        return engine in self._lost

    def lose(self, engine: str, problem: EngineError) -> None:
        """Give an engine up for the rest of the run."""
        self._lost.add(engine)
        self.fell_back(f"{LABELS[engine]} failed in mid-stream; the CPU goes on. {problem}")

    def _trusted(self, engine: str, network: Network) -> Session:
        """Open a network and compare it with the CPU in fp32, which also warms it up."""
        session, reference = self._opened(engine, network), self._on_cpu(network, exact=True)
        if isinstance(network, PaintingNetwork):
            deviation = measure(session, reference, list(probe_feeds(reference.input_shapes)))
            passes, told = deviation.passes, str(deviation)
        else:
            error = relative_error(session, reference, list(picture_feeds(reference.input_shapes)))
            passes, told = error <= MAX_RELATIVE_ERROR, f"relative error {error:.2g}"
        if not passes:
            raise EngineError(
                f"{session.description}, which computes {network.name!r} wrongly ({told})",
                "what ONNX Runtime gives in fp32",
                "Run `facepuppet engines verify`, or use --engine cpu.",
            )
        return session

    def _on_cpu(self, network: Network, *, exact: bool = False) -> OnnxSession:
        """Open a network on the CPU: in 8 bits where it has that, unless it has to be exact."""
        file = network if exact or network.int8 is None else network.int8
        session = OnnxSession(read_verified(file), file.path.name, threads=self._threads)
        if file is network.int8:
            session.description += " in 8 bits"
        return session

    def _opened(self, engine: str, network: Network, threads: int | None = None) -> Session:
        if engine not in MODULES:
            return OnnxSession(read_verified(network), network.path.name, engine, threads or self._threads)
        try:
            return self._on_tensorrt(engine, network)
        except EngineRefusedError as problem:
            log.warning("The engine of %r is built anew. %s", network.name, problem)
            return self._on_tensorrt(engine, network, anew=True)

    def _on_tensorrt(self, engine: str, network: Network, *, anew: bool = False) -> TensorRtSession:
        flavour, gpu = self._device(engine)
        key, plan = supply(network, flavour, gpu, self._cache, anew=anew)
        return TensorRtSession(plan, flavour, gpu, RuntimeCache(self._cache, key, flavour, gpu))

    def _device(self, engine: str) -> tuple[Flavour, Gpu]:
        if engine not in self._devices:
            flavour, gpus = Flavour(engine), list_gpus()
            gpu = flavour.choose(gpus)
            if len(gpus) > 1:
                log.warning(
                    "%d NVIDIA GPUs: %s is used; CUDA_VISIBLE_DEVICES chooses another.", len(gpus), gpu.name
                )
            self._devices[engine] = flavour, gpu
        return self._devices[engine]


def candidates() -> tuple[str, ...]:
    """Runtime whose software is installed, best first, the CPU last; imports nothing of CUDA."""
    return tuple(name for name in ENGINES if _is_installed(name))


def _is_installed(engine: str) -> bool:
    if engine in MODULES:
        return can_try(engine)
    try:
        return bool(require_provider(engine))
    except EngineError:
        return False


def open_session(network: Network, engine: str = "auto", *, threads: int = 1) -> ResilientSession:
    """Open one network (see `Runtime`, which several networks of one run share).

    Raises:
        ManifestError: its file does not match the manifest, or is no network.
        EngineError: the engine asked for is unknown, or cannot run here.
    """
    return Runtime(engine, threads=threads).open(network)
