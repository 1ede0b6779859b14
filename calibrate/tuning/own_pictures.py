"""All pictures of a portrait's person, brought to its frame and light."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calibrate.views.align import aligned_picture
from calibrate.views.collect import FaceFinder
from calibrate.views.layout import lay_out
from calibrate.views.likeness import light_gain
from facepuppet.core import F32, U8, FacepuppetError, head_from_image
from facepuppet.face import eye_openings, fit_head, mouth_gap
from facepuppet.media import is_video
from facepuppet.portrait import Avatar, fit_eyes, portrait_sha256

MIN_PICTURES = 3
OPEN_MOUTH = 0.03  # inter-ocular distances; lips nearer than that show nothing to learn from


class TuningError(FacepuppetError):
    """Painters cannot be tuned with what was given, or with what is installed."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the person.

    Attributes:
        name: of its file, with the time within it for videos.
        rgb: (H, W, 3) uint8 in the portrait frame, in the portrait's light.
        landmarks_px: (478, 3) float32 in the portrait frame.
    """

    name: str
    rgb: U8
    landmarks_px: F32

    @property
    def mouth_opening(self) -> float:
        """Gap of the inner lips over the inter-ocular distance."""
        return mouth_gap(_head(self.landmarks_px))

    @property
    def eye_opening(self) -> F32:
        """(2,) aperture of the lids over the eyes' width, image-left first."""
        return np.asarray(eye_openings(_head(self.landmarks_px)), np.float32)


def gather(avatar: Avatar, photos: Sequence[Path], tell: Callable[[str], None]) -> list[Picture]:
    """Return the portrait and at most eight further pictures.

    Args:
        avatar: the portrait.
        photos: further pictures and videos of the same person; the portrait's own file is passed over.
        tell: told what is odd.

    Raises:
        TuningError: there are fewer than three pictures.
        PortraitError: a picture will not do, or shows somebody else.
    """
    others = [path for path in photos if is_video(path) or portrait_sha256(path) != avatar.source_sha256]
    found = FaceFinder(avatar).find(others, tell)
    if 1 + len(found) < MIN_PICTURES:
        raise TuningError(
            f"the portrait and {len(found)} further picture{'' if len(found) == 1 else 's'}",
            f"at least {MIN_PICTURES} pictures of the same person, the portrait included",
            "Add pictures: mouth open, smiling, eyes shut, looking aside; or a short video.",
        )
    ours = lay_out(avatar.portrait_rgb, avatar.landmarks_px)
    pictures = [Picture("the portrait", avatar.portrait_rgb, avatar.landmarks_px)]
    for item in found:
        rgb, landmarks_px = aligned_picture(item.face, avatar)
        gain = light_gain(lay_out(item.face.rgb, item.face.landmarks_px), ours)
        lit = np.clip(np.rint(rgb * gain), 0, 255).astype(np.uint8)
        pictures.append(Picture(item.face.name, lit, fit_eyes(lit, landmarks_px)))
    return pictures


def kept_back(region: str, pictures: Sequence[Picture]) -> int | None:
    """Index of the picture that judges a region's painter: widest mouth, or lids nearest to shut.

    The hardest picture is kept back, never the portrait. None when nothing would be left to learn from: of
    mouths, two further pictures must be open.
    """
    further = pictures[1:]
    if region == "eye":
        return 1 + int(np.argmin([picture.eye_opening.mean() for picture in further]))
    openings = [picture.mouth_opening for picture in further]
    if sum(opening >= OPEN_MOUTH for opening in openings) < 2:
        return None
    return 1 + int(np.argmax(openings))


def _head(landmarks_px: F32) -> F32:
    return head_from_image(landmarks_px, fit_head(landmarks_px)).astype(np.float32)
