"""Gates on sharpness and exposure, measured on the face alone."""

from __future__ import annotations

import cv2
import numpy as np

from calibrate.gates.gate import Gate, graded
from facepuppet.core import F32, U8
from facepuppet.portrait import cut_face, face_blur

BLOWN = 252  # of 255, in all three colours: no drawing is left


def light_gates(rgb: U8, landmarks_px: F32) -> list[Gate]:
    """Judge an (H, W, 3) uint8 RGB picture by the pixels of its face."""
    face, inside = cut_face(rgb, landmarks_px)
    lightness = cv2.cvtColor(face.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 0][inside]
    low, middle, high = np.percentile(lightness, (5, 50, 95)).tolist()
    blown = float((face[inside] >= BLOWN).all(axis=1).mean())
    return [
        graded(
            "softness of edges",
            100 * face_blur(rgb, landmarks_px),
            "% of the face's width",
            good=1.6,
            needed=3.3,
            digits=1,
            harm="The puppet stays as blurred as the picture; teeth and irises will look sharper than it.",
        ),
        graded(
            "lightness of the face",
            middle,
            "of 100",
            good=18.0,
            needed=7.0,
            at_least=True,
            harm="Eyes and mouth drown in the dark, and the tracker guesses.",
        ),
        graded(
            "blown-out skin",
            100 * blown,
            "%",
            good=12.0,
            needed=45.0,
            harm="White patches without skin will slide over the face as it moves.",
        ),
        graded(
            "contrast of the face",
            high - low,
            "of 100",
            good=16.0,
            needed=7.0,
            at_least=True,
            harm="Features hardly stand out: lids, lips and outline will be placed imprecisely.",
        ),
    ]
