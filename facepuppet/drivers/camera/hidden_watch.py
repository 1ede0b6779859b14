"""Which parts of the driver's face something is before: a hand, a cup, a microphone, hair.

The landmark network always answers, and of a hidden mouth it tells a grimace. Two things give it away. At its
landmarks a face keeps its colours whatever it does, and a thing before it has others (`OwnColours`): a hand
has the skin's, but not those of lips and shadows. And the network itself is less sure that this is a face.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, NO_PARTS, U8, Parts
from facepuppet.drivers.camera.face_colours import FaceColours, read_colours
from facepuppet.drivers.camera.own_colours import PARTS, OwnColours, Rows, points_of
from facepuppet.drivers.camera.tracking import Face

Flags: TypeAlias = npt.NDArray[np.bool_]  # (5,), one for each of PARTS

# Unlikeness from which on a part is hidden. In 32 clips of people that talk, laugh and grimace a seen mouth
# reaches .41, and a hidden one exceeds .5 in 95 of 100 frames (tools/evaluate_occlusion.py). Light that
# wanders over spectacles hides eyes, too, and now and then makes them as unlike themselves as this; of those
# more than half hidden nine in ten exceed .6.
HIDDEN = np.array([0.60 if "eye" in part.value else 0.45 for part in PARTS], np.float32)
SEEN = HIDDEN - 0.15  # it is seen again below
SURE = HIDDEN + 0.10  # from here on in a single frame; else it takes two
# By this much a face is unlike itself because it is turned: light falls on it from elsewhere.
TURN, TURN_FROM_RAD, TURN_TO_RAD = 0.25, 0.3, 0.7
CALM = 0.25  # up to here a part is learnt from in full, and not at all from HIDDEN on
SEEN_AGAIN_NS = 100_000_000  # for so long it must be seen
LEARN_S = 1.5  # time constant with which a face's look is learnt
FIRST_NS = 800_000_000  # nothing is judged before a face was seen for so long
LOST_NS = 1_500_000_000  # a face that was away for longer may be another one
STAYS_NS = 10_000_000_000  # what is there for longer is the part's own new look: a mask, a beard, glasses
GONE_NS = 300_000_000  # or so long, where the network is surer of a face than before: what hid it has gone
ALL_NS = 500_000_000  # a face that is hidden altogether for so long is another one, or in another light
# Log odds by which the network's certainty must change before that counts, how much, and how much at most.
SURELY, DOUBT, MOST_DOUBT = 2.0, 0.02, 0.15


@dataclass(frozen=True, slots=True)
class _View:
    """What is seen of a face now.

    Attributes:
        difference: (468, 3) of its colours from its own.
        facing: (468,).
        unlike: (5,) of each part, the network's doubt included.
    """

    difference: F32
    facing: F32
    unlike: Rows


class HiddenWatch:
    """Watches one driver's face; call it with every frame, in the order of capture."""

    _hidden: Flags
    _suspect: Flags  # unlike themselves in the last frame
    _new: Flags  # parts whose look is new

    def __init__(self) -> None:
        self._own: OwnColours | None = None
        self._last_ns = 0

    def update(self, rgb: U8, face: Face | None, presence: float | None, t_ns: int) -> Parts:
        """Return the parts that are hidden.

        Args:
            rgb: (H, W, 3) uint8 picture.
            face: where the driver's is in it.
            presence: log odds that it is a face; None where nobody tells.
            t_ns: its time of capture; must not decrease.
        """
        colours = None if face is None else read_colours(rgb, face)
        return NO_PARTS if colours is None else self.judge(colours, presence, t_ns)

    def judge(self, colours: FaceColours, presence: float | None, t_ns: int) -> Parts:
        """Return the parts that are hidden from a face of these colours."""
        own = self._own
        if own is None or t_ns - self._last_ns > LOST_NS:
            self._meet(colours, presence, t_ns)
            return NO_PARTS
        passed_s, self._last_ns = (t_ns - self._last_ns) * 1e-9, t_ns
        difference = own.difference(colours, points_of((~self._hidden).astype(np.float32), 1.0))
        turned = TURN * smoothstep((colours.turn_rad - TURN_FROM_RAD) / (TURN_TO_RAD - TURN_FROM_RAD))
        unlike = np.maximum(own.unlikeness(difference, colours.facing) - np.float32(turned), 0.0)
        surer = self._surer(presence)
        doubt = np.float32(min(DOUBT * max(-surer - SURELY, 0.0), MOST_DOUBT))
        doubted = unlike + doubt * (unlike == unlike.max())  # of the part most unlike itself
        view = _View(difference, colours.facing, doubted)
        if t_ns - self._first_ns >= FIRST_NS:
            self._decide(view.unlike, t_ns)
        if (unlike < HIDDEN).any():
            self._some_seen_ns = t_ns
        elif t_ns - self._some_seen_ns >= ALL_NS:
            self._meet(colours, presence, t_ns)
            return NO_PARTS
        self._learn(own, view, presence, passed_s)
        if surer < SURELY:
            self._doubtful_ns = t_ns
        self._get_used(own, view, t_ns)
        return frozenset(part for part, hidden in zip(PARTS, self._hidden, strict=True) if hidden)

    def _meet(self, colours: FaceColours, presence: float | None, t_ns: int) -> None:
        """Start with a face that nothing is known of."""
        self._own, self._presence = OwnColours(colours), presence
        self._former: OwnColours | None = None  # before a part got a new look
        self._n = 1
        self._first_ns = self._last_ns = t_ns
        self._some_seen_ns = self._doubtful_ns = (
            t_ns  # when some part looked like itself; when it was not surer
        )
        self._hidden: npt.NDArray[np.bool_] = np.zeros(len(PARTS), bool)
        self._suspect = np.zeros(len(PARTS), bool)
        self._new = np.zeros(len(PARTS), bool)
        self._since_ns = np.zeros(len(PARTS), np.int64)  # when it was hidden
        self._unlike_ns = np.zeros(len(PARTS), np.int64)  # when it last did not look like itself

    def _surer(self, presence: float | None) -> float:
        """By how many log odds the network is surer than ever that this is a face."""
        return 0.0 if presence is None or self._presence is None else presence - self._presence

    def _decide(self, unlike: Rows, t_ns: int) -> None:
        suspect = unlike > HIDDEN
        found = ~self._hidden & suspect & (self._suspect | (unlike > SURE))
        self._suspect = suspect
        self._since_ns[found] = t_ns
        self._unlike_ns[found | (unlike > SEEN)] = t_ns
        self._hidden = (self._hidden & (t_ns - self._unlike_ns < SEEN_AGAIN_NS)) | found

    def _learn(self, own: OwnColours, view: _View, presence: float | None, passed_s: float) -> None:
        self._n += 1
        share = max(1.0 - math.exp(-passed_s / LEARN_S), 1.0 / self._n)
        calm: Rows = np.clip((HIDDEN - view.unlike) / (HIDDEN - CALM), 0.0, 1.0).astype(np.float32)
        calm[self._hidden] = 0.0
        least = float(calm.min())
        own.learn(
            view.difference, points_of(calm.astype(np.float32), least) * np.float32(share) * view.facing
        )
        if presence is not None and self._presence is not None:
            self._presence += share * least * (presence - self._presence)

    def _get_used(self, own: OwnColours, view: _View, t_ns: int) -> None:
        """Take what stays for a part's own look, and know the former look when it is back."""
        gone = t_ns - self._doubtful_ns >= GONE_NS
        stays = self._hidden & (t_ns - self._since_ns >= (GONE_NS if gone else STAYS_NS))
        if stays.any():
            self._former = self._former or own.copy()
            own.look(view.difference, points_of(stays.astype(np.float32), 0.0))
            self._new |= stays
            self._hidden &= ~stays
        if self._former is None:
            return
        before = self._former.unlikeness(view.difference + own.mean - self._former.mean, view.facing)
        back = self._new & (before < SEEN) & (before < view.unlike)
        if back.any():
            own.take_over(self._former, points_of(back.astype(np.float32), 0.0))
            self._new &= ~back
            self._hidden &= ~back
        if not self._new.any():
            self._former = None
