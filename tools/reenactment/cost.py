"""What the painters cost: multiply-accumulates by shape inference, milliseconds by the clock."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from facepuppet.core import Motion, describe_hardware
from facepuppet.frames import PainterPool, Warp, load_painters
from facepuppet.inference import read_manifest, read_verified
from facepuppet.portrait import Avatar

PASSES = {"mouth": 1, "eye": 2, "frame": 1}  # how often a region's network runs in one frame
WARM_UP = 5


def measure_cost(engines: Path, avatar: Avatar, motions: Sequence[Motion]) -> dict[str, Any]:
    """MACs of each network, and the time of all painters together over motions of one portrait.

    Returns:
        `networks`: name to MMAC a frame, `mmac`: their sum, `kilobytes` of all files; `median_ms` and
        `p95_ms` a frame, `frames` timed, `picture_px`, `cpu` and `cores` used.
    """
    networks = read_manifest(engines)
    macs = {n.name: PASSES[n.region] * count_macs(read_verified(n)) / 1e6 for n in networks}
    painters, problems = load_painters(avatar, engines)
    painter_pool, warp, times_ms = PainterPool(painters), Warp(avatar), []
    for motion in motions:
        rgba = warp.render(motion)
        for painter in painters:
            painter.forget()  # what a frame costs on which every network runs
        start_s = time.perf_counter()
        painter_pool.paint(rgba, motion)
        times_ms.append(1e3 * (time.perf_counter() - start_s))
    hardware = describe_hardware()
    return {
        "networks_mmac": macs,
        "mmac": sum(macs.values()),
        "kilobytes": sum(n.path.stat().st_size for n in networks) / 1e3,
        "median_ms": float(np.median(times_ms[WARM_UP:])),
        "p95_ms": float(np.percentile(times_ms[WARM_UP:], 95)),
        "frames": len(times_ms) - WARM_UP,
        "picture_px": list(avatar.size_px),
        "cpu": hardware.cpu,
        "cores": hardware.cores,
        "problems": problems,
    }


def count_macs(network: bytes) -> int:
    """Multiply-accumulates of the convolutions and matrix products of an ONNX network.

    Dimensions left open (the batch) count as 1.
    """
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(network), strict_mode=True)
    graph = model.graph
    shapes = {value.name: _shape(value) for value in (*graph.value_info, *graph.input, *graph.output)}
    shapes |= {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    return sum(_macs(node, shapes) for node in graph.node)


def _macs(node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]]) -> int:
    if node.op_type == "Conv":  # weights are (out, in / groups, *kernel)
        return prod(shapes[node.output[0]]) * prod(shapes[node.input[1]][1:])
    if node.op_type == "ConvTranspose":  # weights are (in, out / groups, *kernel)
        return prod(shapes[node.input[0]]) * prod(shapes[node.input[1]][1:])
    if node.op_type in ("Gemm", "MatMul"):
        turned = any(a.name == "transA" and a.i for a in node.attribute)
        return prod(shapes[node.output[0]]) * shapes[node.input[0]][-2 if turned else -1]
    return 0


def _shape(value: onnx.ValueInfoProto) -> tuple[int, ...]:
    return tuple(d.dim_value if d.HasField("dim_value") else 1 for d in value.type.tensor_type.shape.dim)
