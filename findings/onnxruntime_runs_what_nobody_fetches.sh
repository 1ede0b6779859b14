#!/usr/bin/env bash
# ONNX Runtime's RunOptions.only_execute_path_to_fetches, described as "Only execute the nodes needed by fetch list",
# leaves nothing out: with it or without it, every node of the graph runs, also those that lead to outputs that were
# not asked for. A network of two heads costs both heads, whichever is fetched. What helps is a file for each head.
#
# Where users of facepuppet would meet it: the pose network's mask is wanted of portraits only and would double the
# time of every look at the driver's shoulders; it is a network of its own (`engines/conversion/mediapipe_networks.py`).
#
# Seen on Linux x86-64 (AMD EPYC), Python 3.11, ONNX Runtime 1.32.0, onnx 1.19.1, numpy 2.3.5: the profile names the
# node `wanted` and the node `unwanted` in either case.
# Exits non-zero if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet onnxruntime==1.32.0 onnx==1.19.1 numpy==2.3.5
export ORT_DISABLE_TELEMETRY=1
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

folder = Path(sys.argv[1])
SHAPE = [1, 8, 32, 32]
nodes = [
    helper.make_node("Sqrt", ["x"], ["y"], name="wanted"),
    helper.make_node("Exp", ["x"], ["z"], name="unwanted"),
]
ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE) for name in "xyz"]
graph = helper.make_graph(nodes, "two heads", ends[:1], ends[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model, full_check=True)

print("ONNX Runtime", ort.__version__)
ran = {}
for only in (False, True):
    options, run = ort.SessionOptions(), ort.RunOptions()
    options.enable_profiling, options.profile_file_prefix = True, str(folder / f"only_{only}")
    run.only_execute_path_to_fetches = only
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (y,) = session.run(["y"], {"x": np.ones(SHAPE, np.float32)}, run)
    assert y.shape == tuple(SHAPE)
    events = json.loads(Path(session.end_profiling()).read_text())
    ran[only] = sorted({e["name"].removesuffix("_kernel_time") for e in events if e.get("cat") == "Node"})
    print(f"only_execute_path_to_fetches = {only}: fetched y, ran {', '.join(ran[only])}")
if ran != {False: ["unwanted", "wanted"], True: ["unwanted", "wanted"]}:
    sys.exit("this has changed")
PYTHON
