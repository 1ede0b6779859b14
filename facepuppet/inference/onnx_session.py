"""What a painter needs of an engine, and the engines that ONNX Runtime offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

from facepuppet.core.errors import EngineError, ManifestError
from facepuppet.core.types import F32, U8
from facepuppet.inference.silent_onnxruntime import ort

Feed: TypeAlias = Mapping[str, F32 | U8]

# In the order in which "auto" tries them.
ENGINES = ("tensorrt", "tensorrt-rtx", "cuda", "directml", "coreml", "openvino", "cpu")
PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
LABELS = {
    "tensorrt": "TensorRT",
    "tensorrt-rtx": "TensorRT-RTX",
    "cuda": "CUDA",
    "directml": "DirectML",
    "coreml": "CoreML",
    "openvino": "OpenVINO",
    "cpu": "CPU",
}
# TF32 keeps 10 bits of mantissa: no more than fp16, and unasked.
_PROVIDER_OPTIONS = {"cuda": {"use_tf32": "0"}}
_WHEELS = {
    "cuda": "onnxruntime-gpu",
    "directml": "onnxruntime-directml",
    "openvino": "onnxruntime-openvino",
}


class Session(Protocol):
    """One network, loaded and ready."""

    @property
    def engine(self) -> str:
        """One of ENGINES."""

    @property
    def description(self) -> str:
        """Engine, its version and its device, for people."""

    @property
    def input_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of each input by name."""

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs."""

    def run(self, feed: Feed) -> dict[str, F32]:
        """Return every output by name; any thread may call it.

        Args:
            feed: every input by name, of the network's own type and shape.

        Raises:
            EngineError: the engine failed or was lost; it will not recover.
        """


class OnnxSession:
    """A network run by ONNX Runtime.

    Args:
        model: ONNX file.
        name: what to call it in messages.
        engine: one of PROVIDERS.
        threads: of the CPU provider.

    Raises:
        ManifestError: ONNX Runtime refuses the network itself.
        EngineError: the provider is not in this build of ONNX Runtime, or does not start here.
    """

    def __init__(self, model: bytes, name: str, engine: str = "cpu", threads: int = 1) -> None:
        provider = PROVIDERS[engine]
        self.engine, self.description = engine, require_provider(engine)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        if engine != "cpu":
            options.log_severity_level = 4  # its refusals are told in our own words
        try:
            self._session = ort.InferenceSession(
                model, options, providers=[(provider, _PROVIDER_OPTIONS.get(engine, {}))]
            )
        except Exception as problem:  # ONNX Runtime's exceptions share no narrower base class
            if engine == "cpu":
                raise ManifestError(
                    f"{name}, which ONNX Runtime refuses ({problem})",
                    "a valid ONNX network",
                    "Reinstall facepuppet.",
                ) from problem
            raise _failed(engine, str(problem)) from problem
        if self._session.get_providers()[0] != provider:
            # ONNX Runtime goes on without the provider it was asked for, and only logs it.
            raise _failed(engine, "ONNX Runtime could not load it; its libraries or driver are missing")
        self._session.disable_fallback()
        self.input_shapes = {node.name: tuple(node.shape) for node in self._session.get_inputs()}
        self.output_names = tuple(node.name for node in self._session.get_outputs())

    def run(self, feed: Feed) -> dict[str, F32]:
        """Return every output by name."""
        try:
            outputs = self._session.run(None, dict(feed))
        except Exception as problem:  # as above
            if self.engine == "cpu":
                raise  # nothing is left to fall back to: a programming error
            raise _failed(self.engine, str(problem)) from problem
        return dict(zip(self.output_names, outputs, strict=True))


def require_provider(engine: str) -> str:
    """Check that this build of ONNX Runtime has an engine's provider; return what it would run on.

    Raises:
        EngineError: it has not.
    """
    if PROVIDERS[engine] in ort.get_available_providers():
        return f"ONNX Runtime {ort.__version__} {LABELS[engine]}"
    wheel = _WHEELS.get(engine)
    raise EngineError(
        f"an ONNX Runtime without {PROVIDERS[engine]}",
        f"one that offers it, for engine {engine!r}",
        f"Install {wheel} in place of onnxruntime." if wheel else "Choose another --engine.",
    )


def _failed(engine: str, why: str) -> EngineError:
    return EngineError(
        f"{LABELS[engine]}, which failed ({' '.join(why.split())[:300]})",
        "an engine that runs here",
        "Choose --engine cpu, or run `facepuppet doctor`.",
    )
