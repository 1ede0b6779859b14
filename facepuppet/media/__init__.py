"""Where driver frames come from: webcams, files, folders and URLs, all behind `Source`."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
