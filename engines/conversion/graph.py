"""Collects ONNX nodes while a TFLite network is walked.

TFLite orders pictures (batch, height, width, channels), ONNX (batch, channels, height, width). Inside the
converted graph every tensor of four axes is in ONNX's order, and every other as TFLite has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from engines.conversion.tflite_file import Array, TfliteNetwork

OPSET = 17  # the painters' too; GridSample came with 16


class GraphBuilder:
    """The ONNX graph so far.

    Args:
        network: what is converted.

    Attributes:
        deferred_pads: zeros (top, left, bottom, right) that the convolutions reading a tensor add themselves.
    """

    def __init__(self, network: TfliteNetwork) -> None:
        self.network = network
        self._names: dict[int, str] = {}
        self._nodes: list[onnx.NodeProto] = []
        self._weights: dict[str, onnx.TensorProto] = {}
        self._count = 0
        self.deferred_pads: dict[int, tuple[int, int, int, int]] = {}

    def bind(self, tensor: int, name: str) -> None:
        """Say which ONNX value is a TFLite tensor."""
        self._names[tensor] = name

    def name(self, tensor: int) -> str:
        """The ONNX value of a TFLite tensor."""
        return self._names[tensor]

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Shape of a TFLite tensor, in TFLite's order."""
        return self.network.shapes[tensor]

    def constant(self, tensor: int) -> Array:
        """Value of a constant TFLite tensor, in TFLite's order."""
        return self.network.constants[tensor]

    def is_constant(self, tensor: int) -> bool:
        """Whether a TFLite tensor never changes."""
        return tensor in self.network.constants

    def add(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        """Add a node of one output; return the output's name."""
        self._count += 1
        output = f"{kind.lower()}_{self._count}"
        self._nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def weight(self, value: Array) -> str:
        """Add a constant; return its name. fp16 stays fp16 in the file and is widened when it is loaded."""
        key = f"w{len(self._weights)}"
        self._weights[key] = numpy_helper.from_array(np.ascontiguousarray(value), key)
        if value.dtype == np.float16:
            return self.add("Cast", [key], to=TensorProto.FLOAT)
        return key

    def scalars(self, *values: float) -> str:
        """Add a small float32 vector; return its name."""
        return self.weight(np.array(values, np.float32))

    def ints(self, *values: int) -> str:
        """Add an int64 vector; return its name."""
        return self.weight(np.array(values, np.int64))

    def slice(self, value: str, axis: int, begin: int, end: int) -> str:
        """Take part of an axis, from `begin` to before `end`."""
        return self.add("Slice", [value, self.ints(begin), self.ints(end), self.ints(axis)])

    def to_channels_last(self, value: str) -> str:
        """Put four axes into TFLite's order."""
        return self.add("Transpose", [value], perm=[0, 2, 3, 1])

    def to_channels_first(self, value: str) -> str:
        """Put four axes into ONNX's order."""
        return self.add("Transpose", [value], perm=[0, 3, 1, 2])

    def finish(
        self,
        title: str,
        inputs: list[onnx.ValueInfoProto],
        outputs: Mapping[str, tuple[str, tuple[int, ...]]],
        about: Mapping[str, str],
    ) -> onnx.ModelProto:
        """Return the model: what leads to the outputs, checked.

        Args:
            title: name of the graph.
            inputs: the model's inputs.
            outputs: value and shape of each output by its public name.
            about: metadata to keep in the file.
        """
        for name, (value, _) in outputs.items():
            self._nodes.append(helper.make_node("Identity", [value], [name], name=f"out_{name}"))
        nodes = _needed(self._nodes, set(outputs))
        used = {name for node in nodes for name in node.input}
        graph = helper.make_graph(
            nodes,
            title,
            inputs,
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
                for name, (_, shape) in outputs.items()
            ],
            [weight for name, weight in self._weights.items() if name in used],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        model.producer_name = "facepuppet engines/convert_mediapipe.py"
        helper.set_model_props(model, dict(about))
        onnx.checker.check_model(model, full_check=True)
        return model


def _needed(nodes: list[onnx.NodeProto], wanted: set[str]) -> list[onnx.NodeProto]:
    """Nodes that the wanted values depend on, in their order."""
    kept: list[onnx.NodeProto] = []
    wanted = set(wanted)
    for node in reversed(nodes):
        if wanted & set(node.output):
            kept.append(node)
            wanted |= set(node.input)
    return kept[::-1]
