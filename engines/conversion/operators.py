"""TFLite's own operators, each said in ONNX."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tflite

from engines.conversion.branches import BUNDLE, MEMBER
from engines.conversion.graph import GraphBuilder
from engines.conversion.tflite_file import Array, Operator

Translation = Callable[[GraphBuilder, Operator], str]

_CHANNELS_FIRST_AXIS = {0: 0, 1: 2, 2: 3, 3: 1}


def value(graph: GraphBuilder, tensor: int) -> str:
    """The ONNX value of a tensor, which becomes a weight of the file if it is constant."""
    if not graph.is_constant(tensor):
        return graph.name(tensor)
    array = graph.constant(tensor)
    return graph.weight(array.transpose(0, 3, 1, 2) if array.ndim == 4 else array)


def activated(graph: GraphBuilder, result: str, function: int) -> str:
    """Apply the activation that TFLite fused into an operator."""
    kinds = tflite.ActivationFunctionType
    if function == kinds.NONE:
        return result
    if function == kinds.RELU:
        return graph.add("Relu", [result])
    if function == kinds.RELU6:
        bounds = (graph.weight(np.array(bound, np.float32)) for bound in (0, 6))
        return graph.add("Clip", [result, *bounds])
    raise ValueError(f"fused activation {function} is not supported")


def same_pads(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after one axis for TFLite's padding SAME; the odd one comes after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _pads(
    graph: GraphBuilder, tensor: int, padding: int, kernel: tuple[int, int], strides: list[int]
) -> list[int]:
    """ONNX's pads (top, left, bottom, right), those of a PAD operator before it included."""
    top, left, bottom, right = graph.deferred_pads.get(tensor, (0, 0, 0, 0))
    if padding == tflite.Padding.SAME:
        _, height, width, _ = graph.shape(tensor)
        (a, c), (b, d) = (
            same_pads(n, k, s) for n, k, s in zip((height, width), kernel, strides, strict=True)
        )
        top, left, bottom, right = top + a, left + b, bottom + c, right + d
    return [top, left, bottom, right]


def _convolve(graph: GraphBuilder, operator: Operator, weights: Array, group: int) -> str:
    options, (picture, _, *bias) = operator.options, operator.inputs
    if options.DilationHFactor() != 1 or options.DilationWFactor() != 1:
        raise ValueError("dilated convolutions are not supported")
    strides = [options.StrideH(), options.StrideW()]
    kernel = (weights.shape[2], weights.shape[3])
    result = graph.add(
        "Conv",
        [graph.name(picture), graph.weight(weights), *(graph.weight(graph.constant(b)) for b in bias)],
        kernel_shape=list(kernel),
        strides=strides,
        pads=_pads(graph, picture, options.Padding(), kernel, strides),
        group=group,
    )
    return activated(graph, result, options.FusedActivationFunction())


def conv(graph: GraphBuilder, operator: Operator) -> str:
    """Convolution; weights (out, height, width, in)."""
    return _convolve(
        graph, operator, graph.constant(operator.inputs[1]).transpose(0, 3, 1, 2), operator.branches
    )


def depthwise(graph: GraphBuilder, operator: Operator) -> str:
    """Depthwise convolution; weights (1, height, width, out)."""
    channels = graph.shape(operator.inputs[0])[3]
    return _convolve(graph, operator, graph.constant(operator.inputs[1]).transpose(3, 0, 1, 2), channels)


def _pool(kind: str) -> Translation:
    def pool(graph: GraphBuilder, operator: Operator) -> str:
        options, picture = operator.options, operator.inputs[0]
        kernel = (options.FilterHeight(), options.FilterWidth())
        if kind == "AveragePool" and kernel == graph.shape(picture)[1:3]:
            return graph.add("GlobalAveragePool", [graph.name(picture)])
        strides = [options.StrideH(), options.StrideW()]
        pads = _pads(graph, picture, options.Padding(), kernel, strides)
        # ONNX leaves padding out of a mean, as TFLite does, unless told otherwise.
        result = graph.add(kind, [graph.name(picture)], kernel_shape=list(kernel), strides=strides, pads=pads)
        return activated(graph, result, options.FusedActivationFunction())

    return pool


def pad(graph: GraphBuilder, operator: Operator) -> str:
    """Zeros around a picture, which the convolutions that follow add themselves, or further channels."""
    picture, amounts = operator.inputs
    (before_n, after_n), (top, bottom), (left, right), (before_c, after_c) = graph.constant(amounts).tolist()
    readers = [o.kind for o in graph.network.operators if operator.outputs[0] in o.inputs]
    if (before_c, after_c) == (0, 0) and set(readers) <= {"CONV_2D", "DEPTHWISE_CONV_2D"}:
        graph.deferred_pads[operator.outputs[0]] = (top, left, bottom, right)
        return graph.name(picture)
    if (before_n, after_n, top, bottom, left, right, before_c) == (0, 0, 0, 0, 0, 0, 0):
        # A convolution with the identity keeps the blocked layout (see `prelu`).
        channels = graph.shape(picture)[3] // operator.branches
        identity = np.eye(channels + after_c, channels, dtype=np.float16)
        weights = np.tile(identity, (operator.branches, 1))[..., None, None]
        return graph.add("Conv", [graph.name(picture), graph.weight(weights)], group=operator.branches)
    pads = graph.ints(before_n, before_c, top, left, after_n, after_c, bottom, right)
    return graph.add("Pad", [graph.name(picture), pads])


