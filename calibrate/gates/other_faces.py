"""Gates that ask the trackers anew: who else is in the picture, and is this a face at all?"""

from __future__ import annotations

from calibrate.gates.gate import Gate, graded
from facepuppet.core import F32, U8
from facepuppet.portrait import (
    MAX_UNSTEADINESS,
    RIVAL_WIDTH_RATIO,
    FaceView,
    find_faces,
    mirrored_reading,
    unsteadiness,
)


def company_gates(rgb: U8, landmarks_px: F32) -> list[Gate]:
    """Look for faces in an (H, W, 3) uint8 RGB picture whose chosen face has these landmarks."""
    face = FaceView.of(landmarks_px)
    found = find_faces(rgb)
    others = [other for other in found if face.is_apart_from(other)]
    rivals = sum(other.width_px >= RIVAL_WIDTH_RATIO * face.width_px for other in others)
    # The portrait's landmarks are half the mirrored picture's; what disagrees are readings.
    read = next((other for other in found if not face.is_apart_from(other)), face)
    unsteady = unsteadiness(read, mirrored_reading(rgb, read))
    return [
        graded(
            "other faces of comparable size",
            float(rivals),
            "",
            good=0.0,
            needed=0.0,
            harm="One is animated, the others stand by unmoved, or tear where they touch it.",
        ),
        graded(
            "disagreement with the mirrored picture",
            100 * min(unsteady, 1.0),
            "% of the face's width",
            good=100 * MAX_UNSTEADINESS,
            needed=100 * MAX_UNSTEADINESS,
            digits=1,
            harm="The tracker guesses where eyes and mouth are: they will move in the wrong places.",
        ),
    ]
