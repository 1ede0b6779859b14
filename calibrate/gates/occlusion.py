"""Gates on what covers eyes and mouth."""

from __future__ import annotations

from calibrate.gates.gate import Gate, graded
from facepuppet.core import F32, U8
from facepuppet.portrait import GOOD_EYE, GOOD_LIPS, NEEDED_EYE, NEEDED_LIPS, InSight


def cover_gates(rgb: U8, landmarks_px: F32) -> list[Gate]:
    """Judge whether eyes and mouth of an (H, W, 3) uint8 RGB picture are in sight."""
    seen = InSight.of(rgb, landmarks_px)
    covered = max(seen.eyes) < NEEDED_EYE
    return [
        graded(
            "eyes in sight, white against iris",
            max(seen.eyes) if covered else min(seen.eyes),
            "of 100 in lightness",
            good=GOOD_EYE,
            needed=NEEDED_EYE if covered else None,
            at_least=True,
            harm="Something (glasses, hair, shadow) seems to cover an eye: gaze and blinks will not show.",
        ),
        graded(
            "mouth in sight, lips against skin",
            seen.lips,
            "of 100 in colour" if seen.coloured else "of 100 in lightness",
            good=GOOD_LIPS,
            needed=NEEDED_LIPS if seen.coloured else None,
            at_least=True,
            digits=1,
            harm="Something (mask, hand, scarf) seems to cover the mouth: it will be torn when it opens.",
        ),
    ]
