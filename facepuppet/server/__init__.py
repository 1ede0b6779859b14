"""Many puppets for many people: media by WebRTC, places for them by Ray Serve."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
