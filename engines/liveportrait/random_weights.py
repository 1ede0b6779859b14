"""Weights made at random, with the published names and shapes: all that parity and tests need of weights."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import Tensor

from engines.liveportrait.folding import Weights
from engines.liveportrait.published_layout import published_layout
from facepuppet.core import F32

# What keeps pictures in range, keypoints apart, angles moderate: (part of a name, factor on its weights).
_QUIETER = (
    (".fc_exp", 0.1), (".fc_kp", 0.3), (".fc_t", 0.1), (".fc_scale", 0.1),
    ("mlp_gamma", 0.3), ("mlp_beta", 0.3), ("3dr", 0.4), (".mlp.", 0.3),
)  # fmt: skip
_POWER_STEPS = 3


def random_weights(seed: int, file: str) -> Weights:
    """Return the weights of one published file, the same on every machine.

    They keep a signal's size from layer to layer, so that each weight matters to what comes out.

    Args:
        seed: of numpy's generator, together with each name.
        file: one of `published_layout`.
    """
    weights: dict[str, Tensor] = {}
    for name, shape in published_layout()[file].items():
        source = np.random.default_rng([seed, zlib.crc32(f"{file}.{name}".encode())])
        values = source.standard_normal(shape, dtype=np.float32)
        weights[name] = torch.from_numpy(_scaled(name, values))
    for name in [name for name in weights if name.endswith("weight_u")]:
        _find_singular_vectors(weights, name.removesuffix("_u"))
    return weights


def _scaled(name: str, values: F32) -> F32:
    kind = name.rpartition(".")[2]
    quieter = next((factor for part, factor in _QUIETER if part in name), 1.0)
    if kind in ("running_mean", "beta"):
        return values * np.float32(0.1)
    if kind == "running_var":
        out: F32 = np.exp(values * np.float32(0.2))
        return out
    if kind in ("weight_u", "weight_v"):
        return values
    if kind == "bias":
        at = 1.0 if name.endswith("fc_scale.bias") else 0.0
        return np.float32(at) + values * np.float32(0.1 * min(quieter, 1))
    if values.ndim == 1 or kind == "gamma":  # of norms
        return 1 + values * np.float32(0.1)
    return values * np.float32(quieter * np.sqrt(2 / np.prod(values.shape[1:])))


def _find_singular_vectors(weights: dict[str, Tensor], name: str) -> None:
    """Let both vectors of a spectral norm point where training would have brought them (power iteration)."""
    flat, left = weights[f"{name}_orig"].flatten(1), weights[f"{name}_u"]
    right = weights[f"{name}_v"]
    for _ in range(_POWER_STEPS):
        right = torch.nn.functional.normalize(flat.T @ left, dim=0)
        left = torch.nn.functional.normalize(flat @ right, dim=0)
    weights[f"{name}_u"], weights[f"{name}_v"] = left, right
