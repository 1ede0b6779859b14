"""Where driver frames come from: webcams, files, folders and URLs, all behind `Source`."""

from facepuppet.capture.open import open_source
from facepuppet.capture.source import Source
from facepuppet.capture.thread import CaptureThread

__all__ = ["CaptureThread", "Source", "open_source"]
