#!/usr/bin/env bash
# ONNX Runtime's CPU runs convolutions in a blocked layout (NCHWc), where the processor has AVX or better. PRelu does
# not know it: around every PRelu the graph gets a ReorderOutput before and a ReorderInput after it, so that a chain
# of convolutions with PRelu between them rewrites every picture twice a layer. The same function as two convolutions
# of one pixel and one channel each, with Relu and Add (x + relu(-(1 - a) x) for a slope a of at most 1) stays in the
# layout from the first to the last convolution, and runs in half the time, although it has three times as many
# convolutions. Relu and LeakyRelu, whose slope is the same for all channels, are folded into the convolutions.
#
# Where users of facepuppet would meet it: the landmark network has 73 PRelu; its conversion writes them so
# (`engines/conversion/operators.py`) and takes a third of the time.
#
# Seen on Linux x86-64 (AMD EPYC, AVX-512), Python 3.11, ONNX Runtime 1.32.0, onnx 1.19.1, numpy 2.3.5; 8 layers of
# 32 channels at 48x48, one thread: PRelu 8 ReorderInput, 8 ReorderOutput, 2.9 ms at best; rewritten 1 and 1, 1.5 ms;
# Relu 1 and 1, 1.5 ms; LeakyRelu 1 and 1, 1.6 ms.
# Reorders are counted; times are printed only. On processors without the layout it says so and proves nothing.
# Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet onnxruntime==1.32.0 onnx==1.19.1 numpy==2.3.5
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
import time
from collections import Counter

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

LAYERS, CHANNELS, SIDE = 8, 32, 48
SHAPE = [1, CHANNELS, SIDE, SIDE]


class Chain:
    """Convolutions of 3x3, each with an activation after it."""

    def __init__(self, activation):
        self.nodes, self.weights = [], []
        draw = np.random.default_rng(0)
        value = "x"
        for _ in range(LAYERS):
            kernel = draw.normal(size=(CHANNELS, CHANNELS, 3, 3)) / 17
            value = self.add("Conv", value, kernel, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
            value = activation(self, value, draw.uniform(-0.5, 0.5, size=(CHANNELS, 1, 1)))
        self.nodes.append(helper.make_node("Identity", [value], ["y"]))

    def add(self, kind, *inputs, **attributes):
        names = [value if isinstance(value, str) else self.weight(value) for value in inputs]
        self.nodes.append(helper.make_node(kind, names, [f"v{len(self.nodes)}"], **attributes))
        return self.nodes[-1].output[0]

    def weight(self, value):
        self.weights.append(numpy_helper.from_array(value.astype(np.float32), f"w{len(self.weights)}"))
        return self.weights[-1].name

    def model(self):
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE) for name in "xy"]
        graph = helper.make_graph(self.nodes, "chain", ends[:1], ends[1:], self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def prelu(chain, value, slope):
    return chain.add("PRelu", value, slope)


def rewritten(chain, value, slope):
    bent = chain.add("Relu", chain.add("Conv", value, slope[..., None] - 1, group=CHANNELS))
    return chain.add("Add", chain.add("Conv", bent, np.ones((CHANNELS, 1, 1, 1)), group=CHANNELS), value)


def relu(chain, value, slope):
    return chain.add("Relu", value)


def leaky(chain, value, slope):
    return chain.add("LeakyRelu", value, alpha=0.1)


def run(activation):
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    options.optimized_model_filepath = f"{sys.argv[1]}/{activation.__name__}.onnx"
    model = Chain(activation).model().SerializeToString()
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feed = {"x": np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)}
    times_ms = []
    for _ in range(60):
        begun = time.perf_counter()
        result = session.run(None, feed)[0]
        times_ms.append(1e3 * (time.perf_counter() - begun))
    kinds = Counter(node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node)
    reorders = kinds["ReorderInput"], kinds["ReorderOutput"]
    print(f"  {activation.__name__}: {dict(kinds)}, {min(times_ms):.2f} ms at best")
    return reorders, result


print("ONNX Runtime", ort.__version__)
plain, _ = run(relu)
if plain == (0, 0):
    print("This processor has no blocked layout in ONNX Runtime: nothing is proved here.")
    sys.exit()
by_prelu, expected = run(prelu)
by_rewriting, got = run(rewritten)
by_leaky, _ = run(leaky)
assert plain == by_leaky == by_rewriting == (1, 1), (plain, by_leaky, by_rewriting)
assert by_prelu == (LAYERS, LAYERS), by_prelu
assert np.abs(expected - got).max() < 1e-6 * np.abs(expected).max() * LAYERS, "not the same function"
PYTHON
