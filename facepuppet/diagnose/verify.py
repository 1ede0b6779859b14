"""Every engine against ONNX Runtime in fp32, on what the painters really see in a performance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facepuppet.core.errors import EngineError
from facepuppet.core.types import F32
from facepuppet.drivers.scripted import PIECE_S, Performance
from facepuppet.frames.cpu.render import Renderer
from facepuppet.frames.generated.face_crop import crop_of
from facepuppet.frames.generated.portrait_networks import PortraitNetworks
from facepuppet.inference import Feed, OnnxSession, Runtime, Session
from facepuppet.inference.deviation import Deviation, measure
from facepuppet.inference.imported_networks import GeneratorNetwork, is_imported
from facepuppet.inference.manifest import Network, read_verified
from facepuppet.inference.precision import emulate_half, to_half
from facepuppet.inference.resilient import ResilientSession
from facepuppet.portrait.load import load_avatar, sample_portrait_path
from facepuppet.retarget import Retargeter

FPS = 30.0
BURSTS, BURST = 6, 4  # flicker shows between neighbouring frames only
HALF = "fp16 rounding"  # emulated on the CPU: what any GPU's fp16 will do at least


@dataclass(frozen=True, slots=True)
class Comparison:
    """One network on one engine.

    Attributes:
        network: its name.
        engine: one of ENGINES, or HALF.
        description: engine, version and device; empty when it did not run.
        deviation: from fp32 on the CPU; None when it did not run.
        reason: why it did not run; else empty.
        eight_bits: it ran the network's 8-bit file, as CPUs do.
    """

    network: str
    engine: str
    description: str
    deviation: Deviation | None
    reason: str = ""
    eight_bits: bool = False

    @property
    def passes(self) -> bool | None:
        """Whether no one will see the difference; None when it did not run."""
        if self.deviation is None:
            return None
        return self.deviation.passes_in_8_bits if self.eight_bits else self.deviation.passes

    def to_json(self) -> dict[str, Any]:
        """Return plain values for json.dumps."""
        return {**asdict(self), "passes": self.passes}


class Exact(Runtime):
    """Opens networks on the CPU in fp32: what every engine is compared with."""

    def __init__(self) -> None:
        super().__init__("cpu")

    def open(self, network: Network) -> ResilientSession:
        """Open a network."""
        session = self.open_unchecked(network)
        return ResilientSession(session, session, self)


class Rounding(Exact):
    """The same, rounding every value as fp16 does where the manifest allows fp16."""

    def open_unchecked(self, network: Network) -> Session:
        """Open a network."""
        if network.precision == "fp32":
            return super().open_unchecked(network)
        return OnnxSession(emulate_half(to_half(read_verified(network))), network.path.name)


def engines_of(word: str) -> Runtime:
    """Return what opens networks on one of ENGINES or HALF.

    Raises:
        EngineError: it is unknown, or cannot run here.
    """
    return Rounding() if word == HALF else Runtime(word)


class Recorder(Exact):
    """The same, keeping all that the networks are fed."""

    def __init__(self) -> None:
        super().__init__()
        self.tapes: dict[str, tuple[Network, list[Feed]]] = {}

    def open(self, network: Network) -> ResilientSession:
        """Open a network that is listened to."""
        listening = self._listening(network, super().open(network))
        return ResilientSession(listening, listening, self)

    def open_alone(self, network: Network, engine: str, *, threads: int | None = None) -> Session:
        """Open a part of an import, which is listened to; others are by `open`."""
        session = super().open_alone(network, engine, threads=threads)
        return self._listening(network, session) if isinstance(network, GeneratorNetwork) else session

    def _listening(self, network: Network, session: Session) -> Session:
        tape: list[Feed] = []
        self.tapes[network.name] = network, tape
        return _Listening(session, tape)


class _Listening:
    """A session that keeps a copy of its inputs."""

    def __init__(self, session: Session, tape: list[Feed]) -> None:
        self.engine, self.description = session.engine, session.description
        self.input_shapes, self.output_names = session.input_shapes, session.output_names
        self._session, self._tape = session, tape

    def run(self, feed: Feed) -> dict[str, F32]:
        """Keep the inputs, return the outputs."""
        self._tape.append({name: value.copy() for name, value in feed.items()})
        return self._session.run(feed)


def record(folder: Path | None = None) -> Iterator[tuple[Network, list[Feed]]]:
    """Let the sample portrait perform, and return what each network was fed.

    The feeds of the two eyes follow each other, not alternate: flicker is between neighbours in time.

    Args:
        folder: with manifest.toml and weights; the installed engines package if None.
    """
    avatar = load_avatar(sample_portrait_path())
    recorder = Recorder()
    renderer, piece = Renderer(avatar, folder, recorder), Performance()
    retargeter = Retargeter(avatar)
    starts = [burst * PIECE_S / BURSTS for burst in range(BURSTS)]
    times = [start + i / FPS for start in starts for i in range(BURST)]
    for i, t_s in enumerate(times):
        for painter in renderer.painters:
            painter.forget()
        renderer.render(retargeter.update(piece.expression(t_s, i)))
    for network, tape in recorder.tapes.values():
        # Crops are told apart by their pictures at rest, for not every one is painted each time.
        crops: dict[bytes, list[Feed]] = {}
        for feed in tape:
            crops.setdefault(feed["source"].tobytes(), []).append(feed)
        yield network, [feed for feeds in crops.values() for feed in feeds]


def verify(
    engines: Sequence[str],
    folder: Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Comparison]:
    """Compare every network on every engine with ONNX Runtime's CPU in fp32.

    Args:
        engines: of ENGINES or HALF.
        folder: with manifest.toml and weights; the installed engines package if None.
        progress: called with the phase, comparisons done and in all.

    Raises:
        ManifestError: a manifest or file that cannot be read.
    """
    comparisons: list[Comparison] = []
    tapes = list(record(folder))
    if folder is None and is_imported():
        tapes += record_head()
    pairs = [(tape, engine) for tape in tapes for engine in engines if not _is_itself(tape[0], engine)]
    for (network, feeds), engine in pairs:
        if progress is not None:
            progress("verify", len(comparisons), len(pairs))
        comparisons.append(_compare(network, engine, feeds))
    return comparisons


def _is_itself(network: Network, engine: str) -> bool:
    """Whether an engine runs a user's network just as the reference does: seconds that would tell nothing."""
    exact = engine == "cpu" or (engine == HALF and network.precision == "fp32")
    return exact and isinstance(network, GeneratorNetwork)


