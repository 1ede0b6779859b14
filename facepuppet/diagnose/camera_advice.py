"""Whether other programs will see the virtual camera, and what to do where they will not.

What is told of drivers comes from their sources: v4l2loopback's ChangeLog and control calls, pyvirtualcam's
back ends and the requirements that it names.
"""

from __future__ import annotations

import os
import platform
import plistlib
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from facepuppet.diagnose.doctor import Check, Verdict
from facepuppet.media.devices import OBS_APP, VirtualCameraInfo, list_virtual_cameras
from facepuppet.media.loopback_driver import loopback_version
from facepuppet.sinks.advice import OBS_ON_MACS, RELOAD, virtual_camera_advice

ROOT = Path("/")
MODULE = "sys/module/v4l2loopback"
SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
MODULE_KEYS = (  # where Debian's DKMS, Ubuntu's and Fedora's akmods keep the one that they sign with
    "var/lib/dkms/mok.pub",
    "var/lib/shim-signed/mok/MOK.der",
    "etc/pki/akmods/certs/public_key.der",
)
TOOL = "v4l2loopback-ctl"
NEW_CALLS_FROM = (0, 15)  # such a driver still answers to the old numbers; an older one knows not the new
ONE_READER_FROM = (0, 13)
PORTAL_FROM = 41  # of Fedora: Firefox asks PipeWire
EXTENSIONS_FROM = 13  # of macOS: pyvirtualcam speaks to OBS's camera extension alone
OBS_WITH_EXTENSION = 30
OBS_EXTENSION = "com.obsproject.obs-studio.mac-camera-extension"
CAMERA_CONSENT = (
    r"HKCU\Software\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore\webcam\NonPackaged"
)

Ask = Callable[..., str]


def examine_camera_way(root: Path = ROOT) -> list[Check]:
    """Look at all that lies between us and the programs that shall see the camera; the camera first."""
    more = (
        examine_loopback_tool(root),
        examine_secure_boot(root),
        examine_camera_portal(root),
        examine_obs_on_mac(),
        examine_camera_consent(),
    )
    return [examine_virtual_camera(root), *filter(None, more)]


def examine_virtual_camera(root: Path = ROOT) -> Check:
    """Look for a virtual camera, and for what would hide it from other programs.

    Args:
        root: of the file system, on Linux.
    """
    found = list_virtual_cameras(root / "sys/class/video4linux", root / MODULE / "parameters")
    version = loopback_version(root / MODULE) if platform.system() == "Linux" else None
    driver = "" if version is None else f"v4l2loopback {_dotted(version)}"
    if not found:
        detail = f"{driver} is loaded, but has no device" if driver else "no driver"
        return _warn("virtual camera", detail, virtual_camera_advice(root / MODULE))
    detail = ", ".join(f"{camera.device} ({camera.name})" for camera in found)
    detail += f", {driver}" if driver else ""
    if problem := _hidden(found, detail):
        return problem
    if version is not None and version >= ONE_READER_FROM:
        detail += ": one program can read each at a time; load it with devices=2 for a second"
    if platform.system() == "Windows":
        detail += ": calls and browsers show it, Windows' own Camera program and its settings do not"
    return Check("virtual camera", Verdict.OK, detail)


def examine_loopback_tool(root: Path = ROOT, ask: Ask | None = None) -> Check | None:
    """Look whether v4l2loopback's tool and the loaded driver understand each other; None without either."""
    version = loopback_version(root / MODULE)
    if version is None or shutil.which(TOOL) is None:
        return None
    told = re.search(r"v(\d+(?:\.\d+)+)", (ask or _asked)(TOOL, "--version").partition("\n")[0])
    tool = tuple(map(int, told[1].split("."))) if told else ()
    if not tool >= NEW_CALLS_FROM > version:
        return None
    return _warn(
        "loopback tool",
        f"{TOOL} {_dotted(tool)} calls the driver by numbers that {_dotted(version)} does not know",
        f"Install driver and tool of one version, then `{RELOAD}`; until then leave {TOOL} alone.",
    )


