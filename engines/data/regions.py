"""What each painter looks at: region, side and reach of its crop, and how samples are cut for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engines.data.samples import Sample
from facepuppet.core import F32, U8, Motion
from facepuppet.frames import Crop, crops_of
from facepuppet.portrait import Avatar

# A crop may be moved and scaled a little in training (shares of its side): the network then depends less
# on where exactly a tracker puts its landmarks.
SHIFT, SCALE = 0.03, 0.06


@dataclass(frozen=True, slots=True)
class Region:
    """One painter's view.

    Attributes:
        name: "mouth", "eye" or "frame", as in the manifest.
        crop_px: side of its crop.
        reach: side of that crop in inter-ocular distances, eye widths or picture sides.
    """

    name: str
    crop_px: int
    reach: float


REGIONS = {
    "mouth": Region("mouth", 96, 0.92),
    "eye": Region("eye", 64, 1.75),
    "frame": Region("frame", 128, 1.0),
}


def cut_samples(
    region: Region,
    avatar: Avatar,
    motion: Motion,
    rgba: U8,
    truth: U8,
    origin: str,
    order: int,
    rng: np.random.Generator | None = None,
) -> Iterator[Sample]:
    """Cut one region out of a rendered portrait and the true picture of the same moment.

    Args:
        region: which.
        avatar: the portrait.
        motion: where it was moved.
        rgba: (H, W, 4) uint8 premultiplied, rendered by geometry alone.
        truth: (H, W, 3) uint8, the true picture in the portrait frame.
        origin: person and kind.
        order: position in time; consecutive frames of one pair differ by one.
        rng: moves and scales crops a little; None cuts as the live loop does.
    """
    args = (avatar.size_px, region.crop_px, region.reach)
    moved = crops_of(region.name, motion.landmarks_px, *args)
    rest = crops_of(region.name, avatar.landmarks_px, *args)
    for side, (now, before) in enumerate(zip(moved, rest, strict=True)):
        if not _inside(now, avatar.size_px, region) or not _inside(before, avatar.size_px, region):
            continue
        if region.name != "frame" and rng is not None:
            jitter = _jitter(region.crop_px, rng)
            now, before = _jittered(now, jitter), _jittered(before, jitter)
        px = region.crop_px
        cut = now.sample(rgba, px)
        contours = np.concatenate([now.contours(px), before.contours(px)])
        yield Sample(
            np.ascontiguousarray(cut[..., :3]),
            before.sample(avatar.portrait_rgb, px),
            now.sample(truth, px),
            np.rint(255 * contours).astype(np.uint8),
            np.ascontiguousarray(cut[..., 3]),
            _closing(region, motion, side),
            origin,
            order,
        )


def _closing(region: Region, motion: Motion, side: int) -> float:
    return 1.0 - float(motion.eye_opening[side]) if region.name == "eye" else motion.mouth_opening


def _inside(crop: Crop, size_px: tuple[int, int], region: Region) -> bool:
    """Whether most of a crop lies inside the picture."""
    if region.name == "frame":
        return True
    linear, offset = crop.crop_from_picture[:, :2], crop.crop_from_picture[:, 2]
    centre = np.linalg.inv(linear) @ (np.full(2, region.crop_px / 2) - offset)
    reach = 0.4 * region.crop_px / np.sqrt(abs(np.linalg.det(linear)))
    return bool((centre > reach).all() and (centre < np.array(size_px) - reach).all())


def _jitter(crop_px: int, rng: np.random.Generator) -> F32:
    """A small similarity (2, 3) within a crop, about its centre."""
    scale = 1.0 + rng.uniform(-SCALE, SCALE)
    shift = crop_px * (rng.uniform(-SHIFT, SHIFT, 2) + (1.0 - scale) / 2)
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)


def _jittered(crop: Crop, jitter: F32) -> Crop:
    linear = jitter[:, :2] @ crop.crop_from_picture
    linear[:, 2] += jitter[:, 2]
    return Crop(linear, crop.outlines_px)
