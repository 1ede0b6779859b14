"""Reads a TFLite file: its operators in order, and its constants as plain arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from flatbuffers import flexbuffers

Array = np.ndarray[Any, Any]

_DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
}
_INDEX_DTYPES = {1: np.int32, 2: np.uint16, 3: np.uint8}  # SparseIndexVector: Int32, Uint16, Uint8
_INDEX_TABLES = {1: tflite.Int32Vector, 2: tflite.Uint16Vector, 3: tflite.Uint8Vector}
_SPARSE_CSR = 1


@dataclass(frozen=True, slots=True)
class Operator:
    """One step of a network.

    Attributes:
        kind: TFLite's name of it, e.g. "CONV_2D", or a custom operator's own name.
        inputs: numbers of the tensors it reads; -1 where an optional one is left out.
        outputs: numbers of the tensors it writes.
        options: its attributes: a table of the `tflite` package, a dict, the bytes of a custom operator that
            wrote no dict, or None.
        branches: how many alike operators were bundled into this one (see `branches`).
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any
    branches: int = 1


@dataclass(frozen=True, slots=True)
class TfliteNetwork:
    """What is in a TFLite file.

    Attributes:
        operators: in an order in which they can run.
        constants: value of each constant tensor by number, sparse ones made dense, fp16 kept.
        shapes: shape of every tensor, as TFLite orders it: (batch, height, width, channels).
        names: name of every tensor.
        inputs, outputs: numbers of the network's own tensors.
    """

    operators: tuple[Operator, ...]
    constants: dict[int, Array]
    shapes: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_tflite(path: Path) -> TfliteNetwork:
    """Read a TFLite file of one subgraph.

    Raises:
        ValueError: it is no such file.
    """
    data = path.read_bytes()
    if data[4:8] != b"TFL3":
        raise ValueError(f"{path} is no TFLite file (its identifier is {data[4:8]!r}, not b'TFL3')")
    model = tflite.Model.GetRootAs(data)
    if model.SubgraphsLength() != 1:
        raise ValueError(f"{path} has {model.SubgraphsLength()} subgraphs, 1 was expected")
    graph = model.Subgraphs(0)
    tensors = [graph.Tensors(i) for i in range(graph.TensorsLength())]
    constants = {i: value for i, t in enumerate(tensors) if (value := _constant(model, t)) is not None}
    return TfliteNetwork(
        operators=tuple(_operator(model, graph.Operators(i)) for i in range(graph.OperatorsLength())),
        constants=constants,
        shapes=tuple(_shape(t) for t in tensors),
        names=tuple(t.Name().decode() for t in tensors),
        inputs=tuple(int(i) for i in graph.InputsAsNumpy()),
        outputs=tuple(int(i) for i in graph.OutputsAsNumpy()),
    )


def _shape(tensor: tflite.Tensor) -> tuple[int, ...]:
    return tuple(int(n) for n in tensor.ShapeAsNumpy()) if tensor.ShapeLength() else ()


def _operator(model: tflite.Model, operator: tflite.Operator) -> Operator:
    code = model.OperatorCodes(operator.OpcodeIndex())
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())  # old files use the narrower field
    kind = (
        code.CustomCode().decode() if number == tflite.BuiltinOperator.CUSTOM else tflite.opcode2name(number)
    )
    return Operator(
        kind,
        tuple(int(i) for i in operator.InputsAsNumpy()),
        tuple(int(i) for i in operator.OutputsAsNumpy()),
        _options(kind, operator),
    )


_OPTION_TABLES: dict[str, Callable[[], Any]] = {
    "CONV_2D": tflite.Conv2DOptions,
    "DEPTHWISE_CONV_2D": tflite.DepthwiseConv2DOptions,
    "MAX_POOL_2D": tflite.Pool2DOptions,
    "AVERAGE_POOL_2D": tflite.Pool2DOptions,
    "ADD": tflite.AddOptions,
    "MUL": tflite.MulOptions,
    "CONCATENATION": tflite.ConcatenationOptions,
    "RESIZE_BILINEAR": tflite.ResizeBilinearOptions,
    "DEPTH_TO_SPACE": tflite.DepthToSpaceOptions,
}


def _options(kind: str, operator: tflite.Operator) -> Any:
    if operator.CustomOptionsLength():
        raw = bytes(operator.CustomOptionsAsNumpy())
        # Convolution2DTransposeBias keeps a C struct there, the others a flexbuffer.
        return raw if kind == "Convolution2DTransposeBias" else flexbuffers.Loads(raw)
    table = operator.BuiltinOptions()
    if table is None or kind not in _OPTION_TABLES:
        return None
    options = _OPTION_TABLES[kind]()
    options.Init(table.Bytes, table.Pos)
    return options


def _constant(model: tflite.Model, tensor: tflite.Tensor) -> Array | None:
    buffer = model.Buffers(tensor.Buffer())
    if not buffer.DataLength() or tensor.Type() not in _DTYPES:
        return None
    values = buffer.DataAsNumpy().view(_DTYPES[tensor.Type()])
    sparsity = tensor.Sparsity()
    if sparsity is not None:
        return _densify(values, sparsity, _shape(tensor))
    return np.asarray(values.reshape(_shape(tensor)))


def _densify(values: Array, sparsity: tflite.SparsityParameters, shape: tuple[int, ...]) -> Array:
    """Write sparse values where they belong.

    Format: TFLite's schema, SparsityParameters: levels are walked in the traversal order; a dense level
    visits all of its indices, a compressed one those listed between two segment offsets. No file read here
    has blocks.
    """
    if sparsity.BlockMapLength():
        raise ValueError("sparse tensors in blocks are not supported")
    order = [int(axis) for axis in sparsity.TraversalOrderAsNumpy()]
    levels = [sparsity.DimMetadata(i) for i in range(sparsity.DimMetadataLength())]
    dense = np.zeros(shape, values.dtype)
    # Position of each path so far in its level, and the indices that led there.
    nodes: list[tuple[int, tuple[int, ...]]] = [(0, ())]
    for level in levels:
        if level.Format() == _SPARSE_CSR:
            segments = _indices(level.ArraySegmentsType(), level.ArraySegments())
            indices = _indices(level.ArrayIndicesType(), level.ArrayIndices())
            nodes = [
                (k, (*path, int(indices[k])))
                for position, path in nodes
                for k in range(int(segments[position]), int(segments[position + 1]))
            ]
        else:
            size = level.DenseSize()
            nodes = [(position * size + k, (*path, k)) for position, path in nodes for k in range(size)]
    for position, path in nodes:
        index = [0] * len(shape)
        for axis, coordinate in zip(order, path, strict=True):
            index[axis] = coordinate
        dense[tuple(index)] = values[position]
    return dense


def _indices(kind: int, table: Any) -> Array:
    vector = _INDEX_TABLES[kind]()
    vector.Init(table.Bytes, table.Pos)
    return np.asarray(vector.ValuesAsNumpy(), _INDEX_DTYPES[kind])
