"""Running the painters' networks: one small session type, whatever executes it."""

from facepuppet.inference.onnx_session import ENGINES, OnnxSession, Session
from facepuppet.inference.runtime import Engines, open_session

__all__ = ["ENGINES", "Engines", "OnnxSession", "Session", "open_session"]
