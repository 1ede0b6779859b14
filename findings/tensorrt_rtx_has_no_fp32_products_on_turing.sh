#!/usr/bin/env bash
# TensorRT-RTX 1.7.1 builds convolutions in fp32 for every target from SM75 (Turing) to SM120, but no matrix product in
# fp32 for SM75: "FP32 GEMM is not supported". In fp16 it builds for SM75, too. A network whose convolutions all build
# can therefore still be refused for one small MatMul. No GPU is needed to see it: engines are built ahead of time.
#
# Where users of facepuppet would meet it: the landmark network multiplies matrices of 2x2; on RTX 20 cards and T4 it
# stays on the CPU, and one sentence says so (`facepuppet/vision/sessions.py`, `tests/test_inference_build.py`).
#
# Seen on Linux x86-64, Python 3.11, tensorrt-rtx-cu13 1.7.1.116, onnx 1.19.1, numpy 2.3.5, without a GPU:
# Conv fp32 builds for SM75, SM86 and SM120; MatMul fp32 for SM86 and SM120 only; MatMul fp16 for all three.
# Exits non-zero if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorrt-rtx-cu13==1.7.1.116 onnx==1.19.1 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import tensorrt_rtx as trt
from onnx import TensorProto, helper, numpy_helper

TARGETS = ("SM75", "SM86", "SM120")
KINDS = {np.float32: TensorProto.FLOAT, np.float16: TensorProto.FLOAT16}


class Quiet(trt.ILogger):
    """Keeps what the builder complains of."""

    def __init__(self):
        super().__init__()
        self.said = []

    def log(self, severity, message):
        if severity <= trt.ILogger.ERROR:
            self.said.append(message)


def model(operator, dtype):
    draw = np.random.default_rng(0)
    if operator == "Conv":
        shape, weight, out = [1, 8, 32, 32], draw.normal(size=(8, 8, 1, 1)), [1, 8, 32, 32]
    else:
        shape, weight, out = [1, 468, 2], draw.normal(size=(1, 2, 2)), [1, 468, 2]
    ends = [helper.make_tensor_value_info(n, KINDS[dtype], s) for n, s in (("x", shape), ("y", out))]
    node = helper.make_node(operator, ["x", "w"], ["y"])
    weights = [numpy_helper.from_array(weight.astype(dtype), "w")]
    graph = helper.make_graph([node], "one", ends[:1], ends[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def builds(operator, dtype, target):
    logger = Quiet()
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    assert trt.OnnxParser(network, logger).parse(model(operator, dtype)), logger.said
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)
    config.num_compute_capabilities = 1
    config.set_compute_capability(getattr(trt.ComputeCapability, target), 0)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        print(f"  {target}: {' '.join(logger.said)[:150]}")
    return plan is not None


print("TensorRT-RTX", trt.__version__)
seen = {}
for operator, dtype in (("Conv", np.float32), ("MatMul", np.float32), ("MatMul", np.float16)):
    name = f"{operator} {np.dtype(dtype)}"
    seen[name] = [target for target in TARGETS if builds(operator, dtype, target)]
    print(f"{name}: builds for {', '.join(seen[name])}")
expected = {"Conv float32": [*TARGETS], "MatMul float32": ["SM86", "SM120"], "MatMul float16": [*TARGETS]}
if seen != expected:
    sys.exit("this has changed")
PYTHON
