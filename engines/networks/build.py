"""From a region's name to its network."""

from __future__ import annotations

from torch import nn

from engines.data.people import TrainingDataError
from engines.data.regions import REGIONS
from engines.networks import eye, frame, mouth
from engines.networks.painter import Profile

_CLASSES = {"mouth": mouth.MouthPainter, "eye": eye.EyePainter, "frame": frame.FramePainter}
_PROFILES = {"mouth": mouth.PROFILES, "eye": eye.PROFILES, "frame": frame.PROFILES}
_CONTOURS = {"mouth": mouth.CONTOURS, "eye": eye.CONTOURS, "frame": frame.CONTOURS}


def build_network(region: str, profile: str = "cpu") -> nn.Module:
    """Return an untrained painter.

    Raises:
        TrainingDataError: there is no such region or profile.
    """
    if region not in _CLASSES:
        raise TrainingDataError(f"region {region!r}", f"one of {sorted(_CLASSES)}", "Name a painter.")
    return _CLASSES[region](REGIONS[region].crop_px, _profile(region, profile))


def contours_of(region: str) -> int:
    """Number of contour planes that a region's painter takes."""
    return _CONTOURS[region]


def _profile(region: str, name: str) -> Profile:
    for profile in _PROFILES[region]:
        if profile.name == name:
            return profile
    names = [profile.name for profile in _PROFILES[region]]
    raise TrainingDataError(f"profile {name!r}", f"one of {names}", "Choose one of these.")
