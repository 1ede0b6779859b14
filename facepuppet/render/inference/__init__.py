"""Running the painters' networks: one small session type, whatever executes it."""

from facepuppet.render.inference.opening import Engines, open_session
from facepuppet.render.inference.session import ENGINES, OnnxSession, Session

__all__ = ["ENGINES", "Engines", "OnnxSession", "Session", "open_session"]
