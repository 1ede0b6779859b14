"""What works on this machine, what does not, and the exact command that mends it."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from facepuppet.core.hardware import describe_hardware

_PACKAGES = ("numpy", "cv2", "onnxruntime", "av", "PIL")
_ELSEWHERE = ("pyvirtualcam", "cv2_enumerate_cameras")  # than on Linux
_DOORS = {"onnxruntime": "facepuppet.inference.silent_onnxruntime"}  # else it reports its use
_WHEELS = {"cv2": "opencv-python", "PIL": "pillow"}
_APT = "sudo apt-get install libgl1 libegl1 libgles2 libglib2.0-0"
_REINSTALL = "pip install --force-reinstall"


class Verdict(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"  # something optional is missing
    FAIL = "fail"  # facepuppet cannot work


@dataclass(frozen=True, slots=True)
class Check:
    """One finding.

    Attributes:
        name: what was looked at.
        verdict: how it came out.
        detail: what was found.
        mend: the command or step that mends it; empty when there is nothing to mend.
    """

    name: str
    verdict: Verdict
    detail: str
    mend: str = ""


def examine_machine() -> list[Check]:
    """Run every check; none raises, none changes anything but a probe file in the cache folder."""
    return [found for check in _CHECKS for found in _told(check)]


def _told(check: Callable[[], Check | list[Check]]) -> list[Check]:
    """Run a check; one that fails unforeseen is a finding too."""
    try:
        found = check()
        return found if isinstance(found, list) else [found]
    except Exception as error:
        name = check.__name__.removeprefix("_").replace("_", " ")
        return [Check(name, Verdict.FAIL, f"{type(error).__name__}: {error}", "facepuppet --debug doctor")]


def _python() -> Check:
    version = platform.python_version()
    if (3, 11) <= sys.version_info[:2] <= (3, 14):
        return Check("python", Verdict.OK, f"{version} at {sys.executable}")
    return Check("python", Verdict.FAIL, f"{version}; 3.11 to 3.14 is needed", "uv venv --python 3.14")


def _packages() -> Check:
    missing, libraries, found = [], [], []
    wheels = importlib.metadata.packages_distributions()  # cv2 may come from any of OpenCV's, or from two
    for module in _PACKAGES if sys.platform == "linux" else _PACKAGES + _ELSEWHERE:
        try:
            importlib.import_module(_DOORS.get(module, module))
            of_module = sorted(set(wheels.get(module, ())))
            found += [f"{wheel} {importlib.metadata.version(wheel)}" for wheel in of_module] or [module]
        except ModuleNotFoundError:
            missing.append(_WHEELS.get(module, module))
        except (ImportError, OSError) as error:
            libraries.append(f"{_WHEELS.get(module, module)}: {error}")
    if missing:
        return Check("packages", Verdict.FAIL, f"missing: {', '.join(missing)}", "pip install facepuppet")
    if libraries:
        mend = _APT if any("lib" in text for text in libraries) else f"{_REINSTALL} facepuppet"
        return Check("packages", Verdict.FAIL, "; ".join(libraries), mend)
    return Check("packages", Verdict.OK, ", ".join(found))


def _networks() -> Check:
    from facepuppet.core.errors import ManifestError
    from facepuppet.inference.manifest import read_manifest, read_trackers, read_verified

    try:
        painters, trackers = read_manifest(), read_trackers()
        for network in (*painters, *trackers.values()):
            read_verified(network)
    except ManifestError as error:
        return Check("networks", Verdict.FAIL, str(error), f"{_REINSTALL} facepuppet")
    found = ", ".join(network.name for network in painters) or "no painters, mouth and eyes are drawn"
    return Check("networks", Verdict.OK, f"{len(trackers)} of the tracker; {found}")


def _virtual_camera() -> list[Check]:
    from facepuppet.diagnose.camera_advice import examine_camera_way

    return examine_camera_way()


def _cameras() -> Check:
    from facepuppet.media.devices import list_cameras

    found = list_cameras()
    if not found:
        return Check("cameras", Verdict.WARN, "none", "Plug one in, or use --camera FILE.")
    unreadable = [c for c in found if c.path and not os.access(c.path, os.R_OK | os.W_OK)]
    if unreadable:
        return Check(
            "cameras", Verdict.WARN, f"no permission: {unreadable[0]}", "sudo usermod -aG video $USER"
        )
    return Check("cameras", Verdict.OK, ", ".join(map(str, found)))


def _gpu() -> Check:
    from facepuppet.inference.silent_onnxruntime import ort

    providers = [p.removesuffix("ExecutionProvider") for p in ort.get_available_providers()]
    detail = f"ONNX Runtime offers {', '.join(providers)}"
    if not shutil.which("nvidia-smi"):
        return Check("gpu", Verdict.OK, f"no NVIDIA GPU, none is needed; {detail}")
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    asked = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    if asked.returncode != 0:
        return Check("gpu", Verdict.WARN, "nvidia-smi fails; the CPU is used", "nvidia-smi")
    return Check("gpu", Verdict.OK, f"{asked.stdout.strip()}; {detail}")


def _engines() -> Check:
    from facepuppet.core.errors import EngineError
    from facepuppet.inference import Runtime
    from facepuppet.inference.runtime import candidates

    works, fails = [], []
    for name in candidates():
        try:
            works.append(Runtime().require(name))
        except EngineError as problem:
            fails.append(problem)
    detail = f"{works[0]} runs the painters"
    if len(works) > 1:
        detail += f"; also {', '.join(works[1:])}"
    if fails:
        told = "; ".join(f"got {problem.got}, expected {problem.expected}" for problem in fails)
        return Check("engines", Verdict.WARN, f"{detail}; {told}", fails[0].todo)
    return Check("engines", Verdict.OK, detail)


def _frames() -> Check:
    from facepuppet.core.errors import EngineError
    from facepuppet.frames.cuda.device import Device
    from facepuppet.inference import Runtime
    from facepuppet.inference.on_device import ON_DEVICE
    from facepuppet.inference.runtime import candidates

    for name in candidates():
        if name not in ON_DEVICE:
            continue
        try:
            gpu = Runtime(name).gpu(name)
        except EngineError:  # told by the check of the engines
            continue
        try:
            Device(gpu).compile()
        except EngineError as problem:
            detail = f"made on the CPU; got {problem.got}, expected {problem.expected}"
            return Check("frames", Verdict.WARN, detail, "pip install 'facepuppet[gpu]'")
        return Check("frames", Verdict.OK, f"CUDA kernels on {gpu.name}")
    return Check("frames", Verdict.OK, "made on the CPU")


def _liveportrait() -> Check:
    from facepuppet.core.errors import ManifestError
    from facepuppet.inference.imported_networks import is_imported, read_generators
    from facepuppet.inference.manifest import read_verified
    from facepuppet.inference.runtime import candidates

    name = "liveportrait"
    if not is_imported():
        return Check(name, Verdict.OK, "not imported, none is needed")
    try:
        networks = read_generators().values()
        for network in networks:
            read_verified(network)
    except ManifestError as error:
        return Check(name, Verdict.WARN, f"not used: got {error.got}, expected {error.expected}", error.todo)
    detail = f"imported, {sum(network.size for network in networks) / 1e6:.0f} MB"
    engines = [engine for engine in candidates() if engine != "cpu"]
    where = (
        f"tried on {engines[0]} by --maker auto" if engines else "no GPU: seconds a picture, auto leaves it"
    )
    return Check(name, Verdict.OK, f"{detail}; {where}")


def _display() -> Check:
    from facepuppet.sinks.preview_window import display_reachable

    if display_reachable():
        return Check("display", Verdict.OK, "a preview window can be opened")
    return Check("display", Verdict.WARN, "none", "Start from a desktop for --sink window; the rest works.")


def _sound() -> Check:
    from facepuppet.diagnose.sound_check import examine_sound

    return examine_sound()


def _speech() -> Check:
    from facepuppet.core.errors import SpeechError
    from facepuppet.drivers.voice.saying import ESPEAK
    from facepuppet.drivers.voice.speech_command import SpeechCommand

    try:
        command = SpeechCommand(ESPEAK)
    except SpeechError as error:
        return Check(
            "speech", Verdict.WARN, f"no {ESPEAK.split()[0]}; only --driver say needs it", error.todo
        )
    return Check("speech", Verdict.OK, f"{command.name} speaks for --driver say")


def _cache_folder() -> Check:
    import platformdirs

    folder = Path(platformdirs.user_cache_dir("facepuppet", appauthor=False))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return Check("cache folder", Verdict.WARN, f"{folder}: {error.strerror}", f"chmod u+rwx '{folder}'")
    return Check("cache folder", Verdict.OK, str(folder))


def _machine() -> Check:
    machine = describe_hardware()
    detail = f"{machine.cpu}, {machine.cores} cores, {machine.memory_gb} GB"
    if machine.cores < 2:
        return Check("machine", Verdict.WARN, detail, "Two cores are needed for 30 frames a second.")
    return Check("machine", Verdict.OK, detail)


_CHECKS = (
    _python,
    _machine,
    _packages,
    _networks,
    _cameras,
    _virtual_camera,
    _gpu,
    _engines,
    _frames,
    _liveportrait,
    _display,
    _sound,
    _speech,
    _cache_folder,
)
