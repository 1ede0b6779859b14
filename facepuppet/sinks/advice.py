"""The exact command that gives this machine a virtual camera."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

LOAD = "sudo modprobe v4l2loopback exclusive_caps=1 card_label=facepuppet"
INSTALL = {
    "apt-get": "sudo apt-get install v4l2loopback-dkms",
    "dnf": "sudo dnf install v4l2loopback",
    "pacman": "sudo pacman -S v4l2loopback-dkms",
    "zypper": "sudo zypper install v4l2loopback-kmp-default",
}
OBS = "Install OBS Studio 30 or later (https://obsproject.com), open it, press Start Virtual Camera once"


def virtual_camera_advice() -> str:
    """Return one sentence that says what to run or install."""
    system = platform.system()
    if system == "Darwin":
        return f"{OBS}, allow its extension in System Settings, then quit OBS."
    if system == "Windows":
        return f"{OBS}, then quit OBS."
    if module_installed():
        return f"Run `{LOAD}`."
    manager = next((name for name in INSTALL if shutil.which(name)), "apt-get")
    return f"Run `{INSTALL[manager]} && {LOAD}`."


def module_installed() -> bool:
    """Tell whether v4l2loopback is there for the running kernel, loaded or not."""
    modules = Path("/lib/modules", platform.release(), "modules.dep")
    try:
        return "v4l2loopback.ko" in modules.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
