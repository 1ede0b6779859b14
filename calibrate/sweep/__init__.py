"""How far a portrait bears to be moved: move it, look at the pictures, keep what is good.

channels.py   what is swept, and the motion for each value
observe.py    renders a motion and measures the picture
measures.py   what is measured on one picture, and how much of it is tolerated
run.py        from samples to a SafeRange
"""

from calibrate.sweep.sweeping import Sample, Sweep, sweep

__all__ = ["Sample", "Sweep", "sweep"]
