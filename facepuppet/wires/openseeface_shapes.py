"""ARKit's weights of OpenSeeFace's 66 landmarks, against the same face at rest.

Its 14 features are relative to running medians and learnt ranges, so that they are silent at first and change
meaning while they learn. Of the same packets the landmarks follow the width of a mouth, brows and lids better
(brows poorly, with the smallest of its models), and an open mouth about as well, from the first second on
(tools/openseeface_parity.py): so shapes are fitted to landmarks, and lids go by the height of the eyes, each
against rest.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from facepuppet.core.geometry import SimilarityFit
from facepuppet.core.types import F32, F64, N_BLENDSHAPES
from facepuppet.face.arkit import ARKIT_INDEX
from facepuppet.face.shown_shapes import ShownShapes

INTER_OCULAR = 0.632  # between outer eye corners, in units of the tracker's model
SETTLE_S, SETTLE_FACES = 0.4, 8  # of rest: longer than a blink
_MOST_FACES = 120  # of a sender whose time stands still
# Where the 66 landmarks lie in our mesh: jaw, brows, nose, eyes (each image-left first), lips without the
# inner corners.
# fmt: off
MESH = (
    127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
    168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    39, 37, 0, 267, 269, 405, 314, 17, 84, 181, 61, 81, 13, 311, 291, 402, 14, 178,
)
# fmt: on
_SIDED = (
    *("mouthSmile", "mouthFrown", "mouthStretch", "mouthUpperUp", "mouthLowerDown"),
    *("browDown", "browOuterUp"),
)
SHAPES = (
    *("jawOpen", "jawLeft", "jawRight", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight"),
    "browInnerUp",
    *(f"{stem}{side}" for stem in _SIDED for side in ("Left", "Right")),
)
_DISTANCE_TRUST, _SPARSITY = 100.0, 0.02
STEADY = [*range(27, 36), 36, 39, 42, 45]  # nose and eye corners
_LIDS = (([37, 38], [41, 40]), ([43, 44], [47, 46]))  # upper and lower rim, image-left eye first
_BLINKS = [ARKIT_INDEX[f"eyeBlink{side}"] for side in ("Right", "Left")]
_UNSURE = 0.15  # lids that move by so little of their aperture are the tracker's noise
_SHUT = 0.3  # what it leaves of the aperture of a shut eye


class LandmarkShapes:
    """Weights of one face over time; none until its rest is known."""

    def __init__(self) -> None:
        self._faces: list[F64] = []
        self._since_s = 0.0
        self._rest: F64 | None = None
        self._fit: SimilarityFit | None = None

    @property
    def resting(self) -> bool:
        """Whether rest is known."""
        return self._rest is not None

    def weights(self, landmarks: F64, t_s: float) -> F32:
        """Return (52,) weights of landmarks (66, 2) to the image right and down, face on, of any scale."""
        if self._rest is None or self._fit is None:
            self._settle(landmarks, t_s)
            return np.zeros(N_BLENDSHAPES, np.float32)
        face = self._fit_to(landmarks)
        offsets = np.zeros((len(MESH), 3))
        offsets[:, :2] = face - self._rest
        weights = _shapes().fit(offsets)
        left = _apertures(face) / np.maximum(_apertures(self._rest), 1e-6)
        weights[_BLINKS] = np.clip((1.0 - _UNSURE - left) / (1.0 - _UNSURE - _SHUT), 0.0, 1.0)
        return weights

    def _settle(self, landmarks: F64, t_s: float) -> None:
        if not self._faces:
            self._since_s = t_s
        self._faces.append(landmarks)
        long_enough = t_s - self._since_s >= SETTLE_S and len(self._faces) >= SETTLE_FACES
        if not long_enough and len(self._faces) < _MOST_FACES:
            return
        face = np.median(self._faces, axis=0)
        self._faces = []
        width = float(np.linalg.norm(face[36] - face[45]))
        self._rest = face / max(width, 1e-6)
        self._fit = SimilarityFit(self._rest[STEADY])

    def _fit_to(self, landmarks: F64) -> F64:
        """The landmarks with nose and eye corners on those at rest."""
        assert self._fit is not None
        return self._fit.to(landmarks[STEADY]).inverse().apply(landmarks)


def _apertures(face: F64) -> F64:
    return np.array([face[lower, 1].mean() - face[upper, 1].mean() for upper, lower in _LIDS])


@cache
def _shapes() -> ShownShapes:
    trust = np.zeros((len(MESH), 3))
    trust[:17, :2], trust[17:27, :2], trust[48:, :2] = 0.5, 16.0, 8.0
    corners, brows = ([33, 133], [362, 263]), (MESH[17:22], MESH[22:27])
    distances = [
        *(([402, 14, 178], [81, 13, 311], 1), ([291], [61], 0)),
        *(([61], [0, 17], 1), ([291], [0, 17], 1)),
        *((eye, brow, 1) for eye, brow in zip(corners, brows, strict=True)),
    ]
    return ShownShapes(SHAPES, MESH, trust, distances, _DISTANCE_TRUST, _SPARSITY, STEADY)
