"""Where marked frames go: virtual cameras, video files and preview windows, all behind `Sink`."""

from facepuppet.sinks.fanout import Fanout
from facepuppet.sinks.open_sink import open_sink
from facepuppet.sinks.pacer import Pacer
from facepuppet.sinks.sink import Sink

__all__ = ["Fanout", "Pacer", "Sink", "open_sink"]
