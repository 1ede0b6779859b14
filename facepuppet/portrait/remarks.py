"""What will suffer in a portrait that works all the same: one measure and one sentence each.

Limits were set beside 177 readings of portraits in use (generated people, paintings, photographs); what each
measure was there stands at its limit. Nothing here refuses a picture; `portrait.requirements` does.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.geometry import head_from_image
from facepuppet.core.types import F32, U8
from facepuppet.face.gaze import eye_openings
from facepuppet.face.head_pose import fit_head
from facepuppet.face.lips import mouth_gap
from facepuppet.face.topology import CHIN, FOREHEAD, N_MESH
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.face_view import face_width_px
from facepuppet.portrait.in_sight import NEEDED_EYE, NEEDED_LIPS, InSight

GOOD_WIDTH_PX = 110.0
# Aperture over width. Open eyes of 106 portraits have 0.21 and more; eyes that are shut, in clips of
# blinks, up to 0.08.
SHUT_OPENING = 0.09
GOOD_INSIDE = 0.97  # of the face's points
_APART = 0.22  # between the lips, in inter-ocular distances: wide smiles have at most 0.16
_ROOM = 0.30  # above the forehead, in face widths: 0.42 and more, but where hats and hair are cut off
_NECK = 0.07  # below the chin: 0.10 and more
_BESIDE = 0.25  # of the person at the border that has less of it: at most 0.18
_FILLED = 0.92  # of the picture by the person: at most 0.80
_ONE_SIDED = 25.0  # CIE L* between the cheeks: at most 16 but in paintings of chiaroscuro, shades and veils
_COVERED = 127  # of 255: the person's rather than the background's
_CHEEKS = ((117, 118, 101, 36, 205, 187, 123), (346, 347, 330, 266, 425, 411, 352))


@dataclass(frozen=True, slots=True)
class Remark:
    """One measure of a portrait against the limit from which something suffers.

    Attributes:
        label: what is measured, in plain words.
        value, limit: in unit.
        unit: of both.
        harm: what suffers, and what to do, in plain words.
        at_least: whether the limit is a minimum.
    """

    label: str
    value: float
    limit: float
    unit: str
    harm: str
    at_least: bool = False

    @property
    def passed(self) -> bool:
        """Whether nothing suffers."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        bound = "at least" if self.at_least else "at most"
        return f"{self.label}: {self.value:.0f} {self.unit} ({bound} {self.limit:.0f}). {self.harm}"


def measure_remarks(avatar: Avatar) -> list[Remark]:
    """Measure an avatar's light, its mouth at rest, and what its borders cut off."""
    return [
        Remark(
            "light from one side, between the cheeks",
            _between_cheeks(avatar.portrait_rgb, avatar.landmarks_px),
            _ONE_SIDED,
            "of 100 in lightness",
            "Light and shade stay on the skin and turn with the head; a picture in even light looks truer.",
        ),
        Remark(
            "lips apart at rest",
            100 * mouth_gap(_head(avatar.landmarks_px)),
            100 * _APART,
            "% of the distance between the eyes",
            "The mouth stays this open while yours is shut, and opens from there. Use one with closed lips.",
        ),
        *_borders(avatar),
    ]


def remarks_on(avatar: Avatar) -> list[str]:
    """Return a sentence for each thing that will suffer, for who makes no pack and sees no report."""
    found = [str(remark) for remark in measure_remarks(avatar) if not remark.passed]
    width_px = face_width_px(avatar.landmarks_px)
    if width_px < GOOD_WIDTH_PX:
        found.append(
            f"face width: {width_px:.0f} px (at least {GOOD_WIDTH_PX:.0f}). "
            "The puppet will look soft; use a larger picture."
        )
    shut = int((eye_openings(_head(avatar.landmarks_px)) < SHUT_OPENING).sum())
    if shut:
        found.append(
            f"eyes shut: {shut}, without an iris in the picture. They will be invented, or stay shut; "
            "use a picture with open eyes."
        )
    points = avatar.landmarks_px[:N_MESH, :2]
    inside = float(((points >= 0) & (points < avatar.size_px)).all(axis=1).mean())
    if inside < GOOD_INSIDE:
        found.append(
            f"face inside the picture: {100 * inside:.0f} % (at least {100 * GOOD_INSIDE:.0f}). "
            "What is cut off is made up; use a picture of the whole face."
        )
    seen = InSight.of(avatar.portrait_rgb, avatar.landmarks_px)
    if not shut and min(seen.eyes) < NEEDED_EYE:
        found.append(
            "an eye shows no iris (glasses, hair, shadow, a statue's): gaze and blinks will not show."
        )
    if seen.coloured and seen.lips < NEEDED_LIPS:  # in monochrome hands and lips look alike
        found.append("the mouth is covered (mask, hand, scarf): what covers it will be torn when it opens.")
    return found


def _borders(avatar: Avatar) -> list[Remark]:
    """What the picture's borders cut off."""
    (width, height), face_px = avatar.size_px, face_width_px(avatar.landmarks_px)
    person = avatar.person_alpha > _COVERED
    forehead, chin = avatar.landmarks_px[[FOREHEAD, CHIN], 1].tolist()
    beside = person[: max(int(min(chin, height)), 1), [0, width - 1]].sum(axis=0).min()
    return [
        Remark(
            "room above the forehead",
            100 * forehead / face_px,
            100 * _ROOM,
            "% of the face's width",
            "The crown is cut off: what a bowing head shows is made up. Use a picture with the whole head.",
            at_least=True,
        ),
        Remark(
            "room below the chin",
            100 * (height - chin) / face_px,
            100 * _NECK,
            "% of the face's width",
            "The neck is cut off: the jaw drops out of the picture. Use a picture with neck and shoulders.",
            at_least=True,
        ),
        Remark(
            "head or hair cut off by both sides",
            100 * float(beside) / face_px,
            100 * _BESIDE,
            "% of the face's width",
            "What comes in from beyond as the head moves is made up. Use a picture with room on both sides.",
        ),
        Remark(
            "person, of the picture",
            100 * float(person.mean()),
            100 * _FILLED,
            "%",
            "Hardly any background is known, or it was taken for the person, and moves along.",
        ),
    ]


def _between_cheeks(rgb: U8, landmarks_px: F32) -> float:
    """Return by how much one cheek is lighter than the other, in CIE L*; 0 where one is cut off."""
    lightness = []
    for cheek in _CHEEKS:
        area = np.zeros(rgb.shape[:2], np.uint8)
        cv2.fillConvexPoly(area, cv2.convexHull(np.rint(landmarks_px[list(cheek), :2]).astype(np.int32)), 1)
        skin = rgb[area > 0]
        if not len(skin):
            return 0.0
        middle = np.median(skin, axis=0).astype(np.float32).reshape(1, 1, 3) / np.float32(255)
        lightness.append(float(cv2.cvtColor(middle, cv2.COLOR_RGB2LAB)[0, 0, 0]))
    return abs(lightness[0] - lightness[1])


def _head(landmarks_px: F32) -> F32:
    return head_from_image(landmarks_px, fit_head(landmarks_px)).astype(np.float32)
