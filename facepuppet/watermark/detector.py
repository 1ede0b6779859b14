"""The detector as a stream: frames in, findings out, memory constant."""

from __future__ import annotations

from math import log

import cv2
import numpy as np

from facepuppet.core.errors import WatermarkError
from facepuppet.core.types import U8
from facepuppet.watermark.carrier import C64, Carrier, carrier_of
from facepuppet.watermark.correlate import Geometry, picked, spectrum, statistic, torus_transform
from facepuppet.watermark.decode import read_payload
from facepuppet.watermark.finding import BLOCK_S, CurvePoint, Finding
from facepuppet.watermark.keys import PUBLIC_KEY, Key
from facepuppet.watermark.lockin import Block, reduce_luma
from facepuppet.watermark.payload import Payload
from facepuppet.watermark.probability import LOG_ALPHA, log_look_share, log_tail
from facepuppet.watermark.search import LOG_N_HYPOTHESES, blind_search
from facepuppet.watermark.windows import Windows

HOP_S = BLOCK_S / 2
_GAP_S = 1.5  # a longer silence starts afresh
_MIN_SIDE_PX, _MAX_ASPECT = 32, 8
_WHOLE_FRAME = (Geometry(), Geometry(mirrored=True))
# Half the error is spent on the whole frame, half on the blind search, evenly over the two windows
# and the two kinds of evidence.
_N_FIELDS = 4
_LOG_N_WHOLE = log(2 * _N_FIELDS * len(_WHOLE_FRAME))
_LOG_N_BLIND = log(2 * _N_FIELDS) + LOG_N_HYPOTHESES


