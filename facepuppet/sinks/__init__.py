"""Where marked frames go: virtual cameras, video files and preview windows, all behind `Sink`."""

from facepuppet.sinks.fanout import Fanout
from facepuppet.sinks.pacer import Pacer
from facepuppet.sinks.sink import Sink
from facepuppet.sinks.sink_words import open_sink

__all__ = ["Fanout", "Pacer", "Sink", "open_sink"]
