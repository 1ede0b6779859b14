"""The largest maker of frames that a machine can run in time, and telling which and why."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path

from facepuppet.core.errors import EngineError, ManifestError, PortraitUnfitError
from facepuppet.core.metrics import Meter
from facepuppet.drivers.scripted import PIECE_S, Performance
from facepuppet.frames.base import FrameMaker
from facepuppet.frames.cpu.cpu_maker import CpuMaker
from facepuppet.frames.generated.generated_head import GeneratedHead
from facepuppet.frames.generated.generator_maker import GeneratorMaker
from facepuppet.frames.generated.pace_watch import LOOKED_AT_S, PaceWatch
from facepuppet.frames.generated.portrait_networks import PortraitNetworks
from facepuppet.inference.runtime import Runtime
from facepuppet.portrait.avatar import Avatar
from facepuppet.retarget import Retargeter

_TRIED = 24  # moments of the built-in piece
_ALL_THE_SAME = "--maker liveportrait takes it all the same."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Below:
    """What LivePortrait's maker stands before.

    Attributes:
        avatar: the portrait as it is shown.
        cpu: the built-in maker on the CPU.
        best: the best of the built-in makers, which may be the same.
        meter: told the times of further steps.
    """

    avatar: Avatar
    cpu: CpuMaker
    best: FrameMaker
    meter: Meter

    @property
    def runtime(self) -> Runtime:
        """What opens networks."""
        return self.cpu.renderer.runtime


def with_generator(
    wanted: str,
    below: Below,
    fps: float,
    folder: Path | None = None,
    now_s: Callable[[], float] = time.perf_counter,
) -> FrameMaker:
    """Return LivePortrait's maker where that is wanted and can be had; else the best one below.

    Its description says why; where it is not taken, that is told in one line.

    Args:
        wanted: "liveportrait", however long it takes, or "auto": on any engine but the CPU, if it holds the
            cadence in a trial of two seconds.
        below: what it stands before.
        fps: the cadence.
        folder: of the import; the user's own if None.
        now_s: tells the time.
    """
    is_asked = wanted == "liveportrait"
    engines = [engine for engine in below.runtime.choice if is_asked or engine != "cpu"]
    if not engines:
        log.warning(
            "LivePortrait takes seconds a picture on a CPU: the built-in maker is used. %s", _ALL_THE_SAME
        )
    for engine in engines:
        try:
            made = _opened(engine, below, None if is_asked else PaceWatch(fps), folder, now_s)
            trial = tried(made, below.avatar, fps, now_s, 0.0 if is_asked else LOOKED_AT_S)
        except EngineError as problem:
            below.runtime.fell_back(f"LivePortrait is not used. {problem}")
        except (ManifestError, PortraitUnfitError) as problem:  # no other engine would mend that
            below.runtime.fell_back(f"LivePortrait is not used. {problem}")
            break
        else:
            if is_asked or trial.holds:
                return made
            log.warning("%s on %s: the built-in maker is used. %s", made.description, engine, _ALL_THE_SAME)
            break
    return below.best


def tried(
    maker: GeneratorMaker, avatar: Avatar, fps: float, now_s: Callable[[], float], for_s: float
) -> PaceWatch:
    """Make pictures of the built-in piece for so long, at least one, and tell the maker; nobody sees them.

    Raises:
        EngineError: the network failed, or answered what is no number.
    """
    retargeter, piece, pace = Retargeter(avatar), Performance(), PaceWatch(fps)
    moments = [i * PIECE_S / _TRIED for i in range(_TRIED)]
    motions = [retargeter.update(piece.expression(t_s, i)) for i, t_s in enumerate(moments)]
    maker.generate(motions[0])  # the first one compiles, and fetches memory
    begun_s = now_s()
    for motion in cycle(motions):
        pace.took(maker.generate(motion).taken_s)
        if now_s() - begun_s >= for_s:
            break
    maker.tell_pace(pace)
    return pace


def _opened(
    engine: str, below: Below, pace: PaceWatch | None, folder: Path | None, now_s: Callable[[], float]
) -> GeneratorMaker:
    """Open LivePortrait's maker on one engine.

    Raises:
        ManifestError, EngineError, PortraitUnfitError: as `PortraitNetworks` and `GeneratedHead`.
    """
    runtime, renderer = below.runtime, below.cpu.renderer
    networks = runtime.once(
        ("liveportrait", engine, folder), partial(PortraitNetworks, runtime, engine, folder)
    )
    head = GeneratedHead(below.avatar, renderer, networks)

    def lost(problem: EngineError) -> None:
        runtime.fell_back(f"LivePortrait is given up; the built-in maker goes on. {problem}")

    return GeneratorMaker(head, below.cpu, below.best, lost, pace, below.meter, now_s)
