"""The eye painter, shared by both eyes through mirroring: lids, lashes, white, iris and their shadows."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engines.networks.painter_network import Profile
from engines.networks.unet import UNet, fade, spread

PROFILES = (Profile("cpu", (32, 56, 96)), Profile("gpu", (56, 112, 192)))
CONTOURS = 4  # lids and iris, moved and at rest


class EyePainter(nn.Module):
    """Paints within and around the lids; elsewhere its mask is 0.

    Args:
        crop_px: side of the crop.
        profile: widths.
    """

    def __init__(self, crop_px: int, profile: Profile = PROFILES[0]) -> None:
        super().__init__()
        self.crop_px = crop_px
        self.net = UNet(6 + CONTOURS, 3, profile.widths)
        self.register_buffer("fade", fade(crop_px, crop_px // 10), persistent=False)

    def forward(self, warped: Tensor, source: Tensor, contours: Tensor) -> tuple[Tensor, Tensor]:
        """See `engines.networks.painter_network.PainterNetwork`."""
        residual = torch.tanh(self.net(torch.cat([warped - 0.5, source - 0.5, contours], 1)))
        lids = torch.maximum(contours[:, 0:1], contours[:, 2:3])
        return residual, spread(lids, self.crop_px // 8, self.crop_px // 13) * self.get_buffer("fade")
