"""Half precision where it is safe, as casts inside the ONNX graph.

TensorRT 11 and TensorRT-RTX take precision from the graph alone (strong typing; the builder's FP16
flag is gone), and TensorRT 10 can be told to. So one converted graph serves them all, and ONNX
Runtime can check it on any machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from facepuppet.errors import EngineError

# Near ±1 fp16 counts in steps of 2⁻¹¹: a quarter of a pixel of a picture 1024 px wide, which jitters.
_MOVES = {"GridSample"}


def to_half(model: bytes) -> bytes:
    """Return the network in fp16, with fp32 inputs and outputs, and fp32 wherever motion flows.

    Motion flows in every node that a sampling grid is computed from, and in the sampling itself.

    Raises:
        EngineError: the `onnx` package is missing, or the graph cannot be converted.
    """
    try:
        import onnx
        from onnxruntime.transformers.float16 import convert_float_to_float16
        from onnxruntime.transformers.onnx_model import OnnxModel
    except ImportError as problem:
        raise EngineError(
            f"no usable {problem.name}", "the onnx package, to build engines", "pip install 'facepuppet[gpu]'"
        ) from problem
    try:
        graph = onnx.load_model_from_string(model)
        for i, node in enumerate(graph.graph.node):
            node.name = node.name or f"node{i}"  # what stays in fp32 is told by name
        half = convert_float_to_float16(
            graph, keep_io_types=True, node_block_list=sorted(_where_motion_flows(graph.graph.node))
        )
        OnnxModel.graph_topological_sort(half.graph)  # the converter appends its casts at the end
        onnx.checker.check_model(half)
    except Exception as problem:  # onnx and the converter share no base class of errors
        raise EngineError(
            f"a network that cannot be converted to fp16 ({' '.join(str(problem).split())[:200]})",
            "plain ONNX operators",
            'Give it precision = "fp32" in the manifest.',
        ) from problem
    return bytes(half.SerializeToString())


def _where_motion_flows(nodes: Iterable[Any]) -> set[str]:
    """Names of the sampling nodes and of all that their grids are computed from."""
    nodes = list(nodes)
    maker = {output: node for node in nodes for output in node.output}
    found = {node.name for node in nodes if node.op_type in _MOVES}
    tensors = [node.input[1] for node in nodes if node.op_type in _MOVES]
    while tensors:
        node = maker.get(tensors.pop())
        if node is not None and node.name not in found:
            found.add(node.name)
            tensors.extend(node.input)
    return found
