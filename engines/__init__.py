"""Networks of the reenactment stage: manifest and shipped weights, training data, training, export."""

import os

# Before any module of this package loads ONNX Runtime: see facepuppet/inference/silent_onnxruntime.py.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
