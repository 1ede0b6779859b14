"""TFLite networks of a few operators, and what ONNX Runtime makes of them once converted.

Needs the extra `convert`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime as ort
import tflite
from onnx import TensorProto, helper

from engines.conversion import mediapipe_operators, operators
from engines.conversion.graph import GraphBuilder
from engines.conversion.tflite_file import Operator, TfliteNetwork

TRANSLATIONS = operators.TRANSLATIONS | mediapipe_operators.TRANSLATIONS
Feed = Mapping[int, np.ndarray]
RANDOM = np.random.default_rng(0)


class Maker:
    """Builds a network tensor by tensor, operator by operator."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.constants: dict[int, np.ndarray] = {}
        self.inputs: list[int] = []
        self.operators: list[Operator] = []

    def tensor(self, *shape: int) -> int:
        self.shapes.append(shape)
        return len(self.shapes) - 1

    def input(self, *shape: int) -> int:
        self.inputs.append(self.tensor(*shape))
        return self.inputs[-1]

    def constant(self, value: np.ndarray) -> int:
        tensor = self.tensor(*value.shape)
        self.constants[tensor] = value
        return tensor

    def add(self, kind: str, inputs: list[int], shape: tuple[int, ...], options: Any = None) -> int:
        output = self.tensor(*shape)
        self.operators.append(Operator(kind, tuple(inputs), (output,), options))
        return output

    def conv(self, source: int, channels: int, size: int = 3, stride: int = 1) -> int:
        _, height, width, given = self.shapes[source]
        weights = self.constant(RANDOM.normal(size=(channels, size, size, given)).astype(np.float32))
        bias = self.constant(RANDOM.normal(size=channels).astype(np.float32))
        shape = (1, -(-height // stride), -(-width // stride), channels)
        told = table(
            DilationHFactor=1, DilationWFactor=1, StrideH=stride, StrideW=stride, Padding=tflite.Padding.SAME,
            FusedActivationFunction=tflite.ActivationFunctionType.NONE,
        )  # fmt: skip
        return self.add("CONV_2D", [source, weights, bias], shape, told)

    def prelu(self, source: int) -> int:
        slopes = RANDOM.normal(size=(1, 1, self.shapes[source][-1])).astype(np.float32)
        return self.add("PRELU", [source, self.constant(slopes)], self.shapes[source])

    def network(self, *outputs: int) -> TfliteNetwork:
        names = tuple(f"t{i}" for i in range(len(self.shapes)))
        return TfliteNetwork(
            tuple(self.operators), self.constants, tuple(self.shapes), names, tuple(self.inputs), outputs
        )


def table(**values: Any) -> Any:
    """What the `tflite` package makes of an operator's attributes: a method for each."""
    return SimpleNamespace(**{name: lambda value=value: value for name, value in values.items()})


def run(network: TfliteNetwork, feed: Feed) -> list[np.ndarray]:
    """Convert a network and run it; arrays go in and come out in TFLite's order of axes."""
    return runner(network)(feed)


def runner(network: TfliteNetwork) -> Callable[[Feed], list[np.ndarray]]:
    """Convert a network; returns what runs it."""
    graph = GraphBuilder(network)
    for tensor in network.inputs:
        name = f"in_{tensor}"
        graph.bind(tensor, graph.to_channels_first(name) if len(network.shapes[tensor]) == 4 else name)
    for operator in network.operators:
        graph.bind(operator.outputs[0], TRANSLATIONS[operator.kind](graph, operator))
    outputs = {}
    for tensor in network.outputs:
        shape = network.shapes[tensor]
        outputs[f"out_{tensor}"] = (
            graph.name(tensor),
            (shape[0], shape[3], shape[1], shape[2]) if len(shape) == 4 else shape,
        )
    inputs = [
        helper.make_tensor_value_info(f"in_{tensor}", TensorProto.FLOAT, network.shapes[tensor])
        for tensor in network.inputs
    ]
    model = graph.finish("a test", inputs, outputs, {})
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    def answer(feed: Feed) -> list[np.ndarray]:
        found = session.run(
            None, {f"in_{tensor}": array.astype(np.float32) for tensor, array in feed.items()}
        )
        return [array.transpose(0, 2, 3, 1) if array.ndim == 4 else array for array in found]

    return answer


def kinds(network: TfliteNetwork) -> list[tuple[str, int]]:
    return [(operator.kind, operator.branches) for operator in network.operators]


def picture_of(height: int, width: int, channels: int) -> np.ndarray:
    return np.random.default_rng(height * width).normal(size=(1, height, width, channels)).astype(np.float32)