def examine_secure_boot(root: Path = ROOT) -> Check | None:
    """Look whether Secure Boot may refuse the driver; None where it is off, or the driver is loaded."""
    try:
        enabled = (root / SECURE_BOOT).read_bytes()[4:5] == b"\x01"  # four bytes of attributes come first
    except OSError:
        return None
    if not enabled or (root / MODULE).is_dir():
        return None
    key = next((root / path for path in MODULE_KEYS if (root / path).exists()), None)
    detail = "on: drivers that were built here load only when their key is enrolled"
    if key is None:
        mend = "If modprobe says `Key was rejected`, sign v4l2loopback as your distribution describes."
    else:
        mend = (
            f"If modprobe says `Key was rejected`: `sudo mokutil --import {key}`, restart, choose Enroll MOK."
        )
    return Check("secure boot", Verdict.WARN, detail, mend)


def examine_camera_portal(root: Path = ROOT) -> Check | None:
    """Look whether Firefox asks PipeWire for cameras, as Fedora's does; None elsewhere."""
    release = _release(root / "etc/os-release")
    numbered = release.get("VERSION_ID", "")
    fedora = release.get("ID") == "fedora" and numbered.isdecimal() and int(numbered) >= PORTAL_FROM
    if not fedora or shutil.which("firefox") is None:
        return None
    return _warn(
        "camera portal",
        "Firefox asks PipeWire, which lists a virtual camera only if it looks while frames flow",
        "Start facepuppet first; if Firefox does not show it: `systemctl --user restart wireplumber`, then "
        "load the page again; or set media.webrtc.camera.allow-pipewire to false in about:config.",
    )


def examine_obs_on_mac(app: Path = OBS_APP, ask: Ask | None = None) -> Check | None:
    """Look whether OBS's camera is of the kind that pyvirtualcam feeds, and allowed; None elsewhere."""
    if platform.system() != "Darwin" or not app.exists():
        return None
    if int((platform.mac_ver()[0] or "0").partition(".")[0]) < EXTENSIONS_FROM:
        return None
    version = _app_version(app)
    if version and int(version.partition(".")[0]) < OBS_WITH_EXTENSION:
        detail = f"OBS {version} has no camera extension, which macOS {EXTENSIONS_FROM} and later need"
        return _warn("OBS camera", detail, OBS_ON_MACS)
    lines = [
        line for line in (ask or _asked)("systemextensionsctl", "list").splitlines() if OBS_EXTENSION in line
    ]
    if any("[activated enabled]" in line for line in lines):
        return Check("OBS camera", Verdict.OK, f"the extension of OBS {version} is allowed")
    detail = "its extension waits to be allowed" if lines else "its extension is not installed yet"
    return _warn(
        "OBS camera",
        detail,
        "Open OBS, press Start Virtual Camera, allow it in System Settings (macOS 15: General, Login Items & "
        "Extensions, Camera Extensions; before: Privacy & Security), then quit OBS.",
    )


def examine_camera_consent(ask: Ask | None = None) -> Check | None:
    """Look whether Windows lets desktop programs use cameras; None where it does, and elsewhere."""
    if platform.system() != "Windows" or "Deny" not in (ask or _asked)(
        "reg", "query", CAMERA_CONSENT, "/v", "Value"
    ):
        return None
    return _warn(
        "camera consent",
        "Windows keeps cameras from desktop programs",
        "Settings, Privacy & security, Camera: switch on 'Let desktop apps access your camera'.",
    )


def _hidden(found: tuple[VirtualCameraInfo, ...], detail: str) -> Check | None:
    warnings = "; ".join(camera.warning for camera in found if camera.warning)
    if warnings:
        mend = f"Close what uses it, then `{RELOAD}`."
        return _warn("virtual camera", f"{detail}: {warnings}", mend)
    closed = [
        camera.device
        for camera in found
        if os.access(camera.device, os.F_OK) and not os.access(camera.device, os.R_OK | os.W_OK)
    ]
    if closed:
        mend = "`sudo usermod -aG video $USER`, then log out and in."
        return _warn("virtual camera", f"{detail}: no permission for {', '.join(closed)}", mend)
    return None


def _warn(name: str, detail: str, mend: str) -> Check:
    return Check(name, Verdict.WARN, detail, mend)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _release(path: Path) -> dict[str, str]:
    """Read /etc/os-release; nothing where there is none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return {name: value.strip("\"'") for name, _, value in (line.partition("=") for line in lines)}


def _app_version(app: Path) -> str:
    try:
        told = plistlib.loads((app / "Contents/Info.plist").read_bytes())
        return str(told.get("CFBundleShortVersionString", ""))
    except (OSError, plistlib.InvalidFileException, ValueError):
        return ""


def _asked(*command: str) -> str:
    """Return what a program of the system says; nothing where it is not there, or does not answer."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
