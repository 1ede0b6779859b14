"""What of a portrait moves: the person alone, or with a rim of the background they stand before."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import U8
from facepuppet.portrait.avatar import Avatar

_RIM = 0.02  # width in which the moved background gives way to the still one, over the longer side
_LEAST_RIM_PX = 6.0
_SAME = 2  # levels: what differs less from the picture was not filled


@dataclass(frozen=True, slots=True)
class Cutout:
    """A part of a portrait.

    Attributes:
        rgb: (H, W, 3) uint8 colours.
        alpha: (H, W) uint8 coverage.
    """

    rgb: U8
    alpha: U8


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a moved person stands before.

    Attributes:
        own: their portrait's own background, as sharp as it is.
    """

    own: bool = False


def cut_out(avatar: Avatar, before: Surroundings) -> Cutout:
    """Return what of a portrait moves before these surroundings."""
    return person_and_rim(avatar) if before.own else person_alone(avatar)


def person_alone(avatar: Avatar) -> Cutout:
    """Return the person without their background, for any other one."""
    return Cutout(avatar.foreground_rgb, avatar.person_alpha)


def person_and_rim(avatar: Avatar) -> Cutout:
    """Return the person with all that lies about them where their own background had to be filled.

    Over the portrait's own background this is the picture itself at rest, hair by hair: where the cutout
    ends, the background behind it is the picture's. A moving head takes a soft rim of background along, which
    is seen less than strands that are missing, or than what a fill invents.
    """
    filled = np.abs(avatar.background_rgb.astype(np.int16) - avatar.portrait_rgb).max(axis=2) > _SAME
    inside = cv2.dilate((filled | (avatar.person_alpha > 0)).astype(np.uint8), np.ones((3, 3), np.uint8))
    if inside.all():
        return Cutout(avatar.portrait_rgb, np.full_like(avatar.person_alpha, 255))
    away_px = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    rim_px = max(_LEAST_RIM_PX, _RIM * max(inside.shape))
    alpha = 255 * smoothstep(1.0 - np.asarray(away_px, np.float32) / rim_px)
    return Cutout(avatar.portrait_rgb, np.rint(alpha).astype(np.uint8))
