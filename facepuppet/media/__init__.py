"""Where driver frames come from: webcams, files, folders and URLs, all behind `Source`."""

from facepuppet.media.capture_thread import CaptureThread
from facepuppet.media.source_words import open_source
from facepuppet.media.source import Source

__all__ = ["CaptureThread", "Source", "open_source"]
