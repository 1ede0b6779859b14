"""The seven networks as ONNX files: what goes in, what comes out, from which weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from engines.liveportrait.appearance_part import AppearancePart
from engines.liveportrait.decoder_part import DecoderPart
from engines.liveportrait.folding import Weights
from engines.liveportrait.heads_part import HeadPart
from engines.liveportrait.motion_part import MotionPart
from engines.liveportrait.published_layout import CHANNELS, DEPTH, HEADS, KEYPOINTS, SIDE, WARPED
from engines.liveportrait.warping_part import WarpingPart
from engines.onnx_entry import parity, to_onnx

PARITY = 1e-4  # largest difference between torch and ONNX Runtime
Shapes = Mapping[str, tuple[int, ...]]

_PICTURE = {"picture": (1, 3, 256, 256)}
_FEATURE = {"feature": (1, CHANNELS, DEPTH, SIDE, SIDE)}
_WARPED = {"warped": (1, WARPED, SIDE, SIDE)}
_POINTS = (1, KEYPOINTS, 3)


@dataclass(frozen=True, slots=True)
class Part:
    """One of the networks.

    Attributes:
        name: of its file, less ".onnx".
        weights: published file that its weights come from.
        build: the network, from those.
        inputs: shapes by name; pictures are RGB in 0..1.
        outputs: the same.
        half: a GPU may run it in fp16 (if the gate agrees): what comes out is a picture.
    """

    name: str
    weights: str
    build: Callable[[Weights], nn.Module]
    inputs: Shapes
    outputs: Shapes
    half: bool = False


def _head(name: str, head: str, given: str, answered: str) -> Part:
    file, widths = "stitching_retargeting_module", HEADS[head]
    return Part(
        name, file, lambda weights: HeadPart(weights, head),
        {given: (1, widths[0])}, {answered: (1, widths[-1])},
    )  # fmt: skip


PARTS = (
    Part("appearance", "appearance_feature_extractor", AppearancePart, _PICTURE, _FEATURE),
    Part(
        "motion", "motion_extractor", MotionPart, _PICTURE,
        {"pitch": (1, 1), "yaw": (1, 1), "roll": (1, 1), "translation": (1, 3), "expression": _POINTS,
         "scale": (1, 1), "keypoints": _POINTS},
    ),
    Part(
        "warping", "warping_module", WarpingPart,
        {**_FEATURE, "source_keypoints": _POINTS, "driving_keypoints": _POINTS}, _WARPED,
    ),
    Part("decoder", "spade_generator", DecoderPart, _WARPED, {"picture": (1, 3, 512, 512)}, half=True),
    _head("stitching", "retarget_shoulder", "keypoints", "change"),
    _head("eyes", "retarget_eye", "keypoints", "change"),
    _head("lips", "retarget_mouth", "keypoints", "change"),
)  # fmt: skip


def example_inputs(part: Part, seed: int) -> dict[str, Tensor]:
    """Return inputs as they may occur: pictures in 0..1, keypoints within the volume and near each other.

    Args:
        part: whose.
        seed: of numpy's generator.
    """
    source = np.random.default_rng(seed)
    made: dict[str, np.ndarray] = {}  # type: ignore[type-arg]
    for name, shape in part.inputs.items():
        if name == "picture":
            made[name] = source.random(shape)
        elif name == "driving_keypoints":
            made[name] = made["source_keypoints"] + source.normal(0, 0.1, shape)
        elif "keypoints" in name:
            made[name] = source.uniform(-0.7, 0.7, shape)
        else:
            made[name] = source.normal(0, 1, shape)
    return {name: torch.from_numpy(values.astype(np.float32)) for name, values in made.items()}


def export(part: Part, weights: Weights) -> bytes:
    """Return a part as an ONNX file, tried on ONNX Runtime.

    Raises:
        ValueError: torch and ONNX Runtime differ by more than PARITY.
    """
    network = part.build(weights).eval()
    inputs = example_inputs(part, 0)
    data = _with_shapes(to_onnx(network, inputs, list(part.outputs)), part)
    difference = parity(network, data, [inputs])
    if not difference <= PARITY:  # NaN, too
        raise ValueError(f"{part.name} differs by {difference:.1e} between torch and ONNX Runtime")
    return data


def _with_shapes(data: bytes, part: Part) -> bytes:
    """Write the shapes of what comes out, which the exporter cannot always tell."""
    model = onnx.load_from_string(data)
    for value in model.graph.output:
        dims = value.type.tensor_type.shape.dim
        for dim, side in zip(dims, part.outputs[value.name], strict=True):
            dim.dim_value = side
    return bytes(model.SerializeToString())
