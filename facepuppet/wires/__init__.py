"""What other trackers and avatar programs say on a network, in our words; no sockets in here."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
