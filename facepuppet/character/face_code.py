"""The network that says a face in 16 numbers, and makes a face of them again (engines/coding)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facepuppet.character.directions import DIRECTIONS
from facepuppet.core.types import F32
from facepuppet.inference.manifest import find_network, read_verified
from facepuppet.inference.onnx_session import OnnxSession

NAME = "expression-code"


@dataclass(frozen=True, slots=True)
class Coded:
    """A face as the code has it.

    Attributes:
        code: (16,) float32; the first seven are DIRECTIONS, in their order.
        plain: (52,) float32 weights in [0, 1] that the code stands for; 0 for gaze, blinks and tongue, which
            are not coded.
        moved: the same of the code that was moved.
    """

    code: F32
    plain: F32
    moved: F32


class ExpressionCode:
    """Codes one face, frame by frame; its state goes on from frame to frame.

    Args:
        folder: of manifest.toml; that of the installed engines package if None.

    Raises:
        ManifestError: the network's file is missing, damaged or not the one listed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        network = find_network("coder", NAME, "the network of the expression code", folder)
        self._session = OnnxSession(read_verified(network), network.path.name)
        self._fresh = np.zeros(self._session.input_shapes["state"], np.float32)
        self._state = self._fresh
        self._gain = np.ones((1, 1, 1), np.float32)

    def restart(self) -> None:
        """Forget what was seen."""
        self._state = self._fresh

    def feed(self, weights: F32, shift: F32 | None = None, gain: float = 1.0) -> Coded:
        """Code the next frame.

        Args:
            weights: (52,) in ARKit's order, each in [0, 1].
            shift: (7,) how far to move along each of DIRECTIONS; 1 is a clear expression. None moves nothing.
            gain: how far from rest the face is to be, of how far it is.
        """
        self._gain[:] = gain
        shift = np.zeros(len(DIRECTIONS), np.float32) if shift is None else shift
        told = self._session.run(
            {
                "weights": weights[None, None],
                "shift": shift[None, None],
                "gain": self._gain,
                "state": self._state,
            }
        )
        self._state = told["next_state"]
        return Coded(told["code"][0, 0], told["plain"][0, 0], told["moved"][0, 0])
