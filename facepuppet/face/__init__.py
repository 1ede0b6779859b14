"""What a face is: its mesh, its mean, its pose and gaze, and ARKit's shapes."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
