"""Tiny networks with the names, inputs and outputs of LivePortrait's, which let a portrait through.

They are taught on one portrait: the motion network tells how it is turned, and where 21 of its landmarks are;
the warping moves the picture by the keypoints around; the decoder shows it. So a head that is asked for shows
the portrait as the built-in maker's geometry would, and what comes out can be judged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from facepuppet.frames.cpu.render import Renderer
from facepuppet.frames.generated.expression_probes import expression_probes
from facepuppet.frames.generated.face_crop import crop_of
from facepuppet.frames.generated.generated_head import shown_by
from facepuppet.frames.generated.motion_map import Poses
from facepuppet.inference import SIGNATURES
from facepuppet.portrait.avatar import Avatar

LANDMARKS = (1, 10, 152, 61, 291, 13, 14, 0, 17, 159, 145, 386, 374, 33, 263, 105, 334, 234, 454, 172, 397)
_LIDS, _LIPS = ((159, 386), (145, 374)), (14, 17)
_SIDE, _REACH = 256, 0.04
_POOLED = 32  # side of what the motion network sees
_POOL = _SIDE // _POOLED


def tiny_networks(avatar: Avatar, weights: Path | None = None) -> dict[str, bytes]:
    """Return every part, taught on one portrait as these painters show it; the shipped ones if None."""
    return _parts(*_taught(avatar, weights))


def untaught_networks() -> dict[str, bytes]:
    """Return every part, which has seen no portrait: to be opened and run, not to be looked at."""
    random = np.random.default_rng(1)
    return _parts(random.normal(0, 1e-3, (3 * _POOLED**2, 66)), random.normal(0, 0.3, (21, 3)), np.zeros(3))


def _parts(matrix: np.ndarray, canonical: np.ndarray, place: np.ndarray) -> dict[str, bytes]:
    return {
        "appearance": _appearance(),
        "motion": _motion(matrix, canonical, place),
        "warping": _warping(),
        "decoder": _decoder(),
        "stitching": _linear("stitching", _stitching()),
        "eyes": _linear("eyes", _lids()),
        "lips": _linear("lips", _lips()),
    }


def write_import(folder: Path, parts: Mapping[str, bytes]) -> Path:
    """Write an import as `facepuppet engines import` leaves it; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["format = 1"]
    for part, model in parts.items():
        (folder / f"{part}.onnx").write_bytes(model)
        inputs, outputs = SIGNATURES.get(part, ({}, {}))
        lines += [
            "[[generator]]",
            f'name = "liveportrait-{part}"',
            f'file = "{part}.onnx"',
            f'sha256 = "{hashlib.sha256(model).hexdigest()}"',
            f"size = {len(model)}",
            'licence = "MIT"',
            'origin = "a test"',
            'precision = "fp32"',
            f"inputs = {_table(inputs)}",
            f"outputs = {_table(outputs)}",
        ]
    (folder / "manifest.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder


def _table(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return "{ " + ", ".join(f"{name} = {list(shape)}" for name, shape in shapes.items()) + " }"


def _model(part: str, nodes: list, weights: Mapping[str, np.ndarray]) -> bytes:
    sides = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in side.items()]
        for side in SIGNATURES[part]
    ]
    kept = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, part, *sides, kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _node(kind: str, *sources: str, into: str | list[str], **attributes: object):
    return helper.make_node(kind, list(sources), [into] if isinstance(into, str) else into, **attributes)


def _ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def _appearance() -> bytes:
    size, room = 3 * _SIDE**2, 32 * 16 * 64 * 64
    weights = {"flat": _ints(1, size), "ends": _ints(0, 0, 0, room - size), "shape": _ints(1, 32, 16, 64, 64)}
    nodes = [
        _node("Reshape", "picture", "flat", into="row"),
        _node("Pad", "row", "ends", into="padded"),
        _node("Reshape", "padded", "shape", into="feature"),
    ]
    return _model("appearance", nodes, weights)


