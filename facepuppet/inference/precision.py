"""Half precision where it is safe, as casts inside the ONNX graph.

TensorRT 11 and TensorRT-RTX take precision from the graph alone (strong typing; the builder's FP16
flag is gone), and TensorRT 10 can be told to. So one converted graph serves them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from facepuppet.core.errors import EngineError

# Near ±1 fp16 counts in steps of 2⁻¹¹: a quarter of a pixel of a picture 1024 px wide, which jitters.
_MOVES = {"GridSample"}


def to_half(model: bytes) -> bytes:
    """Return the network in fp16, with fp32 inputs and outputs, and fp32 wherever motion flows.

    Motion flows in every node that a sampling grid is computed from, and in the sampling itself.

    Raises:
        EngineError: the `onnx` package is missing, or the graph cannot be converted.
    """
    from facepuppet.inference import silent_onnxruntime  # noqa: F401  before any part of it is loaded

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


def emulate_half(half: bytes) -> bytes:
    """Return what `to_half` gave as an fp32 graph that rounds as it would.

    ONNX Runtime's CPU has no fp16 kernels: it would run the fp16 graph in fp32 throughout and round
    nothing but the weights, so that every network would seem safe. Here every value is stored in
    fp16 and every sum is kept in fp32, as on tensor cores.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.shape_inference.infer_shapes(onnx.load_model_from_string(half))
    graph = model.graph
    rounded = {i.name for i in graph.value_info if i.type.tensor_type.elem_type == TensorProto.FLOAT16}
    for weight in graph.initializer:
        if weight.data_type == TensorProto.FLOAT16:
            single = numpy_helper.to_array(weight).astype("float32")
            weight.CopyFrom(numpy_helper.from_array(single, weight.name))
    nodes = []
    for node in graph.node:
        nodes.append(node)
        for i, name in enumerate(node.output):
            if name in rounded:
                node.output[i] = f"{name} unrounded"
                short = helper.make_node("Cast", [node.output[i]], [f"{name} short"], to=TensorProto.FLOAT16)
                nodes += [short, helper.make_node("Cast", [f"{name} short"], [name], to=TensorProto.FLOAT)]
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    return bytes(model.SerializeToString())


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
