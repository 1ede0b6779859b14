"""From motions of a portrait to LivePortrait's description of them: a map fitted to the portrait itself.

Nothing tells how the network's 21 keypoints answer to a smile; but the network can be asked. The built-in
maker shows the portrait in known motions (`expression_probes`), the motion network looks at those pictures,
and ridge regression finds what leads from the one to the other (A. Hoerl, R. Kennard, "Ridge regression",
1970, in its dual form, for there are fewer pictures than landmarks). So every driver moves the network, and
no camera's picture is needed. What a frame then costs is one small product.

Lids and lips open by the network's own retargeting heads; the map is fitted to what these leave over, so that
nothing is counted twice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facepuppet.core.errors import PortraitUnfitError
from facepuppet.core.geometry import vector_from_rotation
from facepuppet.core.types import F64, N_LANDMARKS, Motion
from facepuppet.frames.generated.head_keypoints import HeadState
from facepuppet.inference.imported_networks import N_KEYPOINTS

_RIDGE = 1e-3  # of the mean energy of a picture's motion: enough against noise, too little to damp a smile
# How a network has to see the portrait turn: share of the variance that a linear map explains, and of the
# turn itself. One of random weights explains half, of a fiftieth.
LEAST_EXPLAINED, LEAST_SEEN = 0.5, 0.3


@dataclass(frozen=True, slots=True)
class Posed:
    """A motion in the portrait's own measures.

    Attributes:
        turn: (3,) rotation vector of the head.
        offsets: (1434,) of the landmarks, taken back from head motion, in inter-ocular distances.
    """

    turn: F64
    offsets: F64


class Poses:
    """Reads motions of one portrait.

    Args:
        rest: the portrait at rest.
        pivot_px: (3,) what its head turns about.
        unit_px: its inter-ocular distance.
    """

    def __init__(self, rest: Motion, pivot_px: F64, unit_px: float) -> None:
        self._pivot, self._unit_px = pivot_px, unit_px
        self._rest = self.still(rest)

    def still(self, motion: Motion) -> F64:
        """Return (478, 3) landmarks with the head's own motion taken back, in the portrait frame."""
        head = motion.head
        centre = self._pivot + np.append(head.shift_px, 0.0)
        return np.asarray(
            (motion.landmarks_px - centre) @ head.rotation / head.scale + self._pivot, np.float64
        )

    def of(self, motion: Motion) -> Posed:
        """Return a motion in the portrait's measures."""
        offsets = (self.still(motion) - self._rest) / self._unit_px
        return Posed(vector_from_rotation(motion.head.rotation), offsets.ravel())


@dataclass(frozen=True, slots=True)
class MotionMap:
    """What a motion changes in the network's description of the head; all maps are linear.

    Attributes:
        angles: (3, 3) of pitch, yaw and roll by the head's rotation vector.
        translation: (3, 3) the same of the head's place in the crop, as both turn about other points.
        expression: (63, 1434) of the keypoints by the landmarks' offsets.
    """

    angles: F64
    translation: F64
    expression: F64

    def changes(self, posed: Posed) -> tuple[F64, F64, F64]:
        """Return (3,) angles, (3,) translation and (21, 3) expression, each against rest."""
        shaped = (self.expression @ posed.offsets).reshape(N_KEYPOINTS, 3)
        return self.angles @ posed.turn, self.translation @ posed.turn, shaped


def fit_map(poses: Sequence[Posed], seen: Sequence[HeadState], opened: Sequence[F64]) -> MotionMap:
    """Fit the map to motions, of which the first is rest.

    Args:
        poses: of the motions.
        seen: what the motion network sees of each.
        opened: (21, 3) by how much the retargeting heads move each keypoint for it, in units of expression.

    Raises:
        PortraitUnfitError: the network does not see the portrait turn.
    """
    turns = np.stack([pose.turn for pose in poses])
    offsets = np.stack([pose.offsets for pose in poses])
    assert offsets.shape[1] == 3 * N_LANDMARKS
    angles = np.stack([state.angles - seen[0].angles for state in seen])
    translations = np.stack([state.translation - seen[0].translation for state in seen])
    expressions = np.stack(
        [
            (state.expression - seen[0].expression - by_heads).ravel()
            for state, by_heads in zip(seen, opened, strict=True)
        ]
    )
    turned = np.linalg.norm(turns, axis=1) > 1e-3
    still = ~turned  # turned heads leak into what the network takes for expression
    found = _ridge(turns[turned], angles[turned])
    left = (angles[turned] - turns[turned] @ found.T)[:, :2]
    spread = float((angles[turned, :2] ** 2).sum())
    explained = 1.0 - float((left**2).sum()) / spread if spread > 0.0 else 0.0
    seen_share = math.sqrt(spread / float((turns[:, :2] ** 2).sum()))
    if explained < LEAST_EXPLAINED or seen_share < LEAST_SEEN:
        raise PortraitUnfitError(
            f"a motion network that does not see this portrait turn ({100 * explained:.0f} % explained, of "
            f"{100 * seen_share:.0f} % of the turn)",
            f"at least {100 * LEAST_EXPLAINED:.0f} %, of {100 * LEAST_SEEN:.0f} %",
            "Take another portrait, or --maker builtin.",
        )
    return MotionMap(
        found,
        _ridge(turns[turned], translations[turned]),
        _ridge(offsets[still], expressions[still]),
    )


def _ridge(given: F64, wanted: F64) -> F64:
    """Return the (outputs, inputs) matrix of least squares, damped."""
    products = given @ given.T
    damping = _RIDGE * np.trace(products) / len(products)
    return np.asarray(np.linalg.solve(products + damping * np.eye(len(products)), wanted).T @ given)
