"""Mouth shapes by the network that was trained to hear them (engines/voice)."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from facepuppet.core.types import F32
from facepuppet.inference.manifest import find_network, read_verified
from facepuppet.inference.onnx_session import OnnxSession

NAME = "mouth-listener"


class Mouth(Protocol):
    """What hears mouth shapes in features: the network, or `PlainMouth`."""

    def feed(self, features: F32, loudness: F32) -> tuple[F32, F32]:
        """Return mouth (k, 13) and speaking (k,) of features (k, 81) and loudness (k,) in dB."""


class MouthNetwork:
    """Turns features into mouth shapes; its state goes on from block to block.

    Args:
        folder: of manifest.toml; that of the installed engines package if None.

    Raises:
        ManifestError: the network's file is missing, damaged or not the one listed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        network = find_network("listener", NAME, "the network that hears a voice", folder)
        self._session = OnnxSession(read_verified(network), network.path.name)
        self._state = np.zeros(self._session.input_shapes["state"], np.float32)

    def feed(self, features: F32, loudness: F32) -> tuple[F32, F32]:
        """Return mouth (k, 13) and speaking (k,) of features (k, 81)."""
        if not len(features):
            return np.zeros((0, 13), np.float32), np.zeros(0, np.float32)
        told = self._session.run({"features": features[None], "state": self._state})
        self._state = told["next_state"]
        return told["mouth"][0], told["speaking"][0]
