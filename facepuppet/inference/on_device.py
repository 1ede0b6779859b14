"""Networks whose inputs and outputs stay on an NVIDIA GPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from facepuppet.core.errors import EngineError
from facepuppet.inference.gpu import Gpu, import_cupy
from facepuppet.inference.onnx_session import PROVIDERS, require_provider
from facepuppet.inference.silent_onnxruntime import ort

ON_DEVICE = ("tensorrt", "tensorrt-rtx", "cuda")  # engines that can do it


class OnDeviceSession(Protocol):
    """One network with memory of its own, run on somebody's stream."""

    @property
    def memory(self) -> Mapping[str, Any]:
        """Every input and output by name (cupy.ndarray)."""

    @property
    def graphable(self) -> bool:
        """Whether `enqueue` may be captured as a part of a CUDA graph."""

    def enqueue(self, stream: Any) -> None:
        """Run from `memory` to `memory` on a stream (cupy.cuda.Stream); waits for nothing.

        Raises:
            EngineError: the engine refused.
        """

    def keep(self) -> None:
        """Keep what was compiled in the first run for the next start."""


class OnnxOnDevice:
    """A network run by ONNX Runtime's CUDA provider on memory that stays on the GPU.

    It synchronises and allocates as it likes, so it is not captured in graphs.

    Args:
        model: ONNX file.
        gpu: where.
        stream: cupy.cuda.Stream that it will always run on.
        engine: one of PROVIDERS; any but "cuda" reads the computer's own memory.

    Raises:
        EngineError: the provider is not there, or fails.
    """

    def __init__(self, model: bytes, gpu: Gpu, stream: Any, engine: str = "cuda") -> None:
        require_provider(engine)
        self.graphable = False
        options = ort.SessionOptions()
        options.log_severity_level = 4  # its refusals are told in our own words
        settings = (
            {"device_id": str(gpu.index), "user_compute_stream": str(stream.ptr), "use_tf32": "0"}
            if engine == "cuda"
            else {}
        )
        place = (engine, gpu.index) if engine == "cuda" else ("cpu", 0)
        cupy = import_cupy()
        try:
            with cupy.cuda.Device(gpu.index):
                session = ort.InferenceSession(model, options, providers=[(PROVIDERS[engine], settings)])
                if session.get_providers()[0] != PROVIDERS[engine]:
                    raise _refused("its libraries or driver are missing")
                session.disable_fallback()
                nodes = [*session.get_inputs(), *session.get_outputs()]
                self.memory = {
                    node.name: cupy.empty(tuple(node.shape), np.dtype(np.float32)) for node in nodes
                }
                self._binding = session.io_binding()
                for node in session.get_inputs():
                    held = self.memory[node.name]
                    self._binding.bind_input(node.name, *place, np.float32, node.shape, held.data.ptr)
                for node in session.get_outputs():
                    held = self.memory[node.name]
                    self._binding.bind_output(node.name, *place, np.float32, node.shape, held.data.ptr)
        except EngineError:
            raise
        except Exception as problem:  # ONNX Runtime's exceptions share no narrower base class
            raise _refused(str(problem)) from problem
        self._session = session
        self._how = ort.RunOptions()
        self._how.add_run_config_entry("disable_synchronize_execution_providers", "1")

    def enqueue(self, stream: Any) -> None:
        """Run from `memory` to `memory`, on the stream it was opened for."""
        try:
            self._session.run_with_iobinding(self._binding, self._how)
        except Exception as problem:  # as above
            raise _refused(str(problem)) from problem

    def keep(self) -> None:
        """ONNX Runtime compiles nothing."""


def _refused(why: str) -> EngineError:
    return EngineError(
        f"ONNX Runtime's CUDA provider, which failed ({' '.join(why.split())[:300]})",
        "an engine that runs here",
        "Choose --engine cpu, or run `facepuppet doctor`.",
    )
