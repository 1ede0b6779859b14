"""Driver's motion onto the portrait: relative to the driver's neutral, in the head's own frame.

Only differences from the driver's resting face are carried over, each scaled by the proportions
of the two faces, so that the driver's face shape never shows in the portrait. Lids and irises are
carried as ratios of the eye's own size, so that a blink shuts eyes of any size.

    driver.py       measures the driver's differences from rest (Deltas)
    target.py       applies them to the portrait (Motion)
    retargeter.py   neutral, rest_pose, presence: what to measure against, and what to do without a face
"""

from facepuppet.retarget.retargeter import Retargeter

__all__ = ["Retargeter"]
