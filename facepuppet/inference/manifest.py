"""The list of networks in engines/manifest.toml, and the check that a file is the one listed."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from facepuppet.core.errors import ManifestError

FORMAT = 1
REGIONS = ("mouth", "eye", "frame")
PRECISIONS = ("fp16", "fp32")


@dataclass(frozen=True, slots=True)
class Network:
    """One entry of the manifest.

    Attributes:
        name: unique name.
        path: the ONNX file.
        sha256: hex digest the file must have.
        region: "mouth", "eye" or "frame".
        crop_px: side of the square crop the network sees.
        reach: side of that crop in inter-ocular distances (mouth), eye widths (eye), picture sides (frame).
        licence: SPDX identifier.
        origin: who trained it, on what.
        precision: "fp16" where a GPU may run it so (and the gate agrees), or "fp32".
        content: the file itself, of a network that came in a pack; its path is only a name then.
        int8: the same network with its convolutions in 8 bits, which CPUs run in a third of the time; None
            where there is none.
    """

    name: str
    path: Path
    sha256: str
    region: str
    crop_px: int
    reach: float
    licence: str
    origin: str
    precision: str = "fp16"
    content: bytes | None = field(default=None, repr=False)
    int8: Network | None = None


def shipped_folder() -> Path:
    """Folder of the installed engines package."""
    return Path(str(files("engines")))


def read_manifest(folder: Path | None = None) -> tuple[Network, ...]:
    """Read manifest.toml in a folder (default: the installed engines package).

    Raises:
        ManifestError: missing, not TOML, of another format, or an entry that lacks or misstates a field.
    """
    folder = folder or shipped_folder()
    path = folder / "manifest.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise ManifestError(
            f"{path}: {problem}", "a readable TOML manifest", "Reinstall facepuppet."
        ) from problem
    if data.get("format") != FORMAT:
        raise ManifestError(
            f"manifest format {data.get('format')!r} in {path}",
            f"format {FORMAT}",
            "Install a facepuppet version that matches these engines.",
        )
    networks = tuple(_parse(entry, folder, path) for entry in data.get("network", []))
    names = [network.name for network in networks]
    if len(set(names)) != len(names):
        raise ManifestError(f"repeated names {names} in {path}", "unique names", "Rename one of them.")
    return networks


def read_verified(network: Network) -> bytes:
    """Return the network file's bytes.

    Raises:
        ManifestError: the file is missing or its digest differs.
    """
    try:
        data = network.path.read_bytes() if network.content is None else network.content
    except OSError as problem:
        raise ManifestError(
            f"no readable file {network.path} ({problem})",
            f"the weights of network {network.name!r}",
            "Reinstall facepuppet.",
        ) from problem
    digest = hashlib.sha256(data).hexdigest()
    if digest != network.sha256:
        raise ManifestError(
            f"{network.path.name} with sha256 {digest[:12]}…",
            f"{network.sha256[:12]}… as the manifest says",
            "The file is damaged or was exchanged: reinstall facepuppet.",
        )
    return data


def _parse(entry: dict[str, Any], folder: Path, path: Path) -> Network:
    kinds: dict[str, type | tuple[type, ...]] = {
        "name": str, "file": str, "sha256": str, "region": str,
        "crop_px": int, "reach": (int, float), "licence": str, "origin": str,
    }  # fmt: skip
    wrong = [key for key, kind in kinds.items() if not isinstance(entry.get(key), kind)]
    unknown = sorted(set(entry) - {*kinds, "precision", "int8"})
    precision, int8 = entry.get("precision", PRECISIONS[0]), entry.get("int8")
    if int8 is not None and not _is_file(int8):
        wrong.append("int8")
    if (
        wrong
        or unknown
        or entry["region"] not in REGIONS
        or precision not in PRECISIONS
        or not 16 <= entry["crop_px"] <= 1024
    ):
        raise ManifestError(
            f"network {entry.get('name', '?')!r} in {path} (missing or wrong: {wrong}, unknown: {unknown})",
            f"{', '.join(kinds)} with region one of {REGIONS} and crop_px in 16..1024; "
            f"precision, if given, one of {PRECISIONS}; int8, if given, a table of file and sha256",
            "Correct the entry.",
        )
    network = Network(
        entry["name"], _inside(folder, entry["file"], path), entry["sha256"].lower(), entry["region"],
        entry["crop_px"], float(entry["reach"]), entry["licence"], entry["origin"], precision,
    )  # fmt: skip
    if int8 is None:
        return network
    file = _inside(folder, int8["file"], path)
    return replace(network, int8=replace(network, path=file, sha256=int8["sha256"].lower()))


def _is_file(value: object) -> bool:
    if not isinstance(value, dict) or set(value) != {"file", "sha256"}:
        return False
    return all(isinstance(text, str) for text in value.values())


def _inside(folder: Path, file: str, manifest: Path) -> Path:
    target = (folder / file).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise ManifestError(f"file {file!r} in {manifest}", "a path inside its folder", "Correct it.")
    return target