def _warping() -> bytes:
    """Each place moves as the keypoints around it do, the nearer ones more: inverse distance weighting."""
    size, room, cells = 3 * _SIDE**2, 256 * 64 * 64, 64
    places = (np.arange(cells, dtype=np.float32) + 0.5) * 2 / cells - 1
    xs, ys = np.meshgrid(places, places)
    base = np.stack([xs, ys], -1).reshape(1, -1, 1, 2)
    fine = (np.arange(_SIDE, dtype=np.float32) + 0.5) * 2 / _SIDE - 1
    grid = np.stack(np.meshgrid(fine, fine), -1)[None]
    weights = {
        "base": base,
        "fine": grid.astype(np.float32),
        "begin": _ints(0),
        "two": _ints(2),
        "last": _ints(2),  # the axis of x, y and z
        "size": _ints(size),
        "one": _ints(1),
        "all": _ints(1, 32 * 16 * 64 * 64),
        "picture": _ints(1, 3, _SIDE, _SIDE),
        "points": _ints(1, 1, len(LANDMARKS), 2),
        "reach": np.array([_REACH**2], np.float32),
        "steep": np.array([-2.0], np.float32),
        "cells": _ints(1, cells, cells, 2),
        "scales": np.array([1, 1, _SIDE / cells, _SIDE / cells], np.float32),
        "axis": _ints(-1),
        "row": _ints(1, size),
        "ends": _ints(0, 0, 0, room - size),
        "shape": _ints(1, 256, 64, 64),
    }
    nodes = [
        _node("Reshape", "feature", "all", into="padded_in"),
        _node("Slice", "padded_in", "begin", "size", "one", into="pixels"),
        _node("Reshape", "pixels", "picture", into="seen"),
        _node("Slice", "source_keypoints", "begin", "two", "last", into="from_xy"),
        _node("Slice", "driving_keypoints", "begin", "two", "last", into="to_xy"),
        _node("Sub", "from_xy", "to_xy", into="moves"),
        _node("Reshape", "to_xy", "points", into="to_points"),
        _node("Sub", "base", "to_points", into="apart"),
        _node("Mul", "apart", "apart", into="squares"),
        _node("ReduceSum", "squares", "axis", into="distance", keepdims=0),
        _node("Add", "distance", "reach", into="softened"),
        _node("Pow", "softened", "steep", into="near"),
        _node("ReduceSum", "near", "axis", into="sum", keepdims=1),
        _node("Div", "near", "sum", into="share"),
        _node("MatMul", "share", "moves", into="flow"),
        _node("Reshape", "flow", "cells", into="flow_cells"),
        _node("Transpose", "flow_cells", into="flow_planes", perm=[0, 3, 1, 2]),
        _node("Resize", "flow_planes", "", "scales", into="flow_fine", mode="linear"),
        _node("Transpose", "flow_fine", into="flow_pixels", perm=[0, 2, 3, 1]),
        _node("Add", "fine", "flow_pixels", into="grid"),
        _node("GridSample", "seen", "grid", into="moved", padding_mode="border", align_corners=0),
        _node("Reshape", "moved", "row", into="moved_row"),
        _node("Pad", "moved_row", "ends", into="padded_out"),
        _node("Reshape", "padded_out", "shape", into="warped"),
    ]
    return _model("warping", nodes, weights)


def _decoder() -> bytes:
    size = 3 * _SIDE**2
    weights = {
        "all": _ints(1, 256 * 64 * 64),
        "begin": _ints(0),
        "size": _ints(size),
        "one": _ints(1),
        "picture_shape": _ints(1, 3, _SIDE, _SIDE),
        "scales": np.array([1, 1, 2, 2], np.float32),
    }
    nodes = [
        _node("Reshape", "warped", "all", into="row"),
        _node("Slice", "row", "begin", "size", "one", into="pixels"),
        _node("Reshape", "pixels", "picture_shape", into="small"),
        _node("Resize", "small", "", "scales", into="picture", mode="linear"),
    ]
    return _model("decoder", nodes, weights)


