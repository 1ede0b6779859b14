"""LivePortrait's published code, loaded from a checkout of it, and run on weights that we make.

Nothing of it is ours: it is there to be compared with, in a folder that the user names (MIT licence,
https://github.com/KwaiVGI/LivePortrait). Its networks need torch and PyYAML alone.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import torch
import yaml
from torch import Tensor, nn

from engines.liveportrait.folding import Weights

# Their modules, classes and keys of src/config/models.yaml, by file of weights.
_NETWORKS = {
    "appearance_feature_extractor": ("appearance_feature_extractor", "AppearanceFeatureExtractor"),
    "motion_extractor": ("motion_extractor", "MotionExtractor"),
    "warping_module": ("warping_network", "WarpingNetwork"),
    "spade_generator": ("spade_generator", "SPADEDecoder"),
}
_HEAD_KEYS = {"retarget_shoulder": "stitching", "retarget_eye": "eye", "retarget_mouth": "lip"}


class Published:
    """The published networks, each called as ours are.

    Args:
        checkout: folder of a clone.
        weights: by file.

    Attributes:
        networks: torch modules by part.
    """

    def __init__(self, checkout: Path, weights: Mapping[str, Weights]) -> None:
        sys.path.insert(0, str(checkout))  # their modules call themselves `src`
        models = yaml.safe_load((checkout / "src/config/models.yaml").read_text(encoding="utf-8"))
        sizes = models["model_params"]
        networks: dict[str, nn.Module] = {}
        for file, (module, name) in _NETWORKS.items():
            kind = getattr(import_module(f"src.modules.{module}"), name)
            networks[file] = _loaded(kind(**sizes[f"{file}_params"]), weights[file])
        kind = import_module("src.modules.stitching_retargeting_network").StitchingRetargetingNetwork
        table = weights["stitching_retargeting_module"]
        for head, key in _HEAD_KEYS.items():
            of_head = {name.removeprefix(f"{head}."): w for name, w in table.items() if name.startswith(head)}
            networks[head] = _loaded(kind(**sizes["stitching_retargeting_module_params"][key]), of_head)
        camera = import_module("src.utils.camera")
        self._degrees, self._rotation = camera.headpose_pred_to_degree, camera.get_rotation_matrix
        self.networks = {
            "appearance": networks["appearance_feature_extractor"],
            "motion": networks["motion_extractor"],
            "warping": networks["warping_module"],
            "decoder": networks["spade_generator"],
            "stitching": networks["retarget_shoulder"],
            "eyes": networks["retarget_eye"],
            "lips": networks["retarget_mouth"],
        }

    def run(self, part: str, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return a part's outputs by our names."""
        network = self.networks[part]
        with torch.no_grad():
            if part == "motion":
                return self._motion(network(*inputs.values()))
            if part == "warping":
                feature, source, driving = inputs.values()
                return {"warped": network(feature, kp_source=source, kp_driving=driving)["out"]}
            (name,) = {"appearance": ["feature"], "decoder": ["picture"]}.get(part, ["change"])
            return {name: network(*inputs.values())}

    def rotation(self, pitch: Tensor, yaw: Tensor, roll: Tensor) -> Tensor:
        """(1, 1) each, radians, to (3, 3): what rows of keypoints are multiplied by from the right."""
        turned: Tensor = self._rotation(*(torch.rad2deg(angle).reshape(-1) for angle in (pitch, yaw, roll)))
        return turned[0]

    def _motion(self, told: Mapping[str, Tensor]) -> dict[str, Tensor]:
        angles = {
            name: self._degrees(told[name]).reshape(1, 1) * (math.pi / 180)
            for name in ("pitch", "yaw", "roll")
        }
        points = {"expression": told["exp"].reshape(1, -1, 3), "keypoints": told["kp"].reshape(1, -1, 3)}
        return {**angles, **points, "translation": told["t"], "scale": told["scale"]}


def _loaded(network: nn.Module, weights: Weights) -> nn.Module:
    """Fill a network; what is left out may only be counters of batches, which nothing reads."""
    missing, unknown = network.load_state_dict(dict(weights), strict=False)
    if unknown or any(not name.endswith("num_batches_tracked") for name in missing):
        raise ValueError(f"weights that the published network does not take: {missing[:3]}, {unknown[:3]}")
    return network.eval()
