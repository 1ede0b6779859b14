"""What the three painters share: residual and mask, and how they are put on the warp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

import torch
from torch import Tensor


class PainterNetwork(Protocol):
    """A torch module of the signature in facepuppet/frames/cpu/render/painter.py, with any batch size."""

    crop_px: int

    def __call__(self, warped: Tensor, source: Tensor, contours: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, S, S), (B, 3, S, S), (B, 2K, S, S) → residual (B, 3, S, S), mask (B, 1, S, S)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Widths of a network at one cost."""

    name: str
    widths: tuple[int, ...]


def painted(
    network: torch.nn.Module, warped: Tensor, source: Tensor, contours: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the painted crop (B, 3, S, S) and the mask (B, 1, S, S)."""
    residual, mask = cast(PainterNetwork, network)(warped, source, contours)
    return warped + residual * mask, mask
