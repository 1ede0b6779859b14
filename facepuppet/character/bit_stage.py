"""Plays bits over the live driver: heads turn together, of each mouth shape the stronger counts."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from facepuppet.character.bits import CARRIED, Bit, built_in_bits
from facepuppet.core.errors import ControlError
from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, N_BLENDSHAPES, Blendshapes, Expression, FacePose, LandmarkOffsets
from facepuppet.face.blendshapes import QuickWeights, landmark_basis
from facepuppet.face.life_signs import FASTEST, shift_on_neck

EASE_IN_S, EASE_OUT_S = 0.25, 0.35
MOST_WAITING = 8
_LONGEST_STEP_S = 1.0 / 15.0  # frames that are farther apart are no reason to leap
# How far one radian about each axis takes the outermost points of a face on the picture: nose and ears are
# 1.4 before the neck's joint, the forehead 2 above it.
_WIDER = 1.4  # than the mean face's a portrait's mouth may be, and moves as much farther
_REACH = np.array([1.4, 1.4, 2.0], np.float32)


class BitStage:
    """A stage that does nothing, and costs nothing, until something is played.

    Bits wait for one another; without a face nothing is played, and what waits goes on waiting.

    Args:
        bits: by name; the built-in ones if None.
    """

    def __init__(self, bits: Mapping[str, Bit] | None = None) -> None:
        self._bits = dict(built_in_bits() if bits is None else bits)
        self._waiting: deque[Bit] = deque()
        self._now: Bit | None = None
        self._begun_ns = 0
        self._stopping = False
        self._stopped_ns: int | None = None
        self._last_ns: int | None = None
        self._weights, self._turn = _nothing()  # as shown last

    @property
    def names(self) -> tuple[str, ...]:
        """What can be played."""
        return tuple(self._bits)

    @property
    def playing(self) -> tuple[str, ...]:
        """What is played, and what waits for it; from any thread."""
        now = self._now
        return (*(() if now is None else (now.name,)), *(bit.name for bit in tuple(self._waiting)))

    def play(self, name: str) -> None:
        """Play a bit next, after those that wait.

        Raises:
            ControlError: there is none of that name, or too many wait.
        """
        if name not in self._bits:
            raise ControlError(
                f"bit {name[:60]!r}", f"one of {', '.join(self._bits)}", "Correct the name, or give --bits."
            )
        if len(self._waiting) >= MOST_WAITING:
            raise ControlError(
                f"{name} after {MOST_WAITING} bits that wait", "fewer", "Say stop-playing, or let them end."
            )
        self._waiting.append(self._bits[name])

    def stop(self) -> None:
        """Ease out of what is played, and forget what waits."""
        self._waiting.clear()
        self._stopping = self._now is not None

    def update(self, expression: Expression) -> Expression:
        """Return the expression with the bit on it; the same one while nothing is played."""
        t_ns, last_ns = expression.captured_ns, self._last_ns
        self._last_ns = t_ns
        face = expression.face
        if face is None:
            self._now, self._stopping, self._stopped_ns = None, False, None
            self._weights, self._turn = _nothing()
            return expression
        if self._now is None and not self._waiting and not self._turn.any() and not self._weights.any():
            return expression
        passed_s = 0.0 if last_ns is None else (t_ns - last_ns) * 1e-9
        self._approach(*self._wanted(t_ns), min(passed_s, _LONGEST_STEP_S))
        if not self._turn.any() and not self._weights.any():
            return expression
        return replace(expression, face=self._played_on(face))

    def _wanted(self, t_ns: int) -> tuple[F32, F32]:
        """Weights and turn of the bit that is on, eased; nothing where none is."""
        if self._now is None:
            if not self._waiting:
                return _nothing()
            self._now, self._begun_ns, self._stopped_ns = self._waiting.popleft(), t_ns, None
        if self._stopping:
            self._stopping, self._stopped_ns = False, t_ns
        since_s = (t_ns - self._begun_ns) * 1e-9
        left_s = self._now.duration_s - since_s
        level = smoothstep(since_s / EASE_IN_S) * smoothstep(left_s / EASE_OUT_S)
        if self._stopped_ns is not None:
            stopped_s = (t_ns - self._stopped_ns) * 1e-9
            level *= 1.0 - smoothstep(stopped_s / EASE_OUT_S)
            left_s = min(left_s, EASE_OUT_S - stopped_s)
        weights, turn = self._now.at(since_s)
        if left_s <= 0.0:
            self._now = None
            return _nothing()
        return weights * np.float32(level), turn * np.float32(level)

    def _approach(self, weights: F32, turn: F32, passed_s: float) -> None:
        """Go to what is wanted, no faster than a face may: recordings may have cuts, and be cut into."""
        by_weights, by_turn = weights - self._weights, turn - self._turn
        way = float(np.abs(by_turn) @ _REACH + np.abs(by_weights) @ self._shape_reach)
        share = 1.0 if way <= FASTEST * passed_s else FASTEST * passed_s / way
        if share == 1.0:
            self._weights, self._turn = weights, turn
        else:
            self._weights = self._weights + np.float32(share) * by_weights
            self._turn = self._turn + np.float32(share) * by_turn

    def _played_on(self, face: FacePose) -> FacePose:
        x, y, z = self._turn.tolist()
        right, down = shift_on_neck(x, y, z)
        head = replace(
            face.head,
            turn=face.head.turn + self._turn,
            shift=(face.head.shift[0] + right, face.head.shift[1] + down),
        )
        if not self._weights.any():
            return replace(face, head=head)
        shape = face.deformation
        if isinstance(shape, Blendshapes):
            return replace(face, head=head, deformation=Blendshapes(np.maximum(shape.weights, self._weights)))
        # What the tracker saw stays; the change alone is added.
        change = np.maximum(self._weights - self._fit.of(shape.offsets), np.float32(0.0))
        change[self._weights == 0.0] = 0.0
        offsets = shape.offsets + (change @ self._basis).reshape(shape.offsets.shape)
        return replace(face, head=head, deformation=LandmarkOffsets(offsets, shape.mouth_width))

    @cached_property
    def _fit(self) -> QuickWeights:
        return QuickWeights()

    @cached_property
    def _basis(self) -> F32:
        """(52, 1434): how each shape at weight 1 moves the landmarks; those of the eyes do not."""
        basis = landmark_basis().astype(np.float32).reshape(N_BLENDSHAPES, -1)
        basis[~CARRIED] = 0.0
        return basis

    @cached_property
    def _shape_reach(self) -> F32:
        """(52,): how far each shape at weight 1 takes the point that it moves most, on the picture."""
        moved = self._basis.reshape(N_BLENDSHAPES, -1, 3)[:, :, :2]
        return np.asarray(_WIDER * np.linalg.norm(moved, axis=2).max(axis=1), np.float32)


def _nothing() -> tuple[F32, F32]:
    return np.zeros(N_BLENDSHAPES, np.float32), np.zeros(3, np.float32)
