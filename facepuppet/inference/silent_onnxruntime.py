"""The one door to ONNX Runtime, which reports its use to its makers unless it is told not to.

Wheels of 1.29 and later do so on Linux and macOS as well: they keep an identifier in the user's cache folder,
and send what they know of the machine and the networks to mobile.events.data.microsoft.com. An environment
variable prevents all of it if it is set before ONNX Runtime is loaded; the call stops most of it on Windows,
and in a program that had loaded ONNX Runtime before this package. (ONNX Runtime, Privacy.md.)
"""

from __future__ import annotations

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as ort

ort.disable_telemetry_events()

__all__ = ["ort"]
