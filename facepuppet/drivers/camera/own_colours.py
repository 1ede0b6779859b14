"""How a face looks by its colours, learnt while it is seen; and how unlike itself a part of it looks now."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32, Part
from facepuppet.drivers.camera.face_colours import FaceColours
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.topology import EYES, LIPS, N_MESH

PARTS = tuple(Part)  # the order of all rows here
# Spread that any face has for noise, shading and landmarks that waver: of brightness and of two colours.
NOISE = np.array([0.16, 0.05, 0.05], np.float32)
OWN = 3.0  # how much this person's own variance counts beside that
UNLIKE = 3.0  # spreads from which on a point is wholly unlike itself
FEWEST = 8  # points of a part that must face the viewer, for it to be judged

Rows = npt.NDArray[np.float32]  # (5,), one value for each of PARTS


class OwnColours:
    """Mean and variance of the colour at each landmark, against the whole face's: light does not count.

    Args:
        colours: what the face looks like at first.
    """

    def __init__(self, colours: FaceColours) -> None:
        self.mean = colours.values.copy()
        self.variance = np.tile(NOISE * NOISE, (len(self.mean), 1))  # nothing is known of it yet

    def difference(self, colours: FaceColours, counted: F32) -> F32:
        """Return (468, 3) how each point's colour differs, light apart.

        Args:
            colours: of now.
            counted: (468,) which points tell of the light: those above 0.
        """
        difference: F32 = colours.values - self.mean
        telling = np.flatnonzero(counted * colours.facing)[::2]  # every other one says as much
        if len(telling) >= FEWEST:
            difference -= np.median(difference[telling], axis=0)
        return difference

    def unlikeness(self, difference: F32, facing: F32) -> Rows:
        """Return how unlike itself each part looks, 0 to 1; 0 where too little of it faces the viewer."""
        apart = (difference * difference / (NOISE * NOISE + OWN * self.variance)).sum(axis=1)
        unlike = np.minimum(np.sqrt(apart) * np.float32(1.0 / UNLIKE), 1.0)
        n = _members() @ facing
        shares = _members() @ (unlike * facing) / np.maximum(n, 1.0)
        return np.asarray(np.where(n >= FEWEST, shares, 0.0), np.float32)

    def learn(self, difference: F32, share: F32) -> None:
        """Go towards what is seen now by a (468,) share of the way."""
        by = share[:, None]
        self.mean += by * difference
        self.variance += by * (difference * difference - self.variance)

    def look(self, difference: F32, points: F32) -> None:
        """Take what is seen now for the look of the (468,) points that are above 0."""
        self.mean[points > 0] += difference[points > 0]
        self.variance[points > 0] = NOISE * NOISE

    def take_over(self, other: OwnColours, points: F32) -> None:
        """Let the (468,) points that are above 0 look as another one has them."""
        self.mean[points > 0] = other.mean[points > 0]
        self.variance[points > 0] = other.variance[points > 0]

    def copy(self) -> OwnColours:
        """Return another one that looks the same."""
        twin = object.__new__(OwnColours)
        twin.mean, twin.variance = self.mean.copy(), self.variance.copy()
        return twin


def points_of(parts: Rows, others: float) -> F32:
    """Return (468,) what each point's part has been given, and the same for points of no part."""
    return np.asarray(others + (parts - others) @ _members(), np.float32)


@cache
def _members() -> F32:
    """(5, 468) read-only: 1 where a point belongs to a part; no point belongs to two."""
    mean = canonical_landmarks()[:N_MESH]
    x, y = mean[:, 0], mean[:, 1]
    middle = mean[LIPS].mean(axis=0)
    mouth = _within(x - middle[0], y - middle[1], 0.42, 0.30)
    eyes = []
    for eye in EYES:
        centre = mean[[eye.outer, eye.inner]].mean(axis=0)
        around = _within(x - centre[0], y - centre[1], 0.24, 0.17)
        around[eye.ring] = False  # blinks change what is seen there
        eyes.append(around)
    brows = y < mean[[eye.outer for eye in EYES], 1].mean() - 0.16
    lower = ~mouth & (y > middle[1] - 0.15)
    rows = {
        Part.MOUTH: mouth,
        Part.LEFT_EYE: eyes[0] & ~brows,
        Part.RIGHT_EYE: eyes[1] & ~brows,
        Part.BROWS: brows,
        Part.LOWER_FACE: lower,
    }
    members = np.stack([rows[part] for part in PARTS]).astype(np.float32)
    members.setflags(write=False)
    return np.asarray(members)


def _within(x: F32, y: F32, width: float, height: float) -> npt.NDArray[np.bool_]:
    return np.asarray((x / width) ** 2 + (y / height) ** 2 < 1.0)
