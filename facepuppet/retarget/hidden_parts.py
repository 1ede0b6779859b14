"""What a puppet does with parts of the driver's face that something hides: they hold, then ease to rest.

Rest is how the part was held of late, on average: a speaker's mouth that shuts for good behind a microphone
is farther from the truth than one that stays ajar.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, Part, Parts
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.topology import EYES, LIPS
from facepuppet.retarget.deltas import Deltas

# What is noticed was there a little before: what is held is what was shown so much earlier.
BEFORE_NS = 150_000_000
LET_GO_S, HOLD_S, EASE_S, BACK_S = 0.1, 0.3, 0.8, 0.25
USUAL_S = 1.0  # time constant with which it is learnt how a face is held between its motions
MOUTH_REACH, EYE_REACH = 0.45, 0.22  # inter-ocular distances
# Heights on the mean face, in inter-ocular distances down from the eyes: between each pair a part fades out.
NOSE_Y, LIP_Y = 0.45, 0.65  # a hidden mouth
BROW_Y, FOREHEAD_Y = -0.08, -0.20  # hidden brows
_EYES = (Part.LEFT_EYE, Part.RIGHT_EYE)


@dataclass(slots=True)
class _Hold:
    """How a part stands that is hidden, or was of late.

    Attributes:
        held: what was shown of it, when it was hidden.
        since_ns: when that was.
        share: how much of what is measured is shown, before it is eased, in [0, 1].
        hidden: it is.
    """

    held: Deltas
    since_ns: int
    share: float = 1.0
    hidden: bool = True


class HiddenParts:
    """Shows what is measured, but for what is hidden; time comes in with each update."""

    def __init__(self) -> None:
        self._holds: dict[Part, _Hold] = {}
        self._shown: deque[tuple[int, Deltas]] = deque()  # of late, the oldest first
        self._usual: Deltas | None = None

    def update(self, measured: Deltas, hidden: Parts, t_ns: int) -> Deltas:
        """Return the deltas to show at time t_ns (monotonic, not decreasing, from wherever it starts)."""
        if hidden or self._holds:
            self._turn(hidden, t_ns)
            shown = self._mixed(measured, t_ns)
        else:
            shown = measured
            self._get_used(measured, t_ns)
        self._shown.append((t_ns, shown))
        while self._shown[0][0] < t_ns - BEFORE_NS and len(self._shown) > 1:
            self._shown.popleft()
        return shown

    def _get_used(self, measured: Deltas, t_ns: int) -> None:
        if self._usual is None or not self._shown:
            self._usual = measured
        else:
            passed_s = (t_ns - self._shown[-1][0]) * 1e-9
            self._usual = self._usual.toward(measured, 1.0 - math.exp(-passed_s / USUAL_S))

    def _turn(self, hidden: Parts, t_ns: int) -> None:
        """Let go of what is hidden, come back to what is seen again."""
        for part in hidden:
            hold = self._holds.get(part)
            if hold is None:
                self._holds[part] = _Hold(self._shown[0][1] if self._shown else Deltas.rest(), t_ns)
            elif not hold.hidden:
                self._holds[part] = _Hold(self._shown[-1][1], t_ns, share=0.0)
        passed_s = (t_ns - self._shown[-1][0]) * 1e-9 if self._shown else 0.0
        for part, hold in tuple(self._holds.items()):
            hold.hidden = part in hidden
            step = -passed_s / LET_GO_S if hold.hidden else passed_s / BACK_S
            hold.share = min(max(hold.share + step, 0.0), 1.0)
            if hold.share == 1.0 and not hold.hidden:
                del self._holds[part]

    def _mixed(self, measured: Deltas, t_ns: int) -> Deltas:
        usual = self._usual or Deltas.rest()
        offsets, opening, gaze = measured.offsets, measured.eye_opening, measured.gaze
        for part, hold in self._holds.items():
            away = 1.0 - smoothstep(hold.share)
            rest = usual.toward(
                hold.held, 1.0 - smoothstep(((t_ns - hold.since_ns) * 1e-9 - HOLD_S) / EASE_S)
            )
            offsets = offsets + np.float32(away) * _weights()[part] * (rest.offsets - offsets)
            if part in _EYES:
                eye = _EYES.index(part)
                opening, gaze = opening.copy(), gaze.copy()
                # Two eyes go together: where one is seen, the other does what that does.
                lone = _EYES[1 - eye] not in self._holds
                at, told = (1 - eye, measured) if lone else (eye, rest)
                opening[eye] += away * (told.eye_opening[at] - opening[eye])
                gaze[eye] += np.float32(away) * (told.gaze[at] - gaze[eye])
        return replace(measured, offsets=offsets, eye_opening=opening, gaze=gaze)


@cache
def _weights() -> Mapping[Part, F32]:
    """(478, 1) of each part, by how much each landmark belongs to it.

    A hidden mouth takes the jaw along, which follows it; jaw and chin alone leave the mouth as it is.
    """
    mean = canonical_landmarks()
    x, y = mean[:, 0], mean[:, 1]
    middle = mean[LIPS].mean(axis=0)
    below = smoothstep((y - NOSE_Y) / (LIP_Y - NOSE_Y))
    mouth = np.exp(-(((mean - middle) ** 2).sum(axis=1) / MOUTH_REACH**2))
    brows = smoothstep((BROW_Y - y) / (BROW_Y - FOREHEAD_Y))
    weights = {Part.MOUTH: below, Part.LOWER_FACE: below * (1.0 - mouth), Part.BROWS: brows}
    for part, eye in zip(_EYES, EYES, strict=True):
        across, down = mean[[eye.outer, eye.inner], :2].mean(axis=0).tolist()
        around = np.exp(-(((x - across) ** 2 + (y - down) ** 2) / EYE_REACH**2))
        weights[part] = around * (1.0 - brows)
    return {part: weight.astype(np.float32)[:, None] for part, weight in weights.items()}
