"""How a speaker bears head, eyes and brows at one moment: as people do, and as a portrait is to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from facepuppet.core.types import F32, N_BLENDSHAPES, HeadPose, TorsoPose


class Bearing(NamedTuple):
    """What a speaker as lively as people are does at one moment.

    Attributes:
        t_s: when.
        x, y, z: turn vector of the head, in radians.
        log_scale: how much nearer it is, as a logarithm.
        breath: 0 out, 1 in as at rest, more in speech.
        shut: of the lids, 0 to 1.
        look_right, look_down: where the eyes look, in radians from the viewer.
        brows_up, brows_drawn: weights.
        sustain: how surely a note is held, 0 to 1.
        valence, arousal: heard in the voice, each −1 to 1.
    """

    t_s: float
    x: float
    y: float
    z: float
    log_scale: float
    breath: float
    shut: float
    look_right: float
    look_down: float
    brows_up: float
    brows_drawn: float
    sustain: float
    valence: float
    arousal: float

    def toward(self, other: Bearing, share: float) -> Bearing:
        """Return what lies so far on the way to another."""
        return Bearing(*[a + share * (b - a) for a, b in zip(self, other, strict=True)])


REST = Bearing(*[0.0] * len(Bearing._fields))


@dataclass(frozen=True, slots=True)
class Gesture:
    """What a portrait does besides the mouth at one moment.

    Attributes:
        head: where the head is.
        torso: where the shoulders are.
        weights: (52,) of brows, lids, eyeLook* and corners of the mouth, ARKit's order; added to the mouth's.
        mouth_gain: factor on the mouth's weights.
        jaw_gain: how many times wider the jaw opens than in speech; more than 1 in notes that are held.
    """

    head: HeadPose = field(default_factory=lambda: HeadPose(np.zeros(3, np.float32)))
    torso: TorsoPose = field(default_factory=lambda: TorsoPose((0.0, 0.0)))
    weights: F32 = field(default_factory=lambda: np.zeros(N_BLENDSHAPES, np.float32))
    mouth_gain: float = 1.0
    jaw_gain: float = 1.0
