"""From a region's name to its network."""

from __future__ import annotations

import torch
from torch import nn

from engines.data.people import TrainingDataError
from engines.data.regions import REGIONS
from engines.networks import eye_painter as eye
from engines.networks import frame_painter as frame
from engines.networks import mouth_painter as mouth
from engines.networks.painter_network import Profile
from facepuppet.frames import weights_in

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


def network_from_onnx(region: str, model: bytes) -> nn.Module:
    """Return the painter that an ONNX file of `engines.export` holds, to go on training it.

    The exporter keeps the names of parameters, and the profile is told by their shapes.

    Raises:
        TrainingDataError: no profile of that region has these weights.
        ManifestError: it is no such file.
    """
    weights = {name: torch.from_numpy(values.copy()) for name, values in weights_in(model).items()}
    shapes = {name: values.shape for name, values in weights.items()}
    for profile in _PROFILES.get(region, ()):
        network = build_network(region, profile.name)
        if {name: values.shape for name, values in network.state_dict().items()} == shapes:
            network.load_state_dict(weights)
            return network
    raise TrainingDataError(
        f"a network whose weights are those of no {region} painter",
        "one exported by this version",
        "Train it anew.",
    )


def contours_of(region: str) -> int:
    """Number of contour planes that a region's painter takes."""
    return _CONTOURS[region]


def _profile(region: str, name: str) -> Profile:
    for profile in _PROFILES[region]:
        if profile.name == name:
            return profile
    names = [profile.name for profile in _PROFILES[region]]
    raise TrainingDataError(f"profile {name!r}", f"one of {names}", "Choose one of these.")
