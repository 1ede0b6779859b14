"""The command line: one module a command, heavy imports only inside the command that needs them."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
