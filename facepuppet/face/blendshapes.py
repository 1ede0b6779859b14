"""From landmarks to ARKit's 52 blendshape weights.

The tracked landmarks are modelled as neutral + Σ weight · offset + error, with the offsets learned from what
the landmark network reports for heads of known expression (tools/fit_blendshapes.py), and the error's
covariance from what that leaves over: pose that leaks into the shape, lids that never quite shut, people
who differ. The weights are the maximum a posteriori estimate under a half-normal and an exponential prior,
within the box [0, 1]: a quadratic programme of 52 unknowns. Of a person whose neutral is known, a few
distances that an onlooker sees (how far a mouth is open, how wide it is, where its corners and the brows
are) are taken for nearly sure, whatever the covariance says of single landmarks: else a mouth that is wide
reads as half as wide.

Measured on drawn heads with known weights, jawOpen, mouthClose, mouthFunnel, mouthPucker, mouthLeft/Right,
mouthSmile, mouthUpperUp, brows up, noseSneer, eyeLook and eyeBlink read back well. eyeSquint, eyeWide,
cheekSquint, cheekPuff, browDown, mouthPress, mouthDimple, mouthLowerDown, mouthFrown and jawForward hardly
move the tracked landmarks, or as a neighbour does, and read low. tongueOut does not move them and is 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32, F64, N_BLENDSHAPES
from facepuppet.face.arkit import ARKIT_INDEX, ARKIT_NAMES
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.topology import (
    EYES,
    INNER_MOUTH_CORNERS,
    LOWER_LIP_INNER,
    MOUTH_CORNERS,
    UPPER_LIP_INNER,
)

__all__ = ["ARKIT_NAMES", "BlendshapeFitter", "QuickWeights", "landmark_basis"]

_PRIOR_SPREAD = 1.0  # half-normal: large weights are rarer
# Exponential: most weights are zero. Chosen on held-out drawn heads: higher loses faint expressions, lower
# sees some on a face at rest; errors that differ from person to person leave less to be lost.
_SPARSITY_KNOWN, _SPARSITY_UNKNOWN = 8.0, 4.0
# The network never sees lids quite shut, and a linear basis averages over half-shut ones: a full blink reads
# 0.7 before this (tools/eval_blendshapes.py).
_BLINK_GAIN = 1.4
_BLINKS = [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]
# Of a distance, in inter-ocular distances. Chosen for shapes that still read as what they are: at 0.003 the
# two puppets of tools/shapes_fidelity.py agree a little better, and drawn heads read worse.
_DISTANCE_ERROR = 0.007
_MAX_STEPS = 12
_CONVERGED = 1e-4  # change of a weight that nobody sees
_QUICK_STEPS = 15


@cache
def _model() -> dict[str, F64]:
    with (files("facepuppet.face") / "data" / "arkit_basis.npz").open("rb") as file:
        arrays = np.load(file, allow_pickle=False)
        model: dict[str, npt.NDArray[Any]] = {key: arrays[key].astype(np.float64) for key in arrays.files}
    for array in model.values():
        array.setflags(write=False)
    return model


def landmark_basis() -> F64:
    """(52, 478, 3) read-only: how each blendshape at weight 1 moves the landmarks, in the head frame."""
    return _model()["basis"]


@cache
def _distances() -> F64:
    """(7, 1434): of flat landmarks, the distances that are nearly sure."""
    middle = len(UPPER_LIP_INNER) // 2
    upper, lower = int(UPPER_LIP_INNER[middle]), int(LOWER_LIP_INNER[middle])
    right, left = MOUTH_CORNERS.tolist()
    inner_right, inner_left = INNER_MOUTH_CORNERS.tolist()
    pairs = [([lower], [upper], 1), ([left], [right], 0), ([inner_left], [inner_right], 0)]
    pairs += [([right], [upper], 1), ([left], [upper], 1)]
    pairs += [([eye.outer, eye.inner], eye.brow_lower.tolist(), 1) for eye in EYES]
    rows = np.zeros((len(pairs), *canonical_landmarks().shape))
    for row, (plus, minus, axis) in zip(rows, pairs, strict=True):
        row[plus, axis] = 1.0 / len(plus)
        row[minus, axis] = -1.0 / len(minus)
    return rows.reshape(len(pairs), -1)


@dataclass(frozen=True, slots=True)
class _Estimator:
    """Generalised least squares for an error covariance C: filters = Bᵀ C⁻¹, normal = filters · B + prior."""

    filters: F32
    normal: F64
    sparsity: float

    @staticmethod
    def build(filters: F64, sparsity: float) -> _Estimator:
        flat = landmark_basis().reshape(N_BLENDSHAPES, -1)
        normal = filters @ flat.T
        prior = np.eye(N_BLENDSHAPES) / _PRIOR_SPREAD**2
        return _Estimator(filters.astype(np.float32), (normal + normal.T) / 2 + prior, sparsity)

    @staticmethod
    def with_distances(filters: F64, sparsity: float) -> _Estimator:
        flat = landmark_basis().reshape(N_BLENDSHAPES, -1)
        sure = flat @ _distances().T @ _distances() / _DISTANCE_ERROR**2
        return _Estimator.build(filters + sure, sparsity)

    def solve(self, offset: F32) -> F64:
        target = self.filters @ offset.reshape(-1)
        return solve_box(self.normal, target.astype(np.float64) - self.sparsity)


class BlendshapeFitter:
    """Fits blendshape weights to landmarks, one frame at a time; it keeps no state between frames."""

    def __init__(self) -> None:
        model = _model()
        self._known = _Estimator.with_distances(model["filters_known"], _SPARSITY_KNOWN)
        self._unknown = _Estimator.build(model["filters_unknown"], _SPARSITY_UNKNOWN)

    def fit(self, landmarks_head: F32, neutral_head: F32 | None = None) -> F32:
        """Estimate the weights of one frame.

        Args:
            landmarks_head: (478, 3) landmarks in the head frame.
            neutral_head: (478, 3) the same person's neutral face in the head frame. None: the mean face
                stands in, and what differs between people is discounted, at the cost of subtle shapes.

        Returns:
            (52,) weights in ARKit's order, each in [0, 1].
        """
        if neutral_head is None:
            weights = self._unknown.solve(landmarks_head - canonical_landmarks())
        else:
            weights = self._known.solve(landmarks_head - neutral_head)
        weights[_BLINKS] = np.minimum(_BLINK_GAIN * weights[_BLINKS], 1.0)
        return weights.astype(np.float32)


class QuickWeights:
    """Estimates weights as `BlendshapeFitter` does of a known neutral, in a third of its time.

    A fixed number of accelerated projected-gradient steps (A. Beck and M. Teboulle, "A fast iterative
    shrinkage-thresholding algorithm", SIAM J. Imaging Sciences 2, 2009) from zero, so that what comes out
    changes smoothly with the landmarks; on a grimacing clip they end .03 from the fit in the mean.
    """

    def __init__(self) -> None:
        estimator = _Estimator.build(_model()["filters_known"], _SPARSITY_KNOWN)
        unit = 1.0 / np.sqrt(np.diag(estimator.normal))  # makes the problem's curvature alike in all weights
        scaled = estimator.normal * unit[:, None] * unit
        steepest = float(np.linalg.eigvalsh(scaled)[-1])
        self._step = (np.eye(N_BLENDSHAPES) - scaled / steepest).astype(np.float32)
        pull = (unit / steepest).astype(np.float32)
        self._filters = estimator.filters * pull[:, None]
        self._bias, self._most = pull * np.float32(estimator.sparsity), (1.0 / unit).astype(np.float32)
        self._unit = unit.astype(np.float32)

    def of(self, offsets_head: F32) -> F32:
        """Return (52,) weights in [0, 1] of (478, 3) offsets from the person's neutral, in the head frame."""
        pull = self._filters @ offsets_head.reshape(-1)
        pull -= self._bias
        now = ahead = np.zeros(N_BLENDSHAPES, np.float32)
        for carried in _momenta(_QUICK_STEPS):
            following = self._step @ ahead
            following += pull
            np.maximum(following, 0.0, out=following)
            np.minimum(following, self._most, out=following)
            ahead = following - now
            ahead *= carried
            ahead += following
            now = following
        weights: F32 = now * self._unit
        return weights


@cache
def _momenta(steps: int) -> tuple[np.float32, ...]:
    """Shares of the last step that are added to the next."""
    found, momentum = [], 1.0
    for _ in range(steps):
        later = (1.0 + math.sqrt(1.0 + 4.0 * momentum * momentum)) / 2.0
        found.append(np.float32((momentum - 1.0) / later))
        momentum = later
    return tuple(found)


def solve_box(normal: F64, target: F64) -> F64:
    """Minimise ½ wᵀ·normal·w − target·w over 0 ≤ w ≤ 1.

    Projected Newton method: D. Bertsekas, "Projected Newton methods for optimization problems with simple
    constraints", SIAM J. Control and Optimization 20 (1982). A step solves for the weights that are not
    held at a bound; it is halved while it does not descend.

    Args:
        normal: (N, N) positive definite.
        target: (N,).
    """
    w = np.clip(target / np.diag(normal), 0.0, 1.0) * 0.5
    cost = _cost(normal, target, w)
    for _ in range(_MAX_STEPS):
        gradient = normal @ w - target
        free = ~(((w <= 0.0) & (gradient > 0.0)) | ((w >= 1.0) & (gradient < 0.0)))
        index = np.flatnonzero(free)
        step = np.zeros_like(w)
        step[index] = np.linalg.solve(normal[np.ix_(index, index)], gradient[index])
        w_next, cost_next = w, cost
        for scale in (1.0, 0.5, 0.25, 0.125, 0.03):
            candidate = np.clip(w - scale * step, 0.0, 1.0)
            candidate_cost = _cost(normal, target, candidate)
            if candidate_cost < cost:
                w_next, cost_next = candidate, candidate_cost
                break
        moved = float(np.abs(w_next - w).max(initial=0.0))
        w, cost = w_next, cost_next
        if moved < _CONVERGED:
            break
    return w


def _cost(normal: F64, target: F64, w: F64) -> float:
    return float(w @ (0.5 * (normal @ w) - target))
