"""Which views serve a motion, part by part: those whose pose and expression are nearest to it.

Shares follow P. Debevec et al., "Modeling and Rendering Architecture from Photographs" (1996), whose
view-dependent textures are here chosen by expression as well. At most two candidates share a part;
what the third nearest would have is taken off all, so that shares change without a jump (C. Buehler
et al., "Unstructured Lumigraph Rendering", 2001).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from facepuppet.avatar.model import Avatar
from facepuppet.avatar.view_state import FaceState, StateReader
from facepuppet.geometry import smoothstep
from facepuppet.types import F32, Motion

Shares: TypeAlias = tuple[tuple[int, float], ...]  # (view, share), the smaller share first

# How fast a candidate loses to a nearer one: radians, inter-ocular distances, apertures. Over five people
# the error changes by less than a twentieth between half and twice these.
_POSE_SIGMA, _MOUTH_SIGMA, _LID_SIGMA = 0.12, 0.035, 0.15
_POSE_PER_MOUTH, _POSE_PER_BROWS = 2.0, 3.0  # radians that an inter-ocular distance counts for the face
_MOUTH_PER_POSE, _LID_PER_POSE = 0.06, 0.3  # what a radian of turn counts for mouth and lids
_MOST = 2  # candidates that share a part
_LEAST_SHARE = 0.01
# A mouth pulled open from less than this share of the wanted opening shows no interior.
_GAPING, _GAPING_SOFT = 0.25, 0.35
_SHUT_GAP = 0.02


@dataclass(frozen=True, slots=True)
class Choice:
    """Shares of the views in each part; the rest of 1 is the portrait's own.

    Attributes:
        face: skin away from eyes and mouth.
        mouth: lips and skin around them.
        interior: for each view, how much of what it shows between its lips may be used.
        lids: image-left eye first.
    """

    face: Shares
    mouth: Shares
    interior: tuple[float, ...]
    lids: tuple[Shares, Shares]


class ViewChooser:
    """Compares motions with the portrait (candidate 0) and its views."""

    def __init__(self, avatar: Avatar) -> None:
        self._reader = StateReader(avatar)
        states = [self._reader.rest, *(self._reader.of_face(view.landmarks_px) for view in avatar.views)]
        self._rotations = np.stack([state.rotation for state in states]).astype(np.float32)
        self._mouths = np.stack([state.mouth for state in states])
        self._brows = np.stack([state.brows for state in states])
        self._openings = np.stack([state.eye_opening for state in states])
        self._gaps = np.array([state.mouth_opening for state in states], np.float32)

    def choose(self, motion: Motion, left_out: Collection[int] = ()) -> Choice:
        """Return who serves which part of the moved face; views left out serve none."""
        wanted = self._reader.of_motion(motion)
        pose = self._angles_to(wanted.rotation)
        pose[[1 + view for view in left_out]] = np.inf
        mouth, brows = _apart(self._mouths, wanted.mouth), _apart(self._brows, wanted.brows)
        lids = (self._openings - wanted.eye_opening) ** 2 + ((_LID_PER_POSE * pose) ** 2)[:, None]
        return Choice(
            face=_shares(pose**2 + _POSE_PER_MOUTH**2 * mouth + _POSE_PER_BROWS**2 * brows, _POSE_SIGMA),
            mouth=_shares(mouth + (_MOUTH_PER_POSE * pose) ** 2, _MOUTH_SIGMA),
            interior=tuple(_interior(float(gap), wanted) for gap in self._gaps[1:]),
            lids=(_shares(lids[:, 0], _LID_SIGMA), _shares(lids[:, 1], _LID_SIGMA)),
        )

    def _angles_to(self, rotation: F32) -> F32:
        """Angle in radians from each candidate's rotation, from the trace of the difference."""
        cosine = ((self._rotations * rotation).sum((1, 2)) - 1.0) / 2.0
        angles: F32 = np.arccos(np.clip(cosine, -1.0, 1.0)).astype(np.float32)
        return angles


def _apart(candidates: F32, wanted: F32) -> F32:
    """Mean squared distance of each candidate's points (K, N, 2) to the wanted ones (N, 2)."""
    offsets = candidates - wanted
    apart: F32 = np.einsum("kni,kni->k", offsets, offsets) / np.float32(len(wanted))
    return apart


def _shares(squared: F32, sigma: float) -> Shares:
    """Shares of the views by the squared distances of all candidates."""
    likeness = np.exp((squared.min() - squared) / (2.0 * sigma**2))
    if len(likeness) > _MOST:
        likeness = np.maximum(likeness - np.partition(likeness, -1 - _MOST)[-1 - _MOST], 0.0)
    total = float(likeness.sum())
    if total <= 0.0:  # three are equally near
        return ()
    found = [(k, float(like) / total) for k, like in enumerate(likeness[1:]) if like > _LEAST_SHARE * total]
    return tuple(sorted(found, key=lambda pair: pair[1]))


def _interior(gap: float, wanted: FaceState) -> float:
    ratio = gap / max(wanted.mouth_opening, _SHUT_GAP)
    return smoothstep((ratio - _GAPING) / _GAPING_SOFT)
