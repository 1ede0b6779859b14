"""Landmarks placed by hand, for statues, cartoons and whatever else the tracker does not see.

points.py    the named points, and which landmark each of them is
file.py      the TOML file that holds them: reading, and the template
fit.py       from a handful of points to all 478 landmarks
guess.py     points to begin with
"""

from calibrate.landmarks.file import read_points, template
from calibrate.landmarks.fit import fit_landmarks
from calibrate.landmarks.guess import guess_points

__all__ = ["fit_landmarks", "guess_points", "read_points", "template"]
