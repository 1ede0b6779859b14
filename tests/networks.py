"""Small painter networks with real weights, and manifests that name them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 64


def unet(side: int = SIDE, width: int = 8, seed: int = 0, gain: float = 1.0, contours: int = 4) -> bytes:
    """A U-Net of one level with plain operators and random weights, of a painter's signature.

    Args:
        side: of the crop.
        width: channels.
        seed: of the weights.
        gain: on the first convolution; large ones leave the range of fp16.
        contours: channels of that input.
    """
    random = np.random.default_rng(seed)
    weights: dict[str, np.ndarray] = {"scales": np.array([1, 1, 2, 2], np.float32)}

    def conv(source: str, into: str, n_in: int, n_out: int, stride: int = 1, scale: float = 1.0):
        weights[f"{into}_w"] = random.normal(0, scale / np.sqrt(9 * n_in), (n_out, n_in, 3, 3)).astype(
            np.float32
        )
        return helper.make_node(
            "Conv", [source, f"{into}_w"], [into], strides=[stride] * 2, pads=[1] * 4, kernel_shape=[3, 3]
        )

    def node(kind: str, *sources: str, into: str, **attributes):
        return helper.make_node(kind, list(sources), [into], **attributes)

    weights["shrink"] = np.array([1 / gain], np.float32)
    nodes = [
        node("Concat", "warped", "source", "contours", into="all", axis=1),
        conv("all", "a", 6 + contours, width, scale=gain),
        node("Relu", "a", into="a_on"),
        conv("a_on", "b", width, 2 * width, 2),
        node("Relu", "b", into="b_on"),
        node("Resize", "b_on", "", "scales", into="up", mode="linear"),
        node("Concat", "up", "a_on", into="both", axis=1),
        node("Mul", "both", "shrink", into="shrunk"),
        conv("shrunk", "c", 3 * width, 3),
        conv("shrunk", "d", 3 * width, 1),
        node("Tanh", "c", into="residual"),
        node("Sigmoid", "d", into="mask"),
    ]
    return _model(nodes, weights, side, contours)


def mover(side: int = SIDE) -> bytes:
    """A network that samples the picture through a grid it computes: motion flows in it."""
    weights = {
        "one": np.array([0.999], np.float32),
        "from": np.array([0]), "to": np.array([1]), "axis": np.array([1]),
    }  # fmt: skip
    ys, xs = np.meshgrid(*[np.linspace(-1, 1, side, dtype=np.float32)] * 2, indexing="ij")
    weights["base"] = np.stack([xs, ys], -1)[None]
    nodes = [
        helper.make_node("Mul", ["base", "one"], ["grid"], name="the grid"),
        helper.make_node("GridSample", ["warped", "grid"], ["moved"], name="the sampling", align_corners=1),
        helper.make_node("Sub", ["moved", "source"], ["residual"], name="the residual"),
        helper.make_node("Slice", ["contours", "from", "to", "axis"], ["mask"], name="the mask"),
    ]
    return _model(nodes, weights, side, 4)


def write_manifest(folder: Path, model: bytes | None = None, **changes: object) -> Path:
    """Write a manifest with one network called mouth; returns the folder."""
    data = unet() if model is None else model
    entry = {
        "name": "mouth", "file": "mouth.onnx", "sha256": hashlib.sha256(data).hexdigest(), "region": "mouth",
        "crop_px": SIDE, "reach": 1.8, "licence": "Apache-2.0", "origin": "a test",
    } | changes  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / str(entry["file"])).write_bytes(data)
    lines = ["format = 1", "[[network]]"]
    lines += [f"{k} = {v!r}".replace("'", '"') for k, v in entry.items()]
    (folder / "manifest.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder


def _model(nodes, weights: dict[str, np.ndarray], side: int, contours: int) -> bytes:
    planes = [1, 3, side, side]
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, planes) for n in ("warped", "source")]
    inputs.append(helper.make_tensor_value_info("contours", TensorProto.FLOAT, [1, contours, side, side]))
    outputs = [
        helper.make_tensor_value_info("residual", TensorProto.FLOAT, planes),
        helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 1, side, side]),
    ]
    initializers = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "painter", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
