from .fanout import Fanout as Fanout
from .pacer import Pacer as Pacer
from .preview_window import display_reachable as display_reachable
from .sink import Sink as Sink
from .sink_words import open_sink as open_sink
from .v4l2loopback import state as state
from .virtual_camera import VirtualCamera as VirtualCamera
from .virtual_camera import find_virtual_camera as find_virtual_camera
