"""What shapes a performance between its driver and its portrait: who the puppet is."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
