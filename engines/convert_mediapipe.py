"""Converts MediaPipe's tracking networks to ONNX: `python -m engines.convert_mediapipe MEDIAPIPE`.

MEDIAPIPE is the wheel of MediaPipe 0.10.21 (any platform: `pip download --no-deps mediapipe==0.10.21`) or
the folder of the installed package. The same input gives the same files, bit by bit; entries for the
manifest are printed. Needs the packages onnx and tflite.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from engines.conversion import mediapipe_operators, operators
from engines.conversion.branches import bundled
from engines.conversion.graph import GraphBuilder
from engines.conversion.mediapipe_networks import SOURCES, Source
from engines.conversion.rewrites import enlarged_late
from engines.conversion.tflite_file import TfliteNetwork, read_tflite

_TRANSLATIONS = operators.TRANSLATIONS | mediapipe_operators.TRANSLATIONS
_UNPACKING = {"DEQUANTIZE", "DENSIFY"}
_VERSION = "0.10.21"


def convert(package: Path, source: Source) -> onnx.ModelProto:
    """Convert one network.

    Args:
        package: folder of the `mediapipe` package.
        source: which.

    Returns:
        A network from `picture` (1, H, W, 3) uint8 RGB to the outputs kept, in TFLite's order of axes except
        that those of pictures are (1, channels, height, width).

    Raises:
        ValueError: the file has an operator, or an attribute of one, that is not supported.
    """
    path = package / source.file
    network = bundled(enlarged_late(_folded(read_tflite(path))))
    graph = GraphBuilder(network)
    shape = network.shapes[network.inputs[0]]
    graph.bind(network.inputs[0], _prepared(graph, source))
    for operator in network.operators:
        if operator.kind in _TRANSLATIONS:
            graph.bind(operator.outputs[0], _TRANSLATIONS[operator.kind](graph, operator))
        else:
            raise ValueError(f"{path} has {operator.kind}, which is not supported")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return graph.finish(
        source.name,
        [helper.make_tensor_value_info("picture", TensorProto.UINT8, shape)],
        _outputs(graph, network, source),
        {
            "title": source.title,
            "origin": f"MediaPipe {_VERSION}, {source.file} (sha256 {digest})",
            "licence": "Apache-2.0, Copyright The MediaPipe Authors",
            "changes": "converted from TFLite to ONNX; takes levels instead of fractions; outputs left out",
        },
    )


def _folded(network: TfliteNetwork) -> TfliteNetwork:
    """Leave out what only unpacks constants, which are read unpacked."""
    constants, operators = dict(network.constants), []
    for operator in network.operators:
        if operator.kind in _UNPACKING:
            constants[operator.outputs[0]] = constants[operator.inputs[0]]
        else:
            operators.append(operator)
    return replace(network, constants=constants, operators=tuple(operators))


def _prepared(graph: GraphBuilder, source: Source) -> str:
    """Levels to what the network was trained on."""
    low, high = source.span
    planes = graph.to_channels_first(graph.add("Cast", ["picture"], to=TensorProto.FLOAT))
    planes = graph.add("Mul", [planes, graph.scalars((high - low) / 255)])
    return graph.add("Add", [planes, graph.scalars(low)]) if low else planes


def _outputs(
    graph: GraphBuilder, network: TfliteNetwork, source: Source
) -> dict[str, tuple[str, tuple[int, ...]]]:
    tensors = {network.names[tensor]: tensor for tensor in network.outputs}
    outputs = {}
    for tflite_name, name in source.outputs.items():
        shape = network.shapes[tensors[tflite_name]]
        if len(shape) == 4:
            shape = (shape[0], shape[3], shape[1], shape[2])
        outputs[name] = graph.name(tensors[tflite_name]), shape
    return outputs


def main() -> None:
    """Convert all of them into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mediapipe", type=Path, help="wheel or package folder of MediaPipe 0.10.21")
    parser.add_argument("--into", type=Path, default=Path(__file__).parent / "weights")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        package = arguments.mediapipe
        if package.is_file():
            with zipfile.ZipFile(package) as wheel:
                names = {f"mediapipe/{source.file}" for source in SOURCES}
                wheel.extractall(scratch, names)
            package = Path(scratch) / "mediapipe"
        for source in SOURCES:
            data = convert(package, source).SerializeToString(deterministic=True)
            path = arguments.into / f"{source.name}.onnx"
            path.write_bytes(data)
            print(f"{path.name}: {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
