"""A driver's expression onto the portrait: relative to rest, in the head's own frame.

Only differences from the driver's rest are carried over, each scaled by the proportions of the two faces, so
that the driver's face shape never shows in the portrait. Lids and irises are carried as ratios of the eye's
own size, so that a blink shuts eyes of any size.

    deltas.py       an expression resolved into landmarks, within soft limits
    target.py       the same on one portrait (Motion), within what that portrait bears
    retargeter.py   both in a row, and what to do without a face (presence.py, crossfade.py)
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
