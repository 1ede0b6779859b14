"""Which views serve a motion, part by part: those whose pose and expression are nearest to it.

Shares follow P. Debevec et al., "Modeling and Rendering Architecture from Photographs" (1996), whose
view-dependent textures are here chosen by expression as well. What the first candidate to be left out
would have is taken off all, so that shares change without a jump (C. Buehler et al., "Unstructured
Lumigraph Rendering", 2001).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, Motion
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.view_state import FaceState, StateReader

Shares: TypeAlias = tuple[tuple[int, float], ...]  # (view, share), the smaller share first

# How fast a candidate loses to a nearer one: radians, inter-ocular distances, apertures. Over three people
# the error changed by less than a twentieth between about half and one and a half times these.
_SIGMAS = (0.10, 0.025, 0.15, 0.15)  # face, mouth, image-left and image-right lids
_ALIKE = 0.7  # in the same units: a view nearer than this to one before it shows nothing new
_POSE_PER_MOUTH, _POSE_PER_BROWS = 2.0, 3.0  # radians that an inter-ocular distance counts for the face
_MOUTH_PER_POSE, _LID_PER_POSE = 0.06, 0.3  # what a radian of turn counts for mouth and lids
_FAR = 0.2  # share of the nearest candidate's squared distance that softens the choice
_FLOOR = 0.1  # a candidate less like than this, as a share of the likest, takes no part
_MOST = 3  # candidates that share a part
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
        self._between = np.stack([self._squared(state) for state in states])  # (K, parts, K)
        self._used = self._telling(frozenset())

    def choose(self, motion: Motion, left_out: Collection[int] = ()) -> Choice:
        """Return who serves which part of the moved face; views left out serve none."""
        wanted = self._reader.of_motion(motion)
        used = self._telling(left_out) if left_out else self._used
        squared = np.where(used, self._squared(wanted), np.inf)
        face, mouth, left, right = (
            _shares(part, sigma) for part, sigma in zip(squared, _SIGMAS, strict=True)
        )
        interior = tuple(_interior(float(gap), wanted) for gap in self._gaps[1:])
        return Choice(face, mouth, interior, (left, right))

    def _telling(self, left_out: Collection[int]) -> npt.NDArray[np.bool_]:
        """Which candidates (parts, K) show in a part what none before them shows."""
        parts, count = len(_SIGMAS), len(self._rotations)
        used = np.zeros((parts, count), bool)
        for part, sigma in enumerate(_SIGMAS):
            for k in range(count):
                alike = self._between[k, part, used[part]] < (_ALIKE * sigma) ** 2
                used[part, k] = k - 1 not in left_out and not alike.any()
        return used

    def _squared(self, wanted: FaceState) -> F32:
        """Squared distances (parts, K) of all candidates to what is wanted."""
        cosine = ((self._rotations * wanted.rotation).sum((1, 2)) - 1.0) / 2.0
        pose = np.arccos(np.clip(cosine, -1.0, 1.0)) ** 2
        mouth, brows = _apart(self._mouths, wanted.mouth), _apart(self._brows, wanted.brows)
        lids = (self._openings - wanted.eye_opening) ** 2
        squared: F32 = np.stack(
            [
                pose + _POSE_PER_MOUTH**2 * mouth + _POSE_PER_BROWS**2 * brows,
                mouth + _MOUTH_PER_POSE**2 * pose,
                lids[:, 0] + _LID_PER_POSE**2 * pose,
                lids[:, 1] + _LID_PER_POSE**2 * pose,
            ]
        )
        return squared


def _apart(candidates: F32, wanted: F32) -> F32:
    """Mean squared distance of each candidate's points (K, N, 2) to the wanted ones (N, 2)."""
    offsets = candidates - wanted
    apart: F32 = np.einsum("kni,kni->k", offsets, offsets) / np.float32(len(wanted))
    return apart


def _shares(squared: F32, sigma: float) -> Shares:
    """Shares of the views by the squared distances of all candidates."""
    least = float(squared.min())
    # Where all are far, a little nearer says little.
    likeness = np.exp((least - squared) / (2.0 * (sigma**2 + _FAR * least)))
    floor = _FLOOR if len(likeness) <= _MOST else max(_FLOOR, float(np.sort(likeness)[-1 - _MOST]))
    likeness = np.maximum(likeness - floor, 0.0)
    total = float(likeness.sum())
    if total <= 0.0:  # more than can share are equally near
        return ()
    found = [(k, float(like) / total) for k, like in enumerate(likeness[1:]) if like > _LEAST_SHARE * total]
    return tuple(sorted(found, key=lambda pair: pair[1]))


def _interior(gap: float, wanted: FaceState) -> float:
    ratio = gap / max(wanted.mouth_opening, _SHUT_GAP)
    return smoothstep((ratio - _GAPING) / _GAPING_SOFT)
