"""MediaPipe's custom operators, each said in plain ONNX.

What they compute: mediapipe/util/tflite/operations in MediaPipe's sources. A 4x4 matrix maps (x, y, 0, 1)
of a cut-out to the picture it is cut from; only its first two rows are ever read.
"""

from __future__ import annotations

import struct

import numpy as np
from onnx import TensorProto

from engines.conversion.graph import GraphBuilder
from engines.conversion.operators import Translation
from engines.conversion.tflite_file import Operator

_SMALLEST = 1e-6  # of the distance that gives a direction


def landmarks_to_transform_matrix(graph: GraphBuilder, operator: Operator) -> str:
    """The upright box around some landmarks, turned with the line between two of them: (k, 4, 4).

    Landmarks (k, 468, 3), one set for each of k branches, are turned by -atan2 of that line, boxed, enlarged,
    and turned back. The angle itself is never needed: its cosine and sine are the line's direction.
    """
    branches = operator.options if isinstance(operator.options, list) else [operator.options]
    if any(options["target_rotation_radians"] != 0 for options in branches):
        raise ValueError("a target rotation other than 0 is not supported")
    k, n, _ = graph.shape(operator.inputs[0])
    points = graph.slice(graph.name(operator.inputs[0]), 2, 0, 2)
    points = graph.add("Reshape", [points, graph.ints(k * n, 2)])
    ends = _rows_of(graph, points, n, [[o["left_rotation_idx"], o["right_rotation_idx"]] for o in branches])
    line = graph.add("Sub", [graph.slice(ends, 1, 1, 2), graph.slice(ends, 1, 0, 1)])  # (k, 1, 2)
    length = graph.add("ReduceL2", [line], axes=[2], keepdims=1)
    direction = graph.add("Div", [line, graph.add("Max", [length, graph.scalars(_SMALLEST)])])
    # The matrix that turns the line level, transposed, as points are rows here: [[cos, -sin], [sin, cos]].
    spread = graph.weight(np.array([[1, 0, 0, 1], [0, -1, 1, 0]], np.float32))
    level = graph.add("Reshape", [graph.add("MatMul", [direction, spread]), graph.ints(k, 2, 2)])
    most = max(len(o["subset_idxs"]) for o in branches)  # a landmark that counts twice changes no box
    chosen = [
        list(o["subset_idxs"]) + [o["subset_idxs"][0]] * (most - len(o["subset_idxs"])) for o in branches
    ]
    turned = graph.add("MatMul", [_rows_of(graph, points, n, chosen), level])
    high, low = (graph.add(f"Reduce{end}", [turned], axes=[1], keepdims=1) for end in ("Max", "Min"))
    middle = graph.add("Mul", [graph.add("Add", [high, low]), graph.scalars(0.5)])
    centre = graph.add("MatMul", [middle, graph.add("Transpose", [level], perm=[0, 2, 1])])  # (k, 1, 2)
    sides = np.array([[o["output_width"], o["output_height"]] for o in branches], np.float32)
    enlarged = np.array([[o["scale_x"], o["scale_y"]] for o in branches], np.float32)
    share = graph.weight((enlarged / sides)[:, None])
    scale = graph.add("Mul", [graph.add("Sub", [high, low]), share])  # (k, 1, 2)
    linear = graph.add("Mul", [level, scale])  # (k, 2, 2): turns back, then columns are scaled
    to_corner = graph.add("MatMul", [linear, graph.weight(-sides[..., None] / 2)])
    origin = graph.add("Add", [graph.add("Transpose", [centre], perm=[0, 2, 1]), to_corner])
    zeros = graph.weight(np.zeros((k, 2, 1), np.float32))
    rows = graph.add("Concat", [linear, zeros, origin], axis=2)  # (k, 2, 4)
    rest = graph.weight(np.tile(np.array([[0, 0, 1, 0], [0, 0, 0, 1]], np.float32), (k, 1, 1)))
    return graph.add("Concat", [rows, rest], axis=1)


def _rows_of(graph: GraphBuilder, points: str, n: int, chosen: list[list[int]]) -> str:
    """Some of n points of each of k sets: (k n, 2) to (k, m, 2)."""
    rows = np.array(chosen, np.int64) + n * np.arange(len(chosen))[:, None]
    return graph.add("Gather", [points, graph.weight(rows)], axis=0)


