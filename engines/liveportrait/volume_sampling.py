"""Looking up a volume between its points, with operators that every runtime has.

Coordinates are those of PyTorch's grid_sample without aligned corners, as the published network has them: −1
and 1 are the volume's outer faces, so that point i of n lies at (2i + 1)/n − 1. The volume is 0 outside.

GridSample of volumes came late to ONNX (opset 20), and several runtimes have none. Both functions do without
it.
"""

from __future__ import annotations

from math import isqrt

import torch
from torch import Tensor
from torch.nn import functional


def resample_shifted(volume: Tensor, shifts: Tensor) -> Tensor:
    """Return a volume as seen through grids that are shifted as a whole.

    A grid runs from −1 to 1 in equal steps along each axis, ends included. As it is only shifted, the
    trilinear look-up is one matrix of hat functions an axis.

    Args:
        volume: (1, C, D, H, W).
        shifts: (K, 3), of x, y, z.

    Returns:
        (K, C, D, H, W).
    """
    _, channels, depth, height, width = volume.shape
    along_x, along_y, along_z = (
        _hats(side, shifts[:, axis]) for axis, side in enumerate((width, height, depth))
    )
    count = shifts.shape[0]
    seen = volume.reshape(1, channels * depth * height, width) @ along_x.transpose(1, 2)
    seen = along_y[:, None] @ seen.reshape(count, channels * depth, height, width)
    seen = along_z[:, None] @ seen.reshape(count, channels, depth, height * width)
    return seen.reshape(count, channels, depth, height, width)


def sample(volume: Tensor, grid: Tensor) -> Tensor:
    """Return the volume at points of its own, trilinearly.

    Its slices are laid side by side, with a border of zeros around each, and sampled as a picture twice: in
    the slice before each point and in that behind it. For 32 x 16 x 64 x 64 that takes a third of the time of
    ONNX Runtime's own GridSample of volumes, and a quarter of that of eight gathers.

    Args:
        volume: (1, C, D, H, W).
        grid: (3, D, H, W) of x, y, z.

    Returns:
        (1, C, D, H, W).
    """
    _, channels, depth, height, width = volume.shape
    rows = next(rows for rows in range(isqrt(depth), 0, -1) if depth % rows == 0)
    columns, tall, wide = depth // rows, height + 2, width + 2
    sheet = functional.pad(volume[0], (1, 1, 1, 1)).reshape(channels, rows, columns, tall, wide)
    sheet = sheet.permute(0, 1, 3, 2, 4).reshape(1, channels, rows * tall, columns * wide)
    x = _place(grid[0], width).add(1).clamp(0, wide - 1)
    y = _place(grid[1], height).add(1).clamp(0, tall - 1)
    z = _place(grid[2], depth)
    before = z.floor().clamp(0, depth - 2)
    seen = torch.zeros((), dtype=volume.dtype, device=volume.device)
    for slice_ in (before, before + 1):
        row = (slice_ * (1 / columns)).floor()
        down = (row * tall + y + 0.5) * (2 / (rows * tall)) - 1
        right = ((slice_ - columns * row) * wide + x + 0.5) * (2 / (columns * wide)) - 1
        where = torch.stack([right, down], -1).reshape(1, depth * height, width, 2)
        share = torch.relu(1 - (z - slice_).abs()).reshape(1, 1, depth * height, width)
        seen = seen + share * functional.grid_sample(sheet, where, align_corners=False)
    return seen.reshape(volume.shape)


def _hats(side: int, shifts: Tensor) -> Tensor:
    """(K, side, side): the share that each point of an axis has in each point of a shifted grid."""
    points = torch.arange(side, dtype=shifts.dtype, device=shifts.device)
    seen_at = points * (side / (side - 1)) - 0.5 + shifts[:, None] * (side / 2)
    return torch.relu(1 - (seen_at[:, :, None] - points).abs())


def _place(coordinates: Tensor, side: int) -> Tensor:
    """From coordinates to indices of points, with fractions."""
    return (coordinates + 1) * (side / 2) - 0.5
