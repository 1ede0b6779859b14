"""Sliders that move a live expression along the labelled directions of the expression code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np

from facepuppet.character.directions import CODED, DIRECTIONS, SCRIPTS, SLIDERS
from facepuppet.character.face_code import ExpressionCode
from facepuppet.core.errors import ControlError
from facepuppet.core.types import F32, N_BLENDSHAPES, Blendshapes, Expression, FacePose, LandmarkOffsets
from facepuppet.face.arkit import ARKIT_INDEX
from facepuppet.face.blendshapes import QuickWeights, landmark_basis
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.gaze import eye_openings

EASE_S = 0.35  # until nine tenths of a slider's step are done
_NEAR = 1e-3  # of a slider; nobody sees it
_LONGEST_STEP_S = 0.1  # frames that are farther apart are no reason to leap


class CodeStage:
    """Moves expressions by sliders from −1 to 1; where all are 0 it does nothing, and costs nothing.

    A direction at 1 adds a clear expression to whatever the face does, and at −1 takes as much of it away. It
    moves the shapes that belong to it and no others. Intensity at 1 makes the whole expression twice as
    strong, at −1 leaves none. Gaze, blinks, head and shoulders stay the driver's.

    Args:
        code: the network; the shipped one if None, loaded when a slider is first moved.
    """

    def __init__(self, code: ExpressionCode | None = None) -> None:
        self._code = code
        self._wanted = np.zeros(len(SLIDERS), np.float32)
        self._now, self._speed = self._wanted.copy(), self._wanted.copy()
        self._last_ns: int | None = None
        self._quick: QuickWeights | None = None

    @property
    def sliders(self) -> Mapping[str, float]:
        """Where each of SLIDERS was set."""
        return dict(zip(SLIDERS, self._wanted.tolist(), strict=True))

    def set(self, slider: str, amount: float) -> None:
        """Move a slider; the face eases there.

        Raises:
            ControlError: none of SLIDERS, or an amount beyond −1 to 1.
            ManifestError: the shipped network is missing or damaged.
        """
        if slider not in SLIDERS:
            raise ControlError(
                f"direction {slider[:60]!r}", f"one of {', '.join(SLIDERS)}", "Correct the word."
            )
        if not -1.0 <= amount <= 1.0:  # nor NaN
            raise ControlError(f"{slider} {amount!r}", "an amount from -1 to 1", "Correct the amount.")
        if self._code is None:
            self._code = ExpressionCode()
        self._wanted[SLIDERS.index(slider)] = amount

    def reset(self) -> None:
        """Move all sliders to 0."""
        self._wanted[:] = 0.0

    def update(self, expression: Expression) -> Expression:
        """Return the expression as the sliders have it; the same object where none does anything."""
        if self._code is None or not (self._wanted.any() or self._now.any()):
            self._last_ns = None
            return expression
        if self._last_ns is None:
            self._code.restart()
        self._ease(expression.captured_ns)
        if expression.face is None or not self._now.any():
            return expression
        return replace(expression, face=self._moved(expression.face, self._code))

    def _ease(self, now_ns: int) -> None:
        """Let sliders follow what was asked for, as critically damped springs do."""
        dt_s = 0.0 if self._last_ns is None else min((now_ns - self._last_ns) * 1e-9, _LONGEST_STEP_S)
        self._last_ns = now_ns
        omega = 3.89 / EASE_S  # (1 + 3.89) · exp(−3.89) = 0.1
        away, left = self._now - self._wanted, math.exp(-omega * dt_s)
        pull = (self._speed + omega * away) * dt_s
        self._now = self._wanted + (away + pull) * left
        self._speed = (self._speed - omega * pull) * left
        there = (np.abs(self._now - self._wanted) < _NEAR) & (np.abs(self._speed) < _NEAR)
        self._now[there], self._speed[there] = self._wanted[there], 0.0

    def _moved(self, face: FacePose, code: ExpressionCode) -> FacePose:
        shape = face.deformation
        live = shape.weights if isinstance(shape, Blendshapes) else self._weights_of(shape)
        more = float(self._now[-1])
        coded = code.feed(live, self._now[:-1], 1.0 + more)
        change = coded.moved - coded.plain
        if more:  # what the code leaves out of a face grows with it
            change += np.float32(more) * (live - coded.plain)
        change *= _reached(self._now)
        change = np.minimum(np.maximum(live + change, 0.0), 1.0) - live
        lids = np.minimum(face.eye_opening, 1.0) * (_lid_effects() @ change)
        opening = np.maximum(face.eye_opening + lids, 0.0)
        moved = (
            Blendshapes(live + change)
            if isinstance(shape, Blendshapes)
            else LandmarkOffsets(shape.offsets + (change @ _flat_basis()).reshape(-1, 3), shape.mouth_width)
        )
        return replace(face, deformation=moved, eye_opening=opening)

    def _weights_of(self, shape: LandmarkOffsets) -> F32:
        if self._quick is None:
            self._quick = QuickWeights()
        return self._quick.of(shape.offsets)


def _reached(sliders: F32) -> F32:
    """Return (52,) 1 where sliders may move a shape, 0 elsewhere: what the code lets stray stays."""
    if sliders[-1]:
        return _coded()
    masks = _masks()
    reached: F32 = np.minimum((sliders[:-1] != 0.0).astype(np.float32) @ masks, 1.0)
    return reached


@cache
def _coded() -> F32:
    mask = np.zeros(N_BLENDSHAPES, np.float32)
    mask[list(CODED)] = 1.0
    return mask


@cache
def _masks() -> F32:
    """(7, 52): 1 where a direction's script moves a shape."""
    return np.stack([(SCRIPTS[name] > 0.0).astype(np.float32) for name in DIRECTIONS])


@cache
def _flat_basis() -> F32:
    return landmark_basis().reshape(N_BLENDSHAPES, -1).astype(np.float32)


@cache
def _lid_effects() -> F32:
    """(2, 52): by how much each shape at 1 opens each eye of the mean face; eyes are told as apertures."""
    mean = canonical_landmarks()
    effects = np.zeros((2, N_BLENDSHAPES), np.float32)
    for name, index in ARKIT_INDEX.items():
        if name.startswith(("eyeWide", "eyeSquint")):
            moved = (mean + landmark_basis()[index]).astype(np.float32)
            effects[:, index] = eye_openings(moved) / eye_openings(mean) - 1.0
    return effects