def record_head(folder: Path | None = None) -> list[tuple[Network, list[Feed]]]:
    """Let an imported LivePortrait show the sample portrait twice, and return what each part was fed.

    Args:
        folder: of the import; the user's own if None.

    Raises:
        ManifestError: as `PortraitNetworks`.
    """
    recorder, avatar = Recorder(), load_avatar(sample_portrait_path())
    networks = PortraitNetworks(recorder, "cpu", folder)
    seen = crop_of(avatar.landmarks_px).cut(avatar.portrait_rgb)
    feature, points = networks.features(seen), networks.look(seen).points
    for moved in (points, points + np.array([0.02, 0.01, 0.0])):
        networks.stitching(points, moved)
        networks.lids(points, np.full(2, 0.3), 0.1)
        networks.lips(points, 0.0, 0.2)
        networks.picture(feature, points, moved)
    return list(recorder.tapes.values())


def _compare(network: Network, engine: str, feeds: Sequence[Feed]) -> Comparison:
    reference = OnnxSession(read_verified(network), network.path.name)
    eight_bits = engine == "cpu" and network.int8 is not None
    try:
        engines = engines_of(engine)
        session = engines.open(network) if eight_bits else engines.open_unchecked(network)
        deviation = measure(session, reference, feeds)
        return Comparison(network.name, engine, session.description, deviation, eight_bits=eight_bits)
    except EngineError as problem:
        return Comparison(network.name, engine, "", None, str(problem))
