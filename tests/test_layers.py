"""Imports point one way: messages at the bottom, stages beside each other, programs on top."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Package by package, from the bottom: what each may import from the rest of facepuppet.
ALLOWED: dict[str, set[str]] = {
    "core": set(),
    "face": {"core"},
    "wires": {"core", "face"},
    "voice": {"core", "face", "inference"},
    "media": {"core"},
    "vision": {"core", "face", "inference"},
    "inference": {"core"},
    "watermark": {"core", "media"},
    "sinks": {"core", "media", "watermark"},
    "sound": {"core"},
    "portrait": {"core", "face", "media", "vision"},
    "drivers": {"core", "face", "media", "sound", "vision", "voice", "wires"},
    "senders": {"core", "drivers", "face", "wires"},
    "character": {"core", "face", "inference"},
    "retarget": {"core", "face", "portrait"},
    "frames": {"core", "drivers", "face", "inference", "media", "portrait", "retarget", "watermark"},
}
ALLOWED["testing"] = {"core", "drivers", "media", "sinks", "watermark"}
ALLOWED["session"] = {*ALLOWED} - {"testing"}
ALLOWED["control_room"] = {"core", "face", "media", "session", "sinks", "watermark"}
ALLOWED["server"] = {*ALLOWED} - {"testing", "control_room"}
ALLOWED["diagnose"] = {*ALLOWED} - {"testing", "control_room", "server"}
ALLOWED["cli"] = {*ALLOWED} - {"testing"}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@cache
def imported_modules(path: Path) -> set[str]:
    """Every absolute module name imported anywhere in a file, `from a import b` counted as a.b too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the layer; write it in full"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT / "facepuppet").parts[0].removesuffix(".py")


def importing(unwanted: set[str], paths: list[Path]) -> dict[str, set[str]]:
    """Which of some sources import any of some top packages, and which of them."""
    found = {
        str(path.relative_to(ROOT)): unwanted & {name.split(".")[0] for name in imported_modules(path)}
        for path in paths
    }
    return {path: names for path, names in found.items() if names}


def test_facepuppet_imports_point_down() -> None:
    known = {p.stem if p.is_file() else p.name for p in (ROOT / "facepuppet").iterdir()}
    upward = {}
    for path in sources("facepuppet"):
        layer = layer_of(path)
        if layer == "__init__":
            continue
        assert layer in ALLOWED, f"{layer}: declare which layer this module belongs to, in {__file__}"
        reached = {n.split(".")[1] for n in imported_modules(path) if n.startswith("facepuppet.")}
        upward[str(path.relative_to(ROOT))] = (reached & known) - ALLOWED[layer] - {layer}
    assert len(upward) > 100
    wrong = {path: names for path, names in upward.items() if names}
    assert not wrong, "these may not import that of facepuppet"


def test_the_declared_arrows_have_no_circle() -> None:
    left = {layer: reached - {layer} for layer, reached in ALLOWED.items()}
    while left:
        free = {layer for layer, reached in left.items() if not reached}
        assert free, f"a circle among {sorted(left)}"
        left = {layer: reached - free for layer, reached in left.items() if layer not in free}


def test_the_show_needs_no_training_code() -> None:
    assert not importing({"torch", "torchvision", "calibrate", "tests", "tools"}, sources("facepuppet"))


def test_the_watermark_stands_alone() -> None:
    """A detector must run on a server without a tracker, a camera or a screen."""
    unwanted = {"mediapipe", "pyvirtualcam", "sounddevice", "tkinter"}
    assert not importing(unwanted, sources("facepuppet/watermark"))


def test_mediapipe_has_one_door() -> None:
    door = ROOT / "facepuppet" / "vision"
    others = [path for path in sources("facepuppet") + sources("calibrate") if path.parent != door]
    assert not importing({"mediapipe", "google"}, others)


def test_onnxruntime_has_one_door() -> None:
    """Whoever loads it elsewhere may be the first, and it would report its use."""
    importers = importing({"onnxruntime"}, sources("facepuppet") + sources("calibrate"))
    # The second takes a converter of its, in a function, after going through the door.
    assert {Path(path).stem for path in importers} == {"silent_onnxruntime", "precision"}
    taken = imported_modules(ROOT / "facepuppet/inference/precision.py")
    loaded = {name for name in taken if name.startswith("onnxruntime")}
    assert all(name.startswith("onnxruntime.transformers.") for name in loaded)


def test_import_is_cheap() -> None:
    """`import facepuppet` and the command line's entry load none of the heavy libraries."""
    heavy = ["mediapipe", "cv2", "onnxruntime", "av", "pyvirtualcam", "torch"]
    code = (
        "import sys, facepuppet, facepuppet.cli; "
        f"print(','.join(name for name in {heavy!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_module_name_means_one_thing() -> None:
    """Commands are named after their word, and so is what they run: both keep the name."""
    of_commands = {ROOT / "facepuppet/cli", ROOT / "calibrate/commands"}
    shared_on_purpose = {"__init__", "__main__", "base"}  # base: the socket of each package of plug-ins
    places: dict[str, list[str]] = {}
    for path in (p for package in ("facepuppet", "calibrate", "engines", "tools") for p in sources(package)):
        if path.parent not in of_commands and path.stem not in shared_on_purpose:
            places.setdefault(path.stem, []).append(str(path.relative_to(ROOT)))
    doubled = {name: paths for name, paths in places.items() if len(paths) > 1}
    assert not doubled, f"rename the less central one of {doubled}"


def fronts() -> list[Path]:
    """The stubs that tell what each package offers."""
    return sorted((ROOT / "facepuppet").glob("*/__init__.pyi"))


@pytest.mark.parametrize("folder", ["calibrate", "engines", "tools"])
def test_others_come_in_by_the_front(folder: str) -> None:
    """calibrate, engines and tools import what a package offers, not where it keeps it."""
    deep = [
        f"{path.relative_to(ROOT)}: {node.module}"
        for path in sources(folder)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("facepuppet.")
        if len((node.module or "").split(".")) > 2
    ]
    assert not deep


@pytest.mark.parametrize("stub", fronts(), ids=lambda path: path.parent.name)
def test_what_a_front_names_is_there(stub: Path) -> None:
    """And no name is a module's, too: which of the two an import gives would depend on what ran before."""
    if stub.parent.name == "server" and not (find_spec("aiortc") and find_spec("ray")):
        pytest.skip("needs the extra facepuppet[server]")
    package = import_module(f"facepuppet.{stub.parent.name}")
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            assert getattr(package, alias.name) is not None
            assert alias.name != (node.module or "").rpartition(".")[2]
    assert len(fronts()) == len(ALLOWED) - 1  # `testing` is a module, and its own front
