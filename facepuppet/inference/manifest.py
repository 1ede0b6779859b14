"""The list of networks in engines/manifest.toml, and the check that a file is the one listed."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from facepuppet.core.errors import ManifestError

FORMAT = 1
REGIONS = ("mouth", "eye", "frame")
PRECISIONS = ("fp16", "fp32")

Kinds = Mapping[str, type | tuple[type, ...]]
N = TypeVar("N", bound="Network")

KINDS: Kinds = {"name": str, "file": str, "sha256": str, "licence": str, "origin": str}


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A file that an engine can run.

    Attributes:
        name: unique name.
        path: the ONNX file.
        sha256: hex digest the file must have.
        licence: SPDX identifier.
        origin: who trained it, on what.
        precision: "fp16" where a GPU may run it so (and the gate agrees), or "fp32".
        content: the file itself, of a network that came in a pack; its path is only a name then.
        int8: the same network with its convolutions in 8 bits, which CPUs run in a third of the time; None
            where there is none.
        mend: what helps where its file is missing or damaged.
    """

    name: str
    path: Path
    sha256: str
    licence: str
    origin: str
    precision: str = "fp16"
    content: bytes | None = field(default=None, repr=False)
    int8: Network | None = None
    mend: str = "Reinstall facepuppet."


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintingNetwork(Network):
    """A network that paints what a warp cannot show.

    Attributes:
        region: "mouth", "eye" or "frame".
        crop_px: side of the square crop the network sees.
        reach: side of that crop in inter-ocular distances (mouth), eye widths (eye), picture sides (frame).
    """

    region: str
    crop_px: int
    reach: float


def shipped_folder() -> Path:
    """Folder of the installed engines package."""
    return Path(str(files("engines")))


def read_manifest(folder: Path | None = None) -> tuple[PaintingNetwork, ...]:
    """Read the painters of manifest.toml in a folder (default: the installed engines package).

    Raises:
        ManifestError: missing, not TOML, of another format, or an entry that lacks or misstates a field.
    """
    return listed(folder, "network", _painter)


def read_trackers(folder: Path | None = None) -> dict[str, Network]:
    """Read the tracker's networks of the same file, by name.

    Raises:
        ManifestError: as `read_manifest`.
    """
    return {network.name: network for network in listed(folder, "tracker", _tracker)}


def find_network(kind: str, name: str, what: str, folder: Path | None = None) -> Network:
    """Return one network of the same file that is no painter.

    Args:
        kind: of its table: "listener" or "coder", which run on CPUs alone, or "tracker".
        name: its own.
        what: it is, for people.
        folder: of manifest.toml; the installed engines package if None.

    Raises:
        ManifestError: as `read_manifest`; or there is none of that name.
    """
    for network in listed(folder, kind, _tracker):
        if network.name == name:
            return network
    raise ManifestError(
        f"no {kind} {name!r} in {(folder or shipped_folder()) / 'manifest.toml'}",
        what,
        "Reinstall facepuppet.",
    )


def read_all(folder: Path | None = None) -> tuple[Network, ...]:
    """Read every network of the file that a GPU may run: painters, then those of the tracker.

    Raises:
        ManifestError: as `read_manifest`.
    """
    return (*read_manifest(folder), *read_trackers(folder).values())


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
            network.mend,
        ) from problem
    digest = hashlib.sha256(data).hexdigest()
    if digest != network.sha256:
        raise ManifestError(
            f"{network.path.name} with sha256 {digest[:12]}…",
            f"{network.sha256[:12]}… as the manifest says",
            f"The file is damaged or was exchanged. {network.mend}",
        )
    return data


def _read(path: Path) -> dict[str, Any]:
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
    return data


def listed(
    folder: Path | None, table: str, parse: Callable[[dict[str, Any], Path, Path], N]
) -> tuple[N, ...]:
    """Read one kind of table, each entry by `parse`; the installed engines package's if the folder is None.

    Raises:
        ManifestError: as `read_manifest`.
    """
    folder = folder or shipped_folder()
    path = folder / "manifest.toml"
    networks = tuple(parse(entry, folder, path) for entry in _read(path).get(table, []))
    names = [network.name for network in networks]
    if len(set(names)) != len(names):
        raise ManifestError(f"repeated names {names} in {path}", "unique names", "Rename one of them.")
    return networks


def _painter(entry: dict[str, Any], folder: Path, path: Path) -> PaintingNetwork:
    int8 = entry.get("int8")
    kinds = {**KINDS, "region": str, "crop_px": int, "reach": (int, float)}
    right = (
        (int8 is None or _is_file(int8))
        and entry.get("region") in REGIONS
        and isinstance(entry.get("crop_px"), int)
        and 16 <= entry["crop_px"] <= 1024
    )
    check_entry(
        entry, path, kinds, {"precision", "int8"}, right,
        f" with region one of {REGIONS} and crop_px in 16..1024; precision, if given, one of {PRECISIONS}; "
        "int8, if given, a table of file and sha256",
    )  # fmt: skip
    network = PaintingNetwork(
        **common_fields(entry, folder, path),
        region=entry["region"],
        crop_px=entry["crop_px"],
        reach=float(entry["reach"]),
    )
    if int8 is None:
        return network
    file = _inside(folder, int8["file"], path)
    return replace(network, int8=replace(network, path=file, sha256=int8["sha256"].lower()))


def _tracker(entry: dict[str, Any], folder: Path, path: Path) -> Network:
    check_entry(entry, path, KINDS, {"precision"}, True, f"; precision, if given, one of {PRECISIONS}")
    return Network(**common_fields(entry, folder, path))


def check_entry(
    entry: dict[str, Any], path: Path, kinds: Kinds, optional: set[str], right: bool, further: str
) -> None:
    """Check that an entry has every field of its kind, no unknown one, and is right otherwise.

    Raises:
        ManifestError: it is not so; `further` tells what else was expected.
    """
    wrong = [key for key, kind in kinds.items() if not isinstance(entry.get(key), kind)]
    unknown = sorted(set(entry) - {*kinds, *optional})
    if wrong or unknown or not right or entry.get("precision", PRECISIONS[0]) not in PRECISIONS:
        raise ManifestError(
            f"network {entry.get('name', '?')!r} in {path} (missing or wrong: {wrong}, unknown: {unknown})",
            f"{', '.join(kinds)}{further}",
            "Correct the entry.",
        )


def common_fields(entry: dict[str, Any], folder: Path, path: Path) -> dict[str, Any]:
    """Return what a Network of any kind is made of.

    Raises:
        ManifestError: its file lies outside of the folder.
    """
    return {
        "name": entry["name"],
        "path": _inside(folder, entry["file"], path),
        "sha256": entry["sha256"].lower(),
        "licence": entry["licence"],
        "origin": entry["origin"],
        "precision": entry.get("precision", PRECISIONS[0]),
    }


def _is_file(value: object) -> bool:
    if not isinstance(value, dict) or set(value) != {"file", "sha256"}:
        return False
    return all(isinstance(text, str) for text in value.values())


def _inside(folder: Path, file: str, manifest: Path) -> Path:
    target = (folder / file).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise ManifestError(f"file {file!r} in {manifest}", "a path inside its folder", "Correct it.")
    return target