class _KeyState:
    """What is known of one key so far."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.carrier: Carrier = carrier_of(key)
        self.log_p = 0.0
        self.first_seen_s: float | None = None
        self.payload: Payload | None = None
        self.payload_s: float | None = None
        self.geometry: Geometry | None = None
        self.blind = False
        self.curve: list[CurvePoint] = []

    def consider(self, log_p: float, geometry: Geometry, t_s: float, blind: bool) -> None:
        if log_p < self.log_p:
            self.log_p, self.geometry, self.blind = log_p, geometry, blind
        if self.first_seen_s is None and self.log_p < LOG_ALPHA:
            self.first_seen_s = t_s

    def finding(self) -> Finding:
        return Finding(
            self.key.name,
            self.log_p / log(10),
            self.first_seen_s,
            self.payload,
            self.payload_s,
            self.geometry if self.first_seen_s is not None else None,
            tuple(self.curve),
        )


class Detector:
    """Looks for the marks of several keys in a stream of frames.

    Args:
        keys: whose marks to look for; each costs one more correction and some time.

    Raises:
        WatermarkError: no key was given.
    """

    def __init__(self, keys: tuple[Key, ...] = (PUBLIC_KEY,)) -> None:
        if not keys:
            raise WatermarkError("no key", "at least one", "Leave the keys out to use the public one.")
        self._states = [_KeyState(key) for key in keys]
        self._blocks: list[Block] = []
        self._shape: tuple[int, int] | None = None
        self._windows = Windows()
        self._looks = 0
        self._first_s: float | None = None
        self._last_s = 0.0
        self._next_start_s = 0.0

    def add(self, luma: U8, t_s: float) -> None:
        """Take one frame.

        Args:
            luma: (H, W) uint8, or (H, W, 3) RGB uint8.
            t_s: its presentation time, any origin. A gap or a step back starts the evidence afresh.

        Raises:
            WatermarkError: the picture is too small or too narrow to carry a mark.
        """
        if luma.ndim == 3:
            luma = np.asarray(cv2.cvtColor(luma, cv2.COLOR_RGB2GRAY), np.uint8)
        _check_shape(luma)
        picture = reduce_luma(luma)
        jumped = not 0 <= t_s - self._last_s <= _GAP_S
        if self._shape is None or jumped or _differ(self._shape, picture.shape):
            self._restart((picture.shape[0], picture.shape[1]), t_s)
        elif picture.shape != self._shape:
            picture = np.asarray(cv2.resize(picture, self._shape[::-1]), np.float32)
        if self._first_s is None:
            self._first_s = t_s
        self._last_s = t_s
        if t_s >= self._next_start_s:
            self._blocks.append(Block((picture.shape[0], picture.shape[1])))
            self._next_start_s += HOP_S * max(1, round((t_s - self._next_start_s) / HOP_S))
        for block in self._blocks:
            block.add(picture, t_s)
        if self._blocks[0].end_s - self._blocks[0].start_s >= BLOCK_S - 0.02:
            self._look(self._blocks.pop(0))

    @property
    def payload_read(self) -> bool:
        """True once the payload of some key was read: more frames then tell only when, not what."""
        return any(state.payload is not None for state in self._states)

    def finish(self) -> tuple[Finding, ...]:
        """Look at what is left and return a finding for each key, the most certain first."""
        if self._looks == 0 and self._blocks:
            self._look(self._blocks.pop(0))
        return self.findings()

    def findings(self) -> tuple[Finding, ...]:
        """Return what is known so far, the most certain first."""
        return tuple(sorted((state.finding() for state in self._states), key=lambda finding: finding.log10_p))

    def _restart(self, shape: tuple[int, int], t_s: float) -> None:
        self._shape = shape
        self._blocks, self._windows = [], Windows()
        self._next_start_s = t_s

    def _look(self, block: Block) -> None:
        self._windows.add(block.evidence())
        self._looks += 1
        t_s = block.end_s - (self._first_s or 0.0)
        for window in self._windows.all():
            for field in window:
                self._look_whole(field, t_s)
            if self._blind_due():
                for field in window:
                    self._look_blind(field, t_s)
            self._read(window, t_s)
        self._plot(t_s)

    def _blind_due(self) -> bool:
        return self._looks.bit_count() == 1 or self._looks % 32 == 0

    def _look_whole(self, field: C64, t_s: float) -> None:
        share = log_look_share(self._looks) - _LOG_N_WHOLE - log(len(self._states))
        transform = torus_transform(field, 1.0)
        for geometry in _WHOLE_FRAME:
            values = picked(transform, self._states[0].carrier, geometry)
            for state in self._states:
                log_p = min(0.0, log_tail(statistic(values, state.carrier.pilot)) - share)
                state.consider(log_p, geometry, t_s, blind=False)

    def _look_blind(self, field: C64, t_s: float) -> None:
        pending = [state for state in self._states if state.first_seen_s is None or state.blind]
        if not pending:
            return
        share = log_look_share(self._looks) - _LOG_N_BLIND - log(len(self._states))
        matches = blind_search(field, tuple(state.carrier for state in pending))
        for state, match in zip(pending, matches, strict=True):
            log_p = min(0.0, log_tail(match.score) - share)
            state.consider(log_p, match.geometry, t_s, blind=True)

    def _read(self, window: C64, t_s: float) -> None:
        for state in self._states:
            if state.first_seen_s is None or state.payload is not None or state.geometry is None:
                continue
            views = [spectrum(field, state.carrier, state.geometry) for field in window]
            state.payload = read_payload(views, state.carrier)
            if state.payload is not None:
                state.payload_s = t_s

    def _plot(self, t_s: float) -> None:
        window = self._windows.latest()
        for state in self._states:
            geometry = state.geometry or Geometry()
            views = [spectrum(field, state.carrier, geometry) for field in window]
            score = max(statistic(view, state.carrier.pilot) for view in views)
            state.curve.append(CurvePoint(t_s, state.log_p / log(10), log_tail(score) / log(10)))


def _check_shape(luma: U8) -> None:
    height, width = luma.shape
    if min(height, width) < _MIN_SIDE_PX or max(height, width) > _MAX_ASPECT * min(height, width):
        raise WatermarkError(
            f"a picture of {width}x{height}",
            f"at least {_MIN_SIDE_PX} pixels on each side and no side over {_MAX_ASPECT} times the other",
            "Examine a larger part of the picture.",
        )


def _differ(shape: tuple[int, int], other: tuple[int, ...]) -> bool:
    return abs(shape[0] - other[0]) > 2 or abs(shape[1] - other[1]) > 2