def _taught(avatar: Avatar, painters: Path | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ridge regression from small pictures of every probe to what the portrait does in it.

    Returns:
        (3072, 66) the regression; (21, 3) the portrait's landmarks about its pivot; (3,) where that lies.
    """
    renderer, crop, motions = Renderer(avatar, painters, "cpu"), crop_of(avatar.landmarks_px), []
    pictures, told = [], []
    pivot_px, unit_px = avatar.head_pivot_px.astype(np.float64), crop.side_px / 2
    for motion in expression_probes(avatar):
        motions.append(motion)
        poses = Poses(motions[0], pivot_px, unit_px)
        small = crop.cut(shown_by(renderer, avatar, motion)).astype(np.float64) / 255
        small = small.reshape(_POOLED, _POOL, _POOLED, _POOL, 3).mean((1, 3))
        pictures.append(small.transpose(2, 0, 1).ravel())
        offsets = poses.of(motion).offsets.reshape(-1, 3)[list(LANDMARKS)]
        told.append(np.concatenate([angles_of(motion.head.rotation), offsets.ravel()]))
    seen, wanted = np.stack(pictures), np.stack(told)
    products = seen @ seen.T
    dual = np.linalg.solve(products + 1e-6 * np.trace(products) / len(seen) * np.eye(len(seen)), wanted)
    canonical = (Poses(motions[0], pivot_px, unit_px).still(motions[0]) - pivot_px)[list(LANDMARKS)] / unit_px
    turned = np.linalg.inv(crop.portrait_from_crop[:, :2] / unit_px)
    place = turned @ (pivot_px[:2] - crop.portrait_from_crop[:, 2]) / unit_px
    return seen.T @ dual, canonical, np.append(place, 0.0)


def _motion(matrix: np.ndarray, canonical: np.ndarray, place: np.ndarray) -> bytes:
    weights = {
        "matrix": matrix.astype(np.float32),
        "flat": _ints(1, 3 * _POOLED**2),
        "sizes": _ints(1, 1, 1, 3 * len(LANDMARKS)),
        "points": _ints(1, len(LANDMARKS), 3),
        "canonical": canonical[None].astype(np.float32),
        "place": place[None].astype(np.float32),
        "unit": np.ones((1, 1), np.float32),
    }
    nodes = [
        _node("AveragePool", "picture", into="small", kernel_shape=[_POOL] * 2, strides=[_POOL] * 2),
        _node("Reshape", "small", "flat", into="row"),
        _node("MatMul", "row", "matrix", into="told"),
        _node("Split", "told", "sizes", into=["pitch", "yaw", "roll", "offsets"], axis=1),
        _node("Reshape", "offsets", "points", into="expression"),
        _node("Identity", "canonical", into="keypoints"),
        _node("Identity", "place", into="translation"),
        _node("Identity", "unit", into="scale"),
    ]
    return _model("motion", nodes, weights)


def angles_of(rotation: np.ndarray) -> np.ndarray:
    """Pitch, yaw and roll with which the network's Rz(roll) Ry(yaw) Rx(pitch) is this rotation."""
    return np.array(
        [
            np.arctan2(rotation[2, 1], rotation[2, 2]),
            -np.arcsin(np.clip(rotation[2, 0], -1, 1)),
            np.arctan2(rotation[1, 0], rotation[0, 0]),
        ]
    )


def _linear(part: str, matrix: np.ndarray) -> bytes:
    nodes = [_node("MatMul", "keypoints", "matrix", into="change")]
    return _model(part, nodes, {"matrix": matrix.astype(np.float32)})


def _stitching() -> np.ndarray:
    """A hundredth of how far each driving keypoint is from its source, the other way."""
    n = 3 * len(LANDMARKS)
    matrix = np.zeros((2 * n, n + 2))
    matrix[:n, :n], matrix[n:, :n] = 0.01 * np.eye(n), -0.01 * np.eye(n)
    return matrix


def _lids() -> np.ndarray:
    """The upper lids go down, and the lower ones up, by about what the ratio says."""
    n, width = 3 * len(LANDMARKS), 0.2
    matrix = np.zeros((n + 3, n))
    for sign, lids in zip((-0.8, 0.2), _LIDS, strict=True):
        for landmark in lids:
            y = 3 * LANDMARKS.index(landmark) + 1
            matrix[n : n + 2, y], matrix[n + 2, y] = -0.5 * sign * width, sign * width
    return matrix


def _lips() -> np.ndarray:
    """The lower lip goes down with the ratio."""
    n = 3 * len(LANDMARKS)
    matrix = np.zeros((n + 2, n))
    for landmark in _LIPS:
        y = 3 * LANDMARKS.index(landmark) + 1
        matrix[n, y], matrix[n + 1, y] = -0.3, 0.3
    return matrix


def answering_nan(model: bytes) -> bytes:
    """Multiply the last output of a network with NaN."""
    loaded = onnx.load_model_from_string(model)
    graph = loaded.graph
    last = graph.output[-1].name
    for node in graph.node:
        for i, name in enumerate(node.output):
            if name == last:
                node.output[i] = "right"
    graph.initializer.append(numpy_helper.from_array(np.array([np.nan], np.float32), "nan"))
    graph.node.append(helper.make_node("Mul", ["right", "nan"], [last]))
    return bytes(loaded.SerializeToString())
