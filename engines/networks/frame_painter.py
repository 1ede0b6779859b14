"""The frame painter: low-resolution shading of cheeks, neck and hair after a turn."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engines.networks.painter_network import Profile
from engines.networks.unet import UNet

PROFILES = (Profile("cpu", (24, 48, 80)), Profile("gpu", (48, 96, 160)))
CONTOURS = 0


class FramePainter(nn.Module):
    """Paints everywhere, at a quarter of its crop's resolution: what is finer stays the warp's.

    Args:
        crop_px: side of the picture it sees.
        profile: widths.
    """

    def __init__(self, crop_px: int, profile: Profile = PROFILES[0]) -> None:
        super().__init__()
        self.crop_px = crop_px
        self.net = UNet(6, 3, profile.widths, stem=8)

    def forward(
        self, warped: Tensor, source: Tensor, contours: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """See `engines.networks.painter_network.PainterNetwork`; contours are not used."""
        coarse = torch.tanh(self.net(torch.cat([warped - 0.5, source - 0.5], 1)))
        residual = nn.functional.interpolate(coarse, scale_factor=4.0, mode="bilinear", align_corners=False)
        return residual, torch.ones_like(residual[:, :1])
