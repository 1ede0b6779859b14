"""Balanced, augmented batches of samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from engines.data.samples import Samples
from facepuppet.core import F32, U8

STILL_SHARE = 0.4  # of every batch, where there are stills
_WIDEST, _BARED = 0.8, 0.8  # what the widest mouths and bared teeth count for, beside an open mouth's 1
_SHINING = 1.35  # times as light as lips, in the darkest of the three colours
_TURN_RAD, _STRETCH, _SHEAR, _SHIFT = 0.08, 0.07, 0.05, 0.02  # spreads; shift in sides of the crop
_COLOUR, _GAIN = 0.12, 0.25  # spread of the gains per channel and of all channels


@dataclass(frozen=True, slots=True)
class Batch:
    """Float planes in [0, 1].

    Attributes:
        warped: (B, 3, S, S), like source and target.
        contours: (B, 2K, S, S).
        coverage: (B, 1, S, S).
    """

    warped: Tensor
    source: Tensor
    target: Tensor
    contours: Tensor
    coverage: Tensor


def weights_of(samples: Samples, *, bared: bool = False) -> F32:
    """Probability of each sample: people count alike, and open mouths and shut lids for more.

    Args:
        samples: to weigh.
        bared: of mouths, let the widest and those that bare their teeth count for yet more.

    Returns:
        (N,) float32, sum 1.
    """
    closing = np.abs(samples.closing)
    weight = 0.35 + _within(closing, 0.0, float(np.percentile(samples.closing, 90)))
    if bared:
        weight += _WIDEST * _within(closing, *np.percentile(closing, (75, 98)).tolist())
        teeth = bared_teeth(samples)
        weight += _BARED * _within(teeth, 0.0, float(np.percentile(teeth, 95)))
    still = np.array([origin == "still" for origin in samples.origins])[samples.origin]
    for origin in np.unique(samples.origin):
        mine = samples.origin == origin
        # Long clips count more than short ones, but by the square root of their length only.
        weight[mine] *= np.sqrt(mine.sum()) / weight[mine].sum()
    if still.any() and not still.all():
        weight[still] *= STILL_SHARE / weight[still].sum()
        weight[~still] *= (1 - STILL_SHARE) / weight[~still].sum()
    return np.asarray(weight / weight.sum(), np.float32)


def bared_teeth(samples: Samples) -> F32:
    """Share (N,) of each true picture that lies between the lips and shines beside them, as teeth do."""
    found = np.zeros(len(samples), np.float32)
    for i in range(len(samples)):
        outer, inner = samples.contours[i][:2] > 127
        lips = outer & ~inner
        if inner.any() and lips.any():
            light = (
                samples.target[i].astype(np.float32).min(-1)
            )  # flesh lacks green and blue, teeth lack little
            found[i] = (inner & (light > _SHINING * light[lips].mean())).mean()
    return found


def _within(values: F32, low: float, high: float) -> F32:
    return np.clip((values - low) / max(float(high - low), 1e-3), 0, 1).astype(np.float32)


def batches(
    samples: Samples, size: int, seed: int, *, mirrored: bool, bared: bool = False
) -> Iterator[Batch]:
    """Yield augmented batches without end.

    Args:
        samples: what to draw from.
        size: pictures a batch.
        seed: of the draws and augmentations.
        mirrored: flip half of them (mouths and frames; eyes are mirrored to one side already).
        bared: as in `weights_of`.
    """
    rng = np.random.default_rng(seed)
    probability = weights_of(samples, bared=bared).astype(np.float64)
    probability /= probability.sum()
    while True:
        chosen = np.sort(rng.choice(len(samples), size, p=probability))
        yield collate([_augmented(samples, int(i), rng, mirrored) for i in chosen])


def plain(samples: Samples, indices: list[int]) -> Batch:
    """A batch as it is, for validation."""
    return collate([_planes(samples, i) for i in indices])


def collate(rows: list[dict[str, U8]]) -> Batch:
    """Stack (S, S, C) pictures into float tensors, with the target covered as the warp is."""
    stacked = {
        name: torch.from_numpy(np.stack([row[name] for row in rows])).permute(0, 3, 1, 2).float().div(255)
        for name in rows[0]
    }
    return Batch(
        stacked["warped"],
        stacked["source"],
        stacked["target"] * stacked["coverage"],
        stacked["contours"],
        stacked["coverage"],
    )


def _planes(samples: Samples, index: int) -> dict[str, U8]:
    return {
        "warped": samples.warped[index],
        "source": samples.source[index],
        "target": samples.target[index],
        "contours": samples.contours[index].reshape(-1, *samples.coverage.shape[1:]).transpose(1, 2, 0),
        "coverage": samples.coverage[index][..., None],
    }


def _reshaped(rows: dict[str, U8], rng: np.random.Generator) -> dict[str, U8]:
    """Turn, stretch, shear and shift all planes alike: few people become many shapes of mouths and eyes."""
    side = rows["warped"].shape[0]
    turn, (sx, sy), shear = (
        rng.normal(0, _TURN_RAD),
        np.exp(rng.normal(0, _STRETCH, 2)),
        rng.normal(0, _SHEAR),
    )
    cos, sin = np.cos(turn), np.sin(turn)
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.array([[sx, shear], [0, sy]])
    shift = rng.normal(0, _SHIFT * side, 2) + (np.eye(2) - linear) @ np.full(2, side / 2)
    matrix = np.column_stack([linear, shift]).astype(np.float32)
    reshaped = {}
    for name, plane in rows.items():
        if not plane.size:  # the frame painter has no contours
            reshaped[name] = plane
            continue
        border = cv2.BORDER_CONSTANT if name == "contours" else cv2.BORDER_REFLECT_101
        moved = cv2.warpAffine(
            np.ascontiguousarray(plane), matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=border
        )
        reshaped[name] = np.asarray(moved, np.uint8).reshape(plane.shape)
    return reshaped


def _augmented(samples: Samples, index: int, rng: np.random.Generator, mirrored: bool) -> dict[str, U8]:
    """The same shape of face, light, camera and compression for all pictures of one sample."""
    rows = _reshaped(_planes(samples, index), rng)
    if mirrored and rng.random() < 0.5:
        rows = {name: np.ascontiguousarray(plane[:, ::-1]) for name, plane in rows.items()}
    pictures = ("warped", "source", "target")
    gain = rng.normal(1.0, _COLOUR / 2, 3) * np.exp(rng.normal(0.0, _GAIN / 2))
    gamma = float(np.exp(rng.normal(0.0, 0.15)))
    table = np.clip(255 * (np.arange(256)[:, None] / 255) ** gamma * gain, 0, 255).astype(np.uint8)
    blur = rng.uniform(0.4, 1.2) if rng.random() < 0.15 else 0.0
    for name in pictures:
        picture = cv2.LUT(np.ascontiguousarray(rows[name]), table[None])
        if blur:
            picture = cv2.GaussianBlur(picture, (0, 0), blur)
        rows[name] = np.asarray(picture, np.uint8)
    if rng.random() < 0.15:  # what the network sees went through a JPEG file
        quality = int(rng.integers(40, 90))
        for name in ("warped", "source"):
            _, data = cv2.imencode(".jpg", rows[name], [cv2.IMWRITE_JPEG_QUALITY, quality])
            rows[name] = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return rows
