"""Opens the tracker's networks."""

from __future__ import annotations

from facepuppet.inference.manifest import read_trackers, read_verified
from facepuppet.inference.onnx_session import OnnxSession, Session
from facepuppet.inference.runtime import Runtime


def open_network(name: str, runtime: Runtime | None = None) -> Session:
    """Open one of the tracker's networks: MediaPipe's, converted (engines/convert_mediapipe.py).

    Args:
        name: its entry in the manifest.
        runtime: what runs it; one thread of the CPU if None.

    Raises:
        ManifestError: its file is missing, damaged or not the one listed.
        EngineError: the engine that was asked for cannot run it.
    """
    network = read_trackers()[name]
    if runtime is not None:
        return runtime.open(network)
    return OnnxSession(read_verified(network), network.path.name)