def prelu(graph: GraphBuilder, operator: Operator) -> str:
    """Leaky ReLU with a slope for each channel; slopes (1, 1, channels).

    With slope a, it is x + s relu(-|1 - a| x), where s is -1 if a > 1 and else 1. As convolutions of one
    pixel of one channel each, that stays in the blocked layout in which ONNX Runtime's convolutions are fast;
    its PRelu leaves that layout, and takes two thirds of the landmark network's time.
    """
    picture, slopes = operator.inputs
    slope = graph.constant(slopes).reshape(-1, 1, 1, 1).astype(np.float32)
    group, source = len(slope), graph.name(picture)
    bent = graph.add("Relu", [graph.add("Conv", [source, graph.weight(-abs(1 - slope))], group=group)])
    sign = np.where(slope > 1, -1, 1).astype(np.float32)
    return graph.add("Add", [graph.add("Conv", [bent, graph.weight(sign)], group=group), source])


def _elementwise(kind: str) -> Translation:
    def elementwise(graph: GraphBuilder, operator: Operator) -> str:
        result = graph.add(kind, [value(graph, tensor) for tensor in operator.inputs])
        return activated(graph, result, operator.options.FusedActivationFunction())

    return elementwise


def _unary(kind: str) -> Translation:
    return lambda graph, operator: graph.add(kind, [graph.name(operator.inputs[0])])


def concatenate(graph: GraphBuilder, operator: Operator) -> str:
    """Join tensors along an axis."""
    rank = len(graph.shape(operator.outputs[0]))
    axis = operator.options.Axis() % rank
    axis = _CHANNELS_FIRST_AXIS[axis] if rank == 4 else axis
    return graph.add("Concat", [value(graph, tensor) for tensor in operator.inputs], axis=axis)


def resize(graph: GraphBuilder, operator: Operator) -> str:
    """Bilinear enlargement."""
    options = operator.options
    how = "align_corners" if options.AlignCorners() else "asymmetric"
    if options.HalfPixelCenters():
        how = "half_pixel"
    batch, height, width, channels = graph.shape(operator.outputs[0])
    return graph.add(
        "Resize",
        [graph.name(operator.inputs[0]), "", "", graph.ints(batch, channels, height, width)],
        mode="linear",
        coordinate_transformation_mode=how,
    )


def depth_to_space(graph: GraphBuilder, operator: Operator) -> str:
    """Spread channels over blocks of pixels; both formats take the block's place as the slower index."""
    return graph.add(
        "DepthToSpace",
        [graph.name(operator.inputs[0])],
        blocksize=operator.options.BlockSize(),
        mode="DCR",
    )


def reshape(graph: GraphBuilder, operator: Operator) -> str:
    """Other axes for the same values, which keep TFLite's order."""
    tensor, shape = operator.inputs[0], graph.shape(operator.outputs[0])
    source, result = graph.shape(tensor), graph.name(tensor)
    if len(source) == 4 and source[1:3] != (1, 1):
        result = graph.to_channels_last(result)
    if len(shape) != 4:
        return graph.add("Reshape", [result, graph.ints(*shape)])
    if shape[1:3] != (1, 1):
        raise ValueError(f"reshape to {shape} is not supported")
    return graph.add("Reshape", [result, graph.ints(shape[0], shape[3], 1, 1)])


def strided_slice(graph: GraphBuilder, operator: Operator) -> str:
    """Part of a tensor; only the whole occurs."""
    tensor, begin, _, strides = operator.inputs
    whole = graph.shape(tensor) == graph.shape(operator.outputs[0])
    if not whole or np.any(graph.constant(begin) != 0) or np.any(graph.constant(strides) != 1):
        raise ValueError("a slice that leaves something out is not supported")
    return graph.name(tensor)


def bundle(graph: GraphBuilder, operator: Operator) -> str:
    """Join tensors of alike branches (see `branches`)."""
    axis = 1 if len(graph.shape(operator.outputs[0])) == 4 else 0
    return graph.add("Concat", [graph.name(tensor) for tensor in operator.inputs], axis=axis)


def member(graph: GraphBuilder, operator: Operator) -> str:
    """Take one branch's tensor out of a bundle."""
    shape = graph.shape(operator.outputs[0])
    axis, extent = (1, shape[3]) if len(shape) == 4 else (0, shape[0])
    begin = operator.options * extent
    return graph.slice(graph.name(operator.inputs[0]), axis, begin, begin + extent)


TRANSLATIONS: dict[str, Translation] = {
    "CONV_2D": conv,
    "DEPTHWISE_CONV_2D": depthwise,
    "MAX_POOL_2D": _pool("MaxPool"),
    "AVERAGE_POOL_2D": _pool("AveragePool"),
    "PAD": pad,
    "PRELU": prelu,
    "ADD": _elementwise("Add"),
    "MUL": _elementwise("Mul"),
    "RELU": _unary("Relu"),
    "HARD_SWISH": _unary("HardSwish"),
    "LOGISTIC": _unary("Sigmoid"),
    "CONCATENATION": concatenate,
    "RESIZE_BILINEAR": resize,
    "DEPTH_TO_SPACE": depth_to_space,
    "RESHAPE": reshape,
    "STRIDED_SLICE": strided_slice,
    BUNDLE: bundle,
    MEMBER: member,
}
