"""From a motion to a picture of the moved portrait: warp, eyes, mouth, painters."""

from facepuppet.frames.cpu.render.renderer import Renderer

__all__ = ["Renderer"]
