"""The guided filter: a rough map takes the edges of the picture it belongs to."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import F32, U8, Floats


def guided_filter(guide: U8, rough: F32, radius_px: int, epsilon: float) -> F32:
    """Smooth a map so that it bends where its picture does: in every window it is linear in the colours.

    q = ā·I + b̄ with a = (Σ + εE)⁻¹ cov(I, p) and b = p̄ − a·Ī of every window, and the bars means over windows
    (He, Sun, Tang, "Guided image filtering", PAMI 35(6), 2013, equations 19 to 21).

    Args:
        guide: (H, W, 3) picture I whose edges count.
        rough: (H, W) map p.
        radius_px: of the windows, squares of 2r + 1.
        epsilon: variance of colours, in levels squared, below which a window counts as flat.

    Returns:
        (H, W) the smooth map q. Within 2r of the border, windows see the picture's mirror image.
    """
    colours: list[F32] = list(cv2.split(guide.astype(np.float32)))
    means = [_mean(colour, radius_px) for colour in colours]
    mean_rough = _mean(rough, radius_px)
    shared = [
        _mean(colour * rough, radius_px) - mean * mean_rough
        for colour, mean in zip(colours, means, strict=True)
    ]
    slopes = _solve(_covariance(colours, means, radius_px, epsilon), shared)
    offset = mean_rough - sum(slope * mean for slope, mean in zip(slopes, means, strict=True))
    smooth = _mean(offset, radius_px)
    for slope, colour in zip(slopes, colours, strict=True):
        smooth += _mean(slope, radius_px) * colour
    return smooth


def _mean(plane: Floats, radius_px: int) -> F32:
    return np.asarray(cv2.blur(plane, (2 * radius_px + 1,) * 2), dtype=np.float32)


def _covariance(
    colours: list[F32], means: list[F32], radius_px: int, epsilon: float
) -> dict[tuple[int, int], F32]:
    """The upper triangle of Σ + εE of every window."""
    return {
        (i, j): _mean(colours[i] * colours[j], radius_px)
        - means[i] * means[j]
        + np.float32(epsilon if i == j else 0.0)
        for i in range(3)
        for j in range(i, 3)
    }


def _solve(matrix: dict[tuple[int, int], F32], right: list[F32]) -> list[Floats]:
    """Solve 3x3 systems, one a pixel, by Cramer's rule: ε on the diagonal keeps them regular."""
    rr, rg, rb = matrix[0, 0], matrix[0, 1], matrix[0, 2]
    gg, gb, bb = matrix[1, 1], matrix[1, 2], matrix[2, 2]
    # Cofactors; the matrix is symmetric, so is what they form.
    c_rr, c_rg, c_rb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c_gg, c_gb, c_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    scale = 1 / (rr * c_rr + rg * c_rg + rb * c_rb)
    r, g, b = right
    return [
        scale * (c_rr * r + c_rg * g + c_rb * b),
        scale * (c_rg * r + c_gg * g + c_gb * b),
        scale * (c_rb * r + c_gb * g + c_bb * b),
    ]