def transform_tensor_bilinear(graph: GraphBuilder, operator: Operator) -> str:
    """Cut k windows out of a picture, bilinearly; pixels have their centres at halves. Outside it is 0.

    Written as rows gathered and weighted, which ONNX Runtime does in a third of the time of its GridSample.
    """
    picture, matrix = operator.inputs
    k, width, height = operator.branches, operator.options["output_width"], operator.options["output_height"]
    _, source_height, source_width, channels = graph.shape(picture)
    n = k * height * width
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    centres = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)[None]
    places = _mapped(graph, graph.weight(centres), graph.name(matrix))  # (k, h w, 2)
    places = graph.add("Reshape", [places, graph.ints(n, 1, 2)])
    places = graph.add("Sub", [places, graph.scalars(0.5)])  # in indices of pixels
    last = graph.scalars(source_width - 1, source_height - 1)
    held = graph.add("Min", [graph.add("Max", [places, graph.scalars(0.0)]), last])
    low = graph.add("Floor", [held])  # (n, 1, 2)
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
    neighbours = graph.add("Min", [graph.add("Add", [low, graph.weight(corners)]), last])  # (n, 4, 2)
    rows = graph.add("Mul", [neighbours, graph.scalars(1, source_width)])
    rows = graph.add("ReduceSum", [rows, graph.ints(2)], keepdims=0)
    rows = graph.add("Cast", [rows], to=TensorProto.INT64)  # (n, 4)
    pixels = graph.to_channels_last(graph.name(picture))
    pixels = graph.add("Reshape", [pixels, graph.ints(source_height * source_width, channels)])
    gathered = graph.add("Gather", [pixels, rows], axis=0)  # (n, 4, channels)
    shares = graph.add("Sub", [graph.weight(1 - corners), graph.add("Sub", [held, low])])
    shares = graph.add("ReduceProd", [graph.add("Abs", [shares])], axes=[2], keepdims=0)  # (n, 4)
    # MediaPipe drops a pixel altogether as soon as its place leaves the picture.
    outside = graph.add("Abs", [graph.add("Sub", [places, held])])
    inside = graph.add("Equal", [graph.add("ReduceMax", [outside], axes=[2], keepdims=0), graph.scalars(0.0)])
    shares = graph.add("Mul", [shares, graph.add("Cast", [inside], to=TensorProto.FLOAT)])
    shares = graph.add("Reshape", [shares, graph.ints(n, 4, 1)])
    window = graph.add("ReduceSum", [graph.add("Mul", [gathered, shares]), graph.ints(1)], keepdims=0)
    window = graph.to_channels_first(graph.add("Reshape", [window, graph.ints(k, height, width, channels)]))
    return graph.add("Reshape", [window, graph.ints(1, k * channels, height, width)])


def transform_landmarks(graph: GraphBuilder, operator: Operator) -> str:
    """Carry (1, n, 2) points from a window to the picture it was cut from."""
    points, matrix = operator.inputs
    return _mapped(graph, graph.name(points), graph.name(matrix))


def convolution_2d_transpose_bias(graph: GraphBuilder, operator: Operator) -> str:
    """Transposed convolution whose windows do not overlap: a 1x1 convolution to blocks of pixels."""
    picture, weights, bias = operator.inputs
    _, stride_width, stride_height = struct.unpack("<3i", operator.options)
    kernel = graph.constant(weights)  # (out, height, width, in)
    channels, height, width, _ = kernel.shape
    if not height == width == stride_width == stride_height:
        raise ValueError(
            f"a kernel of {height} x {width} with strides {stride_height} x {stride_width} overlaps"
        )
    # DepthToSpace (DCR) takes the block's row and column as the slower indices, then the channel.
    blocks = kernel.transpose(1, 2, 0, 3).reshape(height * width * channels, -1, 1, 1)
    biases = np.tile(graph.constant(bias), height * width)
    result = graph.add("Conv", [graph.name(picture), graph.weight(blocks), graph.weight(biases)])
    return graph.add("DepthToSpace", [result], blocksize=height, mode="DCR")


def _mapped(graph: GraphBuilder, points: str, matrix: str) -> str:
    """Points (1 or k, n, 2) through the first two rows of (k, 4, 4) matrices."""
    rows = graph.slice(matrix, 1, 0, 2)
    linear = graph.add("Transpose", [graph.slice(rows, 2, 0, 2)], perm=[0, 2, 1])
    shift = graph.add("Transpose", [graph.slice(rows, 2, 3, 4)], perm=[0, 2, 1])
    return graph.add("Add", [graph.add("MatMul", [points, linear]), shift])


TRANSLATIONS: dict[str, Translation] = {
    "Landmarks2TransformMatrix": landmarks_to_transform_matrix,
    "TransformTensorBilinear": transform_tensor_bilinear,
    "TransformLandmarks": transform_landmarks,
    "Convolution2DTransposeBias": convolution_2d_transpose_bias,
}
