"""A person in a picture that cuts them off: what is needed to make up the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.face.topology import CHIN, FOREHEAD, OUTER_CORNERS
from facepuppet.portrait.avatar import Avatar

SOLID = 128  # coverage from which a pixel counts as the person
_BROAD = 0.03  # of the longer side: sigma of what counts as broad colour
_NECK = 0.35  # of the face's height below the chin: the body begins there


@dataclass(frozen=True)
class CutPerson:
    """A person, perhaps mirrored.

    Attributes:
        rgb: (H, W, 3) uint8 their own colours.
        alpha: (H, W) uint8 their coverage.
        landmarks_px: (478, 3); mirrored, left and right landmarks keep their numbers.
        shoulders_px: (2, 2), image-left first.
    """

    rgb: U8
    alpha: U8
    landmarks_px: F32
    shoulders_px: F32

    @classmethod
    def of(cls, avatar: Avatar) -> CutPerson:
        """Return the person of a portrait."""
        return cls(avatar.foreground_rgb, avatar.person_alpha, avatar.landmarks_px, avatar.shoulders_px)

    def mirrored(self) -> CutPerson:
        """Return the same with left for right, for what is done to left borders."""

        def flipped(points: F32) -> F32:
            return np.column_stack([self.width - 1 - points[:, 0], points[:, 1:]]).astype(np.float32)

        return replace(
            self,
            rgb=np.asarray(cv2.flip(self.rgb, 1), np.uint8),
            alpha=np.asarray(cv2.flip(self.alpha, 1), np.uint8),
            landmarks_px=flipped(self.landmarks_px),
            shoulders_px=flipped(self.shoulders_px)[::-1],
        )

    def within(self, rgb: U8, alpha: U8, corner_px: tuple[int, int]) -> CutPerson:
        """Return the same in a larger picture, whose left and top margins are given."""
        offset = np.array([*corner_px, 0], np.float32)
        return CutPerson(rgb, alpha, self.landmarks_px + offset, self.shoulders_px + offset[:2])

    def lying(self) -> CutPerson:
        """Return pictures turned so that the bottom border is the left one; points are as they were."""
        rgb, alpha = (np.ascontiguousarray(one[::-1].swapaxes(0, 1)) for one in (self.rgb, self.alpha))
        return replace(self, rgb=rgb, alpha=alpha)

    @property
    def height(self) -> int:
        """Of the picture, in pixels."""
        return len(self.alpha)

    @property
    def width(self) -> int:
        """Of the picture, in pixels."""
        return self.alpha.shape[1]

    @property
    def face_px(self) -> float:
        """Height of the face."""
        return float(np.linalg.norm(self.landmarks_px[CHIN, :2] - self.landmarks_px[FOREHEAD, :2]))

    @property
    def unit_px(self) -> float:
        """Distance of the outer eye corners."""
        return float(np.linalg.norm(np.subtract(*self.landmarks_px[OUTER_CORNERS, :2])))

    @property
    def chin_row(self) -> float:
        """Row of the chin."""
        return float(self.landmarks_px[CHIN, 1])

    @property
    def body_row(self) -> float:
        """Row at which hair over the shoulders gives way to the body."""
        return self.chin_row + _NECK * self.face_px

    @cached_property
    def broad_rgb(self) -> U8:
        """(H, W, 3) uint8 broad colours."""
        sigma = max(_BROAD * max(self.alpha.shape), 1.0)
        return np.asarray(cv2.stackBlur(self.rgb, (2 * round(2.45 * sigma) + 1,) * 2), np.uint8)
