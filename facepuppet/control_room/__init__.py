"""The page on this machine that shows and steers a run, and the API behind it."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
