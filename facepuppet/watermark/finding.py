"""What the detector says about one key."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from facepuppet.watermark.carrier import RATE_HZ
from facepuppet.watermark.correlate import Geometry
from facepuppet.watermark.payload import Payload
from facepuppet.watermark.probability import LOG_ALPHA

BLOCK_S = 1.0 / RATE_HZ  # one look's stretch of time


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One look: the session's p-value so far, and that of the last blocks alone (base-10 logarithms)."""

    t_s: float
    log10_p: float
    recent_log10_p: float


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one key.

    Attributes:
        key: the key's name.
        log10_p: base-10 logarithm of the p-value, corrected for keys, search and repeated looks.
        first_seen_s: end of the look that first made the session count as marked, or None.
        payload: what the mark says, or None when not (yet) readable.
        payload_s: when it was first read.
        geometry: where the canvas lies in the picture, when marked.
        curve: one point a look.
    """

    key: str
    log10_p: float
    first_seen_s: float | None
    payload: Payload | None
    payload_s: float | None
    geometry: Geometry | None
    curve: tuple[CurvePoint, ...]

    @property
    def p_value(self) -> float:
        """The p-value; 0.0 when below the smallest double."""
        return float(10.0**self.log10_p)

    @property
    def marked(self) -> bool:
        """True when the p-value is below 1e-6."""
        return self.first_seen_s is not None

    @property
    def spans_s(self) -> tuple[tuple[float, float], ...]:
        """Stretches of time whose own evidence shows the mark, to about two seconds."""
        spans: list[tuple[float, float]] = []
        for point in self.curve:
            if point.recent_log10_p * log(10) >= LOG_ALPHA:
                continue
            start_s = max(0.0, point.t_s - BLOCK_S)
            if spans and start_s <= spans[-1][1]:
                start_s = spans.pop()[0]
            spans.append((start_s, point.t_s))
        return tuple(spans)
