"""The exact command that gives this machine a virtual camera."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

from facepuppet.media.loopback_driver import LOOPBACK_MODULE, loopback_version

LOAD = "sudo modprobe v4l2loopback exclusive_caps=1 card_label=facepuppet"
RELOAD = f"sudo modprobe -r v4l2loopback && {LOAD}"
TWO_DEVICES = "sudo modprobe -r v4l2loopback && sudo modprobe v4l2loopback devices=2 exclusive_caps=1,1"
ADD = "sudo v4l2loopback-ctl add -x 1 -n facepuppet"
ADDS_FROM = (0, 13)  # earlier drivers make all of their devices when they are loaded
INSTALL = {
    "apt-get": "sudo apt-get install v4l2loopback-dkms",
    "dnf": "sudo dnf install v4l2loopback",
    "pacman": "sudo pacman -S v4l2loopback-dkms",
    "zypper": "sudo zypper install v4l2loopback-kmp-default",
}
OBS_ON_MACS = (
    "Install OBS Studio 30 or later (https://obsproject.com), open it, press Start Virtual Camera once, "
    "allow its extension in System Settings, then quit OBS."
)
ON_WINDOWS = (
    "Install OBS Studio 26 or later (https://obsproject.com); or, without OBS, Unity Capture "
    "(https://github.com/schellingb/UnityCapture): run its Install.bat as administrator."
)


def virtual_camera_advice(module: Path = LOOPBACK_MODULE) -> str:
    """Return one sentence that says what to run or install where there is no virtual camera."""
    system = platform.system()
    if system == "Darwin":
        return OBS_ON_MACS
    if system == "Windows":
        return ON_WINDOWS
    if loopback_version(module) is not None:  # without a device: loading it again would do nothing
        return f"Run `{ADD if _can_add(module) else RELOAD}`."
    if module_installed():
        return f"Run `{LOAD}`."
    manager = next((name for name in INSTALL if shutil.which(name)), "apt-get")
    return f"Run `{INSTALL[manager]} && {LOAD}`."


def second_camera_advice(module: Path = LOOPBACK_MODULE) -> str:
    """Return one sentence that says what to do where another program feeds the only device."""
    if _can_add(module):
        return f"Stop the other program, or add a second device: `{ADD}`."
    return f"Stop the other program; for two devices, then `{TWO_DEVICES}`."


def _can_add(module: Path) -> bool:
    return (loopback_version(module) or (0,)) >= ADDS_FROM and shutil.which("v4l2loopback-ctl") is not None


def module_installed() -> bool:
    """Tell whether v4l2loopback is there for the running kernel, loaded or not."""
    modules = Path("/lib/modules", platform.release(), "modules.dep")
    try:
        return "v4l2loopback.ko" in modules.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
