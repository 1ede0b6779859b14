"""Networks that a user has brought: LivePortrait's, as `facepuppet engines import liveportrait` leaves them.

They lie in a folder of the user's data with a manifest of their own, which is written last: where there is no
manifest, nothing was imported, or not wholly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import platformdirs

from facepuppet.core.errors import ManifestError
from facepuppet.inference.manifest import (
    KINDS,
    Network,
    check_entry,
    common_fields,
    listed,
)

_IMPORT = "Import it: facepuppet engines import liveportrait FOLDER"
MEND = "Import it again: facepuppet engines import liveportrait FOLDER"
PICTURE_PX, SHOWN_PX, N_KEYPOINTS = 256, 512, 21
_PREFIX = "liveportrait-"
Shapes = Mapping[str, tuple[int, ...]]

_SEEN, _POINTS = (1, 3, PICTURE_PX, PICTURE_PX), (1, N_KEYPOINTS, 3)
_FEATURE, _WARPED, _N = (1, 32, 16, 64, 64), (1, 256, 64, 64), 3 * N_KEYPOINTS
# Each part's inputs and outputs; all are float32, pictures RGB in 0..1, angles radians.
SIGNATURES: Mapping[str, tuple[Shapes, Shapes]] = MappingProxyType(
    {
        "appearance": ({"picture": _SEEN}, {"feature": _FEATURE}),
        "motion": (
            {"picture": _SEEN},
            {
                **dict.fromkeys(("pitch", "yaw", "roll"), (1, 1)),
                **{"translation": (1, 3), "expression": _POINTS, "scale": (1, 1), "keypoints": _POINTS},
            },
        ),
        "warping": (
            {"feature": _FEATURE, "source_keypoints": _POINTS, "driving_keypoints": _POINTS},
            {"warped": _WARPED},
        ),
        "decoder": ({"warped": _WARPED}, {"picture": (1, 3, SHOWN_PX, SHOWN_PX)}),
        "stitching": ({"keypoints": (1, 2 * _N)}, {"change": (1, _N + 2)}),
        "eyes": ({"keypoints": (1, _N + 3)}, {"change": (1, _N)}),
        "lips": ({"keypoints": (1, _N + 2)}, {"change": (1, _N)}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorNetwork(Network):
    """One part of a network that makes whole pictures of a head.

    Attributes:
        size: of its file in bytes.
        inputs: shapes by name.
        outputs: the same.
    """

    size: int
    inputs: Shapes
    outputs: Shapes

    @property
    def part(self) -> str:
        """Which of SIGNATURES it is."""
        return self.name.removeprefix(_PREFIX)


def liveportrait_folder() -> Path:
    """Folder of the imported networks; it need not be there."""
    return Path(platformdirs.user_data_dir("facepuppet", appauthor=False)) / "engines" / "liveportrait"


def is_imported(folder: Path | None = None) -> bool:
    """Tell whether an import was finished, for what it costs to look for one file."""
    return ((folder or liveportrait_folder()) / "manifest.toml").is_file()


def read_generators(folder: Path | None = None) -> dict[str, GeneratorNetwork]:
    """Read the manifest of an import and look at its files; what is in them is checked when they are opened.

    Args:
        folder: of the import; the user's own if None.

    Returns:
        The networks by their part, every part of SIGNATURES.

    Raises:
        ManifestError: no import, one that is not whole, or one of networks with other inputs and outputs.
    """
    folder = folder or liveportrait_folder()
    if not is_imported(folder):
        raise ManifestError(f"no import of LivePortrait in {folder}", "one", _IMPORT)
    try:
        networks = {network.part: network for network in listed(folder, "generator", _generator)}
    except ManifestError as problem:
        raise ManifestError(problem.got, problem.expected, MEND) from problem
    missing = [part for part in SIGNATURES if part not in networks]
    if missing or len(networks) > len(SIGNATURES):
        raise ManifestError(
            f"an import in {folder} with {', '.join(networks) or 'no parts'}", ", ".join(SIGNATURES), MEND
        )
    for network in networks.values():
        _look_at(network)
    return networks


def imported_networks(folder: Path | None = None) -> tuple[GeneratorNetwork, ...]:
    """Return the networks of an import, in the order of SIGNATURES; none where there is no sound one."""
    if not is_imported(folder):
        return ()
    try:
        networks = read_generators(folder)
    except ManifestError:  # told by whoever wants to use them
        return ()
    return tuple(networks[part] for part in SIGNATURES)


def _generator(entry: dict[str, Any], folder: Path, path: Path) -> GeneratorNetwork:
    name = entry.get("name", "")
    signature = SIGNATURES.get(str(name).removeprefix(_PREFIX))
    shapes = [_shapes(entry.get(key)) for key in ("inputs", "outputs")]
    right = signature is not None and shapes == [dict(side) for side in signature]
    kinds = {**KINDS, "size": int, "inputs": dict, "outputs": dict}
    expected = f", and the inputs and outputs of the published network: {_told(signature)}"
    check_entry(entry, path, kinds, {"precision"}, right, expected)
    assert signature is not None  # checked above
    return GeneratorNetwork(
        **common_fields(entry, folder, path),
        mend=MEND,
        size=entry["size"],
        inputs=signature[0],
        outputs=signature[1],
    )


def _shapes(value: object) -> dict[str, tuple[int, ...]] | None:
    if not isinstance(value, dict) or not all(isinstance(shape, list) for shape in value.values()):
        return None
    return {str(name): tuple(shape) for name, shape in value.items()}


def _told(signature: tuple[Shapes, Shapes] | None) -> str:
    if signature is None:
        return f"a name of {_PREFIX}{', '.join(SIGNATURES)}"
    return "; ".join(
        ", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in side.items()) for side in signature
    )


def _look_at(network: GeneratorNetwork) -> None:
    """Compare a file's size with the manifest's, which finds what was cut off without reading 500 MB.

    Raises:
        ManifestError: no file, or one of another size.
    """
    try:
        size = network.path.stat().st_size
    except OSError as problem:
        raise ManifestError(
            f"no readable file {network.path} ({problem.strerror})", f"part {network.part} of an import", MEND
        ) from problem
    if size != network.size:
        raise ManifestError(
            f"{network.path} of {size} bytes", f"{network.size} bytes, as its manifest says", MEND
        )
