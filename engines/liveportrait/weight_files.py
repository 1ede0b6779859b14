"""Finding the published weights in a folder, reading them without running anything, and checking them."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from engines.liveportrait.folding import Weights
from engines.liveportrait.published_layout import published_layout
from facepuppet.core import FacepuppetError

SUFFIXES = (".safetensors", ".pth")  # in this order where a folder has both: the first can hold no code
_DEPTH = 4  # folders deep that are looked into
_EXPECTED = "LivePortrait's published weights for people"
_FLOATS = (torch.float32, torch.float16, torch.bfloat16)


class WeightsError(FacepuppetError):
    """Weights that a user brings, and that are not those expected."""


def find_weights(folder: Path, wanted: Iterable[str]) -> dict[str, Path]:
    """Return files of weights by name.

    Args:
        folder: with them in it, or in folders inside; those for animals are passed over.
        wanted: names of `published_layout`.

    Raises:
        WeightsError: no folder; files are missing, or there in several places.
    """
    if not folder.is_dir():
        raise WeightsError(f"'{folder}', which is no folder", f"the folder with {_EXPECTED}", "Name it.")
    if "animal" in folder.resolve().name.lower() or "animal" in folder.resolve().parent.name.lower():
        raise WeightsError(f"'{folder}', the weights for animals", _EXPECTED, "Name the folder beside it.")
    found: dict[str, list[Path]] = {name: [] for name in wanted}
    for path in sorted(_files(folder, _DEPTH)):
        if path.stem in found and path.suffix in SUFFIXES:
            found[path.stem].append(path)
    missing = [name for name, paths in found.items() if not paths]
    if missing:
        raise WeightsError(
            f"'{folder}' without {', '.join(missing)} (.pth or .safetensors)",
            f"{_EXPECTED}, all of them",
            "Download what is missing; nothing was imported.",
        )
    return {name: _one(name, paths) for name, paths in found.items()}


def read_weights(path: Path) -> Weights:
    """Return a file's weights in fp32, by their published names, with every name, shape and number checked.

    Raises:
        WeightsError: it cannot be read, wants to run code, or holds other weights.
    """
    table = dict(_flat(_read(path)))
    expected = published_layout()[path.stem]
    _check_names(path, table, expected)
    for name, shape in expected.items():
        value = table[name]
        if tuple(value.shape) != shape or value.dtype not in _FLOATS:
            got = f"{name} of {tuple(value.shape)} ({str(value.dtype).removeprefix('torch.')})"
            raise _other(path, f"{got} where {shape} is expected")
        if not bool(torch.isfinite(value).all()):
            raise _other(path, f"numbers in {name} that are none (NaN or infinite): it is damaged")
    return {name: table[name].float().contiguous() for name in expected}


def _files(folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = list(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.is_file():
            yield entry
        elif depth and entry.is_dir() and "animal" not in entry.name.lower() and not entry.is_symlink():
            yield from _files(entry, depth - 1)


def _one(name: str, paths: list[Path]) -> Path:
    folders = {path.parent for path in paths}
    if len(folders) > 1:
        raise WeightsError(
            f"{name} in several places ({', '.join(sorted(map(str, folders)))})",
            "one set of weights",
            "Name the folder of one of them, with all files in it.",
        )
    return min(paths, key=lambda path: SUFFIXES.index(path.suffix))


def _read(path: Path) -> object:
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles that it then refuses, in our words
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as problem:
        raise _other(
            path, "more than numbers: it is damaged, or a pickle that wants to run code"
        ) from problem
    except Exception as problem:  # what torch raises for files that are none has no common base
        raise _unreadable(path, problem) from problem


def _read_safetensors(path: Path) -> object:
    try:
        from safetensors.torch import load_file
    except ImportError as problem:
        raise WeightsError(
            f"{path.name} without the package safetensors",
            "it, to read this file",
            "pip install 'facepuppet[train]'",
        ) from problem
    try:
        return load_file(path)
    except Exception as problem:  # as above
        raise _unreadable(path, problem) from problem


def _flat(table: object, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Names and tensors of a table of tables, without what wrappers of training put around names."""
    if not isinstance(table, Mapping):
        return
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, Tensor):
            name = re.sub(r"^(retarget_[a-z]+)_module\.", r"\1.", name)
            name = re.sub(r"(^|\.)module\.", r"\1", name)
            if not name.endswith("num_batches_tracked"):
                yield name, value
        else:
            yield from _flat(value, f"{name}.")


def _check_names(path: Path, table: Iterable[str], expected: Iterable[str]) -> None:
    missing, unknown = sorted({*expected} - {*table}), sorted({*table} - {*expected})
    if missing or unknown:
        kinds = [
            f"{len(n)} names {kind} (as {n[0]})"
            for n, kind in ((missing, "missing"), (unknown, "unknown"))
            if n
        ]
        raise _other(path, " and ".join(kinds))


def _other(path: Path, what: str) -> WeightsError:
    return WeightsError(
        f"'{path}' with {what}", _EXPECTED, "Download the file again, or the right version of it."
    )


def _unreadable(path: Path, problem: Exception) -> WeightsError:
    words = " ".join(str(problem).split())[:160]
    return WeightsError(f"'{path}', which cannot be read ({words})", _EXPECTED, "Download the file again.")
