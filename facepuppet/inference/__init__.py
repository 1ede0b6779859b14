"""Running the painters' networks: one small session type, whatever executes it."""

from facepuppet.inference.onnx_session import ENGINES, OnnxSession, Session
from facepuppet.inference.runtime import Runtime, open_session

__all__ = ["ENGINES", "OnnxSession", "Runtime", "Session", "open_session"]
