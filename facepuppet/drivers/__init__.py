"""Who moves the puppet: a camera, a script, a recording, all behind `Driver`."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
