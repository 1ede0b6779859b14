"""How far an engine is from ONNX Runtime in fp32, and how far it may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from facepuppet.core.errors import EngineError
from facepuppet.core.types import F32
from facepuppet.inference.onnx_session import Feed, Session

LEVEL = 1 / 255  # one step of an 8-bit picture, in the networks' unit
# A mean below half a step vanishes in rounding; no pixel may be wrong by more than what dither hides.
MAX_ERROR, MEAN_ERROR, JITTER = 4 * LEVEL, 0.5 * LEVEL, 0.5 * LEVEL
MAX_RELATIVE_ERROR = 1e-3  # of trackers: two thousandths of a 192 px crop are what landmarks differ by unseen


@dataclass(frozen=True, slots=True)
class Deviation:
    """How one session differs from another on the same inputs, over all outputs.

    Attributes:
        max_error: largest difference of any value.
        mean_error: mean difference, of the worst output.
        jitter: mean change of the difference from one input to the next, of the worst output.
        n: how many inputs.
    """

    max_error: float
    mean_error: float
    jitter: float
    n: int

    @property
    def passes(self) -> bool:
        """Whether no one will see it; NaN does not pass."""
        return self.max_error <= MAX_ERROR and self.mean_error <= MEAN_ERROR and self.jitter <= JITTER

    @property
    def passes_in_8_bits(self) -> bool:
        """Whether that may be rounding to 8 bits: single pixels are far off then, and all flicker a bit."""
        return self.mean_error <= MEAN_ERROR and self.jitter <= 2 * JITTER

    def __str__(self) -> str:
        return f"max {self.max_error:.2g}, mean {self.mean_error:.2g}, jitter {self.jitter:.2g}"


def measure(session: Session, reference: Session, feeds: Sequence[Feed]) -> Deviation:
    """Compare two sessions on inputs in the order of time.

    Raises:
        EngineError: their outputs have other names or shapes, or one of them fails.
    """
    errors: dict[str, list[F32]] = {name: [] for name in reference.output_names}
    for feed in feeds:
        truth, given = reference.run(feed), session.run(feed)
        for name in errors:
            if name not in given or given[name].shape != truth[name].shape:
                raise EngineError(
                    f"{session.description} without an output {name!r} of shape {truth[name].shape}",
                    "the network's own outputs",
                    "Run `facepuppet engines clean --all`, or use --engine cpu.",
                )
            errors[name].append(np.asarray(given[name], np.float32) - truth[name])
    stacked = [np.stack(error) for error in errors.values()]
    changes = [np.diff(error, axis=0) if len(error) > 1 else np.zeros(1) for error in stacked]
    return Deviation(
        _worst([np.abs(error).max() for error in stacked]),
        _worst([np.abs(error).mean() for error in stacked]),
        _worst([np.abs(change).mean() for change in changes]),
        len(feeds),
    )


def relative_error(session: Session, reference: Session, feeds: Sequence[Feed]) -> float:
    """Largest difference of any value over the spread of its output, at least 1: of outputs in any unit.

    Raises:
        EngineError: one of the sessions fails.
    """
    errors = []
    for feed in feeds:
        truth, given = reference.run(feed), session.run(feed)
        for name, values in truth.items():
            spread = max(1.0, float(np.ptp(values)))
            errors.append(np.float64(np.abs(np.asarray(given[name], np.float32) - values).max() / spread))
    return _worst(errors)


def _worst(values: Sequence[np.floating[Any]]) -> float:
    """NumPy's maximum, which NaN wins wherever it stands; Python's own depends on the order."""
    return float(np.max(values))


def probe_feeds(input_shapes: Mapping[str, tuple[int, ...]], n: int = 3) -> Iterator[Feed]:
    """Make inputs that look like pictures and outlines: smooth, in [0, 1], a little different each.

    What a session is tried on before it is trusted, where recorded inputs would take too long.

    Raises:
        EngineError: an input that is no batch of one picture of fixed size.
    """
    odd = {name: shape for name, shape in input_shapes.items() if not _is_picture(shape)}
    if odd:
        raise EngineError(f"network inputs {odd}", "(1, C, S, S) each", "Export it with static shapes.")
    random = np.random.default_rng(0)
    waves = {name: random.uniform(-3, 3, (shape[1], 3)) for name, shape in input_shapes.items()}
    for step in range(n):
        yield {name: _picture(shape, waves[name], step / 8) for name, shape in input_shapes.items()}


def picture_feeds(input_shapes: Mapping[str, tuple[int, ...]], n: int = 3) -> Iterator[Feed]:
    """As `probe_feeds`, for networks that take one picture (1, H, W, 3) uint8."""
    planes = {name: (1, 3, height, width) for name, (_, height, width, _) in input_shapes.items()}
    for feed in probe_feeds(planes, n):
        yield {
            name: np.rint(255 * values.transpose(0, 2, 3, 1)).astype(np.uint8)
            for name, values in feed.items()
        }


def _is_picture(shape: tuple[Any, ...]) -> bool:
    return len(shape) == 4 and shape[0] == 1 and all(isinstance(n, int) for n in shape)


def _picture(
    shape: tuple[int, ...], waves: np.ndarray[tuple[int, ...], np.dtype[np.float64]], at: float
) -> F32:
    """Plane waves of each channel's own direction and phase."""
    y, x = np.mgrid[0 : shape[2], 0 : shape[3]] / shape[2]
    planes = [0.5 + 0.5 * np.sin(2 * np.pi * (a * x + b * y) + c + at) for a, b, c in waves]
    return np.broadcast_to(np.stack(planes), shape).astype(np.float32)
