"""Looking up a volume between its points, with operators that every runtime has.

Coordinates are those of PyTorch's grid_sample without aligned corners, as the published network has them: −1
and 1 are the volume's outer faces, so that point i of n lies at (2i + 1)/n − 1. The volume is 0 outside.

GridSample of volumes came late to ONNX (opset 20), and several runtimes have none. Both functions do without
it. Sides are read as plain numbers, which the exporter writes as constants.
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
    _, channels, depth, height, width = map(int, volume.shape)
    along_x, along_y, along_z = (
        _hats(side, shifts[:, axis]) for axis, side in enumerate((width, height, depth))
    )
    count = int(shifts.shape[0])
    seen = volume.reshape(1, channels * depth * height, width) @ along_x.transpose(1, 2)
    seen = along_y[:, None] @ seen.reshape(count, channels * depth, height, width)
    seen = along_z[:, None] @ seen.reshape(count, channels, depth, height * width)
    return seen.reshape(count, channels, depth, height, width)


def sample(volume: Tensor, grid: Tensor) -> Tensor:
    """Return the volume at points of its own, trilinearly.

    Even slices are laid side by side, with a border of zeros around each, and odd ones on a second sheet. A
    point lies between one of each: both sheets are sampled as pictures. For 32 x 16 x 64 x 64 that takes a
    third of the time of ONNX Runtime's own GridSample of volumes, and a quarter of that of eight gathers.

    Args:
        volume: (1, C, D, H, W), D even.
        grid: (3, D, H, W) of x, y, z.

    Returns:
        (1, C, D, H, W).
    """
    _, _, depth, height, width = map(int, volume.shape)
    x, y, z = (_place(grid[i], side) for i, side in enumerate((width, height, depth)))
    before = z.floor().clamp(0, depth - 2)
    seen = torch.zeros((), dtype=volume.dtype, device=volume.device)
    for odd in (0, 1):
        nth = ((before + (1 - odd)) / 2).floor()  # of the slices on this sheet
        share = torch.relu(1 - (z - 2 * nth - odd).abs()).reshape(1, 1, depth * height, width)
        seen = seen + share * _sample_slices(volume[0, :, odd::2], nth, x, y)
    return seen.reshape(1, -1, depth, height, width)


def _sample_slices(slices: Tensor, nth: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Slices (C, N, H, W), and for points (D, H, W) which of them and where, to (1, C, D · H, W)."""
    channels, count, height, width = map(int, slices.shape)
    rows = next(rows for rows in range(isqrt(count), 0, -1) if count % rows == 0)
    columns, tall, wide = count // rows, height + 2, width + 2
    sheet = functional.pad(slices, (1, 1, 1, 1)).reshape(channels, rows, columns, tall, wide)
    sheet = sheet.permute(0, 1, 3, 2, 4).reshape(1, channels, rows * tall, columns * wide)
    row = (nth * (1 / columns)).floor()
    # Places count from the sheet's middle, where numbers are finest.
    down = (row * tall - rows * tall / 2) + (y + 1).clamp(0, tall - 1) + 0.5
    right = ((nth - columns * row) * wide - columns * wide / 2) + (x + 1).clamp(0, wide - 1) + 0.5
    where = torch.stack([right * (2 / (columns * wide)), down * (2 / (rows * tall))], -1)
    return functional.grid_sample(sheet, where.reshape(1, -1, int(x.shape[2]), 2), align_corners=False)


def _hats(side: int, shifts: Tensor) -> Tensor:
    """(K, side, side): the share that each point of an axis has in each point of a shifted grid."""
    points = torch.arange(side, dtype=shifts.dtype, device=shifts.device)
    seen_at = points * (side / (side - 1)) - 0.5 + shifts[:, None] * (side / 2)
    return torch.relu(1 - (seen_at[:, :, None] - points).abs())


def _place(coordinates: Tensor, side: int) -> Tensor:
    """From coordinates to indices of points, with fractions."""
    return (coordinates + 1) * (side / 2) - 0.5
