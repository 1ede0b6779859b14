"""Opens the tracker's networks."""

from __future__ import annotations

from facepuppet.core.errors import EngineError, ManifestError
from facepuppet.inference.manifest import read_trackers, read_verified, shipped_folder
from facepuppet.inference.onnx_session import OnnxSession, Session
from facepuppet.inference.runtime import Runtime


def open_network(name: str, runtime: Runtime | None = None) -> Session:
    """Open one of the tracker's networks: MediaPipe's, converted (engines/convert_mediapipe.py).

    Args:
        name: its entry in the manifest.
        runtime: what runs it, as long as it can; one thread of the CPU if None.

    Raises:
        ManifestError: its file is missing, damaged or not the one listed.
    """
    network = read_trackers().get(name)
    if network is None:
        raise ManifestError(
            f"no tracker {name!r} in {shipped_folder() / 'manifest.toml'}",
            "the networks of the tracker",
            "Reinstall facepuppet.",
        )
    if runtime is not None:
        try:
            return runtime.open(network)
        except EngineError as problem:
            runtime.fell_back(f"The tracker's {name} runs on the CPU. {problem}")
    return OnnxSession(read_verified(network), network.path.name)
