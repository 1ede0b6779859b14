"""From a folder of published weights to a folder of ONNX files with a manifest, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engines.liveportrait.onnx_parts import PARTS, Part, export
from engines.liveportrait.weight_files import WeightsError, find_weights, read_weights
from facepuppet.core import OutputUnwritableError, __version__, write_whole

FORMAT = 1  # of the manifest, as facepuppet.inference reads it
_FORM = 1  # of the graphs: another number makes those of an earlier import stale
_LICENCE = "MIT"
_NEEDED_BYTES = 650_000_000
_MANIFEST, _JOURNAL = "manifest.toml", "journal.toml"

Show = Callable[[str, int, int | None], None]
Entry = Mapping[str, Any]


def import_liveportrait(folder: Path, into: Path, show: Show, parts: Sequence[Part] = PARTS) -> bool:
    """Check the published weights, and write their networks with a manifest.

    They are made in a folder beside, which takes its name when all is there: what was imported before stays
    until then. Broken off, the next call goes on after the last finished file.

    Args:
        folder: of the weights.
        into: folder to be made; an earlier one is replaced.
        show: is told phase, done and total.
        parts: what to import.

    Returns:
        False where just these weights had been imported already.

    Raises:
        WeightsError: see `find_weights` and `read_weights`.
        OutputUnwritableError: no room, no permission, or a folder with anything else in it.
    """
    _check_place(into)
    files = find_weights(folder, dict.fromkeys(part.weights for part in parts))
    origins = _checked(files, show)
    entries = _entries(into / _MANIFEST)
    if all(_is_done(entries.get(part.name), into, origins[part.weights]) for part in parts):
        return False
    staging = into.with_name(f".{into.name}.part")
    _prepare(staging)
    done = {
        part.name: entry
        for part in parts
        if (entry := _entries(staging / _JOURNAL).get(part.name)) is not None
        and _is_done(entry, staging, origins[part.weights])
    }
    for i, part in enumerate(parts):
        show("write", i, len(parts))
        if part.name not in done:
            done[part.name] = _write(part, files[part.weights], origins[part.weights], staging)
            write_whole(staging / _JOURNAL, _manifest(done))
    write_whole(staging / _MANIFEST, _manifest(done))
    _take_name(staging, into)
    show("write", len(parts), len(parts))
    return True


def _check_place(into: Path) -> None:
    """Refuse to replace what no import has left."""
    ours = {f"{part.name}.onnx" for part in PARTS} | {_MANIFEST, _JOURNAL}
    try:
        strangers = sorted({path.name for path in into.iterdir()} - ours) if into.exists() else []
    except OSError:
        strangers = [into.name]
    if strangers:
        raise OutputUnwritableError(
            f"'{into}', which is no folder of an import ({strangers[0]})",
            "one of an earlier import, an empty one, or a new name",
            "Choose another with --into.",
        )


def _checked(files: Mapping[str, Path], show: Show) -> dict[str, str]:
    """Read every file before anything is written; return where each comes from, for the manifest."""
    origins = {}
    for i, (name, path) in enumerate(files.items()):
        show("check", i, len(files))
        read_weights(path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        origins[name] = (
            f"LivePortrait, {path.name} (sha256 {digest}), imported by facepuppet {__version__}, form {_FORM}"
        )
    show("check", len(files), len(files))
    return origins


def _prepare(staging: Path) -> None:
    try:
        staging.mkdir(parents=True, exist_ok=True)
        for half_written in staging.glob(".*"):
            half_written.unlink()
        there = sum(path.stat().st_size for path in staging.iterdir())
        free = shutil.disk_usage(staging).free
    except OSError as problem:
        raise OutputUnwritableError(
            f"'{staging.parent}' ({problem.strerror or problem})",
            "a folder that can be written",
            "Choose another with --into.",
        ) from problem
    if free + there < _NEEDED_BYTES:
        raise OutputUnwritableError(
            f"{free / 1e6:.0f} MB free for '{staging.parent}'",
            f"{(_NEEDED_BYTES - there) / 1e6:.0f} MB",
            "Make room; what is finished is kept, and the next import goes on from there.",
        )


def _write(part: Part, file: Path, origin: str, staging: Path) -> Entry:
    try:
        data = export(part, read_weights(file))
    except ValueError as problem:
        raise WeightsError(
            f"'{file}', with which {problem}", "weights of a trained network", "Download the file again."
        ) from problem
    write_whole(staging / f"{part.name}.onnx", data)
    return {
        "name": f"liveportrait-{part.name}",
        "file": f"{part.name}.onnx",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "licence": _LICENCE,
        "origin": origin,
        **({} if part.half else {"precision": "fp32"}),
        "inputs": dict(part.inputs),
        "outputs": dict(part.outputs),
    }


def _manifest(entries: Mapping[str, Entry]) -> bytes:
    text = f"# Made by `facepuppet engines import liveportrait`.\nformat = {FORMAT}\n"
    for entry in entries.values():
        text += "\n[[generator]]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in entry.items())
    return text.encode()


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)  # strings, numbers and lists are written alike


def _entries(manifest: Path) -> dict[str, Entry]:
    """Return what a manifest lists, by part; nothing where there is none to read."""
    try:
        listed = tomllib.loads(manifest.read_text(encoding="utf-8"))["generator"]
        return {entry["name"].removeprefix("liveportrait-"): entry for entry in listed}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _is_done(entry: Entry | None, folder: Path, origin: str) -> bool:
    if entry is None or entry.get("origin") != origin:
        return False
    try:
        with (folder / str(entry.get("file"))).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == entry.get("sha256")
    except OSError:
        return False


def _take_name(staging: Path, into: Path) -> None:
    earlier = into.with_name(f".{into.name}.earlier")
    try:
        (staging / _JOURNAL).unlink()
        shutil.rmtree(earlier, ignore_errors=True)
        if into.exists():
            into.rename(earlier)
        staging.rename(into)
        shutil.rmtree(earlier, ignore_errors=True)
    except OSError as problem:
        raise OutputUnwritableError(
            f"'{into}', which cannot be replaced ({problem.strerror or problem})",
            "a folder that no running program holds open",
            "End what uses it, and import again.",
        ) from problem
