"""Samples from stills: the source is made by an inverse warp, the real picture is the truth.

Closing a smiling mouth hides its teeth; carried back to the true landmarks, the warp alone cannot show
them again, and the real picture says what they look like. The same goes for lids that were opened or
narrowed, irises that were shifted and heads that were turned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from engines.data.motions import motion_to
from engines.data.regions import Region, cut_samples
from engines.data.samples import Sample
from facepuppet.core import (
    F32,
    U8,
    HeadMotion,
    Motion,
    Quality,
    TorsoMotion,
    head_from_image,
    rotation_from_euler,
)
from facepuppet.face import (
    ARKIT_INDEX,
    EYES,
    LIPS,
    LOWER_LIP_INNER,
    UPPER_LIP_INNER,
    eye_openings,
    fit_head,
    is_face,
    landmark_basis,
    mouth_gap,
    move_irises,
)
from facepuppet.frames import Renderer
from facepuppet.portrait import Avatar, fit_eyes
from facepuppet.retarget import place_lids
from facepuppet.vision import FaceMesher

_LIP_EDGES = (UPPER_LIP_INNER, LOWER_LIP_INNER)
MIN_GAP = 0.03  # inter-ocular distances; a mouth that is shut in the true picture teaches nothing
LIP_REACH = 0.22  # inter-ocular distances over which skin follows a closing lip
TURN_RAD = (0.25, 0.15, 0.08)  # largest yaw, pitch and roll of a made source


def still_samples(
    rgb: U8,
    mesher: FaceMesher,
    regions: Sequence[Region],
    bare_engines: Path,
    *,
    rng: np.random.Generator,
    order: int,
) -> Iterator[tuple[str, Sample]]:
    """Yield (region name, sample) of one picture, with one source made of it.

    Args:
        rgb: (H, W, 3) uint8 portrait.
        mesher: finds its landmarks.
        regions: what to cut ("mouth" and "eye"; a still tells nothing of what a turning head uncovers).
        bare_engines: folder whose manifest lists no network.
        rng: chooses the made source.
        order: order of the sample.
    """
    found_px = mesher.landmarks_px(rgb)
    if found_px is None or not is_face(found_px):
        return
    landmarks_px = fit_eyes(rgb, found_px)
    truth = bare_avatar(rgb, landmarks_px)
    relaxed = np.maximum(eye_openings(head_from_image(landmarks_px, fit_head(landmarks_px))), 0.2)
    made = made_motion(truth, rng)
    picture = np.ascontiguousarray(_rendered(truth, bare_engines, made)[..., :3])
    source = bare_avatar(picture, made.landmarks_px)
    motion = motion_to(source, landmarks_px, relaxed)
    rgba = _rendered(source, bare_engines, motion)
    for region in regions:
        if region.name == "mouth" and motion.mouth_opening < MIN_GAP:
            continue
        for sample in cut_samples(region, source, motion, rgba, rgb, "still", order, rng):
            yield region.name, sample


def _rendered(avatar: Avatar, bare_engines: Path, motion: Motion) -> U8:
    """As painters see a moved portrait: they come before light and shade."""
    renderer = Renderer(avatar, bare_engines)
    renderer.set_quality(Quality(flesh=False))
    return renderer.render(motion).rgba


def made_motion(avatar: Avatar, rng: np.random.Generator) -> Motion:
    """A motion from a real picture to a plausible calmer one: lips shut, lids, irises and head moved."""
    portrait_from_head = fit_head(avatar.landmarks_px)
    rest = head_from_image(avatar.landmarks_px, portrait_from_head).astype(np.float32)
    head = _with_mouth_closed(rest, rng)
    opening = np.full(2, rng.uniform(0.65, 1.15) if rng.random() < 0.5 else 1.0, np.float32)
    for eye, share in zip(EYES, opening.tolist(), strict=True):
        place_lids(head, rest, eye, share)
    turn = rng.uniform(-1, 1, 3) * TURN_RAD if rng.random() < 0.6 else np.zeros(3)
    rotation = rotation_from_euler(*turn).astype(np.float32)
    pivot = avatar.head_pivot_px
    offset = portrait_from_head.apply(head) - pivot
    landmarks = (offset @ rotation.T + pivot).astype(np.float32)
    gaze = rng.uniform(-1, 1, 2) * (0.18, 0.08) if rng.random() < 0.7 else np.zeros(2)
    move_irises(landmarks, avatar.landmarks_px, gaze, np.clip(opening / 0.5, 0, 1))
    still = np.zeros(2, np.float32)
    return Motion(
        landmarks,
        HeadMotion(rotation, still, 1.0),
        TorsoMotion(still, 0.0, 1.0),
        opening,
        mouth_gap(head),
        0,
        0,
    )


def _with_mouth_closed(rest: F32, rng: np.random.Generator) -> F32:
    """Shut the lips (or nearly), by the jaw and by the lips themselves, with a smile taken back in part."""
    basis = landmark_basis().astype(np.float32)
    head = _without_smile(rest, rng.uniform(-0.1, 0.6))
    jaw = basis[ARKIT_INDEX["jawOpen"]]
    opens = _lip_gap(head + 0.2 * jaw) - _lip_gap(head - 0.2 * jaw)
    by_jaw = rng.uniform(0.2, 0.9) * _lip_gap(head) / max(2.5 * opens, 0.05)
    head -= np.float32(np.clip(by_jaw, 0.0, 0.7)) * jaw
    left = rng.uniform(0.1, 0.5) if rng.random() < 0.3 else 0.0
    _meet(head, rest, left, rng.uniform(0.3, 0.8))
    return head


def _without_smile(rest: F32, smile: float) -> F32:
    """Take a smile back, unless that would fold the lips (of a mouth that is pursed already)."""
    basis = landmark_basis().astype(np.float32)
    head = rest.copy()
    for side in ("Left", "Right"):
        head -= np.float32(smile) * basis[ARKIT_INDEX[f"mouthSmile{side}"]]
    folded = any((np.diff(head[lip, 0]) < 0.25 * np.diff(rest[lip, 0])).any() for lip in _LIP_EDGES)
    return rest.copy() if folded else head


def _lip_gap(head: F32) -> float:
    """Height of the opening at its middle; negative where lips have passed through each other."""
    return float(head[LOWER_LIP_INNER[5], 1] - head[UPPER_LIP_INNER[5], 1])


def _meet(head: F32, rest: F32, left: float, upper_share: float) -> None:
    """Bring the inner lips together up to a share `left` of their gap, skin around following, in place."""
    upper, lower = UPPER_LIP_INNER[1:-1], LOWER_LIP_INNER[1:-1]
    gap = (head[lower, 1] - head[upper, 1]) * (1.0 - left)
    columns = (head[upper, 0] + head[lower, 0]) / 2
    line = (head[upper, 1] + head[lower, 1]) / 2
    order = np.argsort(columns)
    give = np.interp(head[:, 0], columns[order], gap[order])
    middle = np.interp(head[:, 0], columns[order], line[order])
    away = np.linalg.norm(rest[:, None, :2] - rest[None, LIPS, :2], axis=-1).min(1)
    share = np.exp(-((away / LIP_REACH) ** 2))
    below = head[:, 1] > middle
    head[:, 1] += share * give * np.where(below, -(1.0 - upper_share), upper_share)
    crossed = np.maximum(head[upper, 1] - head[lower, 1], 0.0) / 2
    head[upper, 1] -= crossed
    head[lower, 1] += crossed


def bare_avatar(rgb: U8, landmarks_px: F32) -> Avatar:
    """An avatar without matte: all of the picture is the person, which is all that face crops need."""
    height, width = rgb.shape[:2]
    shoulders = np.array([[0.1 * width, height], [0.9 * width, height]], np.float32)
    alpha = np.full((height, width), 255, np.uint8)
    return Avatar("still", rgb, landmarks_px, shoulders, alpha, rgb, rgb, "0" * 64)
