"""What doctor says of the way to other programs, from made-up systems."""

from __future__ import annotations

import os
import plistlib
import shutil
from pathlib import Path

import pytest

from facepuppet.diagnose import camera_advice, doctor
from facepuppet.diagnose.camera_advice import (
    examine_camera_consent,
    examine_camera_portal,
    examine_camera_way,
    examine_loopback_tool,
    examine_obs_on_mac,
    examine_secure_boot,
    examine_virtual_camera,
)
from facepuppet.diagnose.doctor import Verdict
from facepuppet.sinks.advice import ADD, LOAD, RELOAD, TWO_DEVICES, second_camera_advice


class System:
    """A file system of Linux, and which programs are on the path."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.programs: set[str] = set()
        monkeypatch.setattr("platform.system", lambda: "Linux")
        monkeypatch.setattr(
            shutil, "which", lambda name: f"/usr/bin/{name}" if name in self.programs else None
        )

    def has(self, path: str, content: str | bytes = "") -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def loads(self, version: str | None, *, devices: int = 1, exclusive: str = "Y") -> None:
        self.has("sys/module/v4l2loopback/refcnt", "0")
        self.has("sys/module/v4l2loopback/parameters/exclusive_caps", exclusive)
        if version is not None:
            self.has("sys/module/v4l2loopback/version", version)
        for number in range(10, 10 + devices):
            self.has(f"sys/class/video4linux/video{number}/name", "facepuppet\n")
            self.has(f"sys/class/video4linux/video{number}/max_openers", "10\n")


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    return System(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("version", "told"),
    [
        (None, "v4l2loopback 0.12"),
        ("0.13.2", "v4l2loopback 0.13.2: one program can read each at a time"),
        ("0.14.0", "v4l2loopback 0.14.0: one program can read each at a time"),
        ("0.15.4", "v4l2loopback 0.15.4: one program can read each at a time"),
    ],
)
def test_a_device_is_named_with_its_driver_and_what_that_bears(
    system: System, version: str | None, told: str
) -> None:
    system.loads(version)
    check = examine_virtual_camera(system.root)
    assert check.verdict is Verdict.OK
    assert check.detail.startswith("/dev/video10 (facepuppet), " + told)
    assert ("one program" in check.detail) is (version is not None)


def test_without_the_driver_it_is_to_be_installed_and_loaded(system: System) -> None:
    system.programs = {"dnf"}
    check = examine_virtual_camera(system.root)
    assert (check.verdict, check.detail) == (Verdict.WARN, "no driver")
    assert "sudo dnf install v4l2loopback" in check.mend and LOAD in check.mend


@pytest.mark.parametrize(
    ("version", "programs", "command"),
    [
        (None, {"v4l2loopback-ctl"}, RELOAD),
        ("0.13.2", set(), RELOAD),
        ("0.15.4", {"v4l2loopback-ctl"}, "sudo v4l2loopback-ctl add -x 1 -n facepuppet"),
    ],
)
def test_a_driver_without_a_device_is_not_to_be_loaded_again_as_that_does_nothing(
    system: System, version: str | None, programs: set[str], command: str
) -> None:
    system.loads(version, devices=0)
    system.programs = programs
    check = examine_virtual_camera(system.root)
    assert "is loaded, but has no device" in check.detail
    assert check.mend == f"Run `{command}`."


@pytest.mark.parametrize(
    ("version", "programs", "command"),
    [
        (None, {"v4l2loopback-ctl"}, TWO_DEVICES),
        ("0.15.4", set(), TWO_DEVICES),
        ("0.15.4", {"v4l2loopback-ctl"}, ADD),
    ],
)
def test_beside_another_feeder_a_second_device_is_added_where_the_driver_can(
    system: System, version: str | None, programs: set[str], command: str
) -> None:
    system.loads(version)
    system.programs = programs
    advice = second_camera_advice(system.root / camera_advice.MODULE)
    assert advice.startswith("Stop the other program") and f"`{command}`" in advice


def test_a_device_that_browsers_hide_is_mended_by_unloading_first(system: System) -> None:
    system.loads("0.12.7", exclusive="N")
    check = examine_virtual_camera(system.root)
    assert check.verdict is Verdict.WARN and "exclusive_caps=1" in check.detail
    assert check.mend == f"Close what uses it, then `{RELOAD}`."


def test_a_device_that_may_not_be_written_is_told(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    system.loads("0.15.4")
    monkeypatch.setattr("os.access", lambda path, mode: mode == os.F_OK)
    check = examine_virtual_camera(system.root)
    assert "no permission for /dev/video10" in check.detail and "usermod -aG video" in check.mend


@pytest.mark.parametrize(
    ("loaded", "tool", "fits"),
    [
        ("0.14.0", "v4l2loopback-ctl v0.15.4\nv4l2loopback sysfs v0.14.0\n", False),
        (None, "v4l2loopback-ctl v0.15.0\n", False),
        ("0.15.4", "v4l2loopback-ctl v0.13.2\n", True),  # a new driver answers to the old numbers
        ("0.15.4", "v4l2loopback-ctl v0.15.4\nv4l2loopback module v0.15.4\n", True),
        ("0.14.0", "v4l2loopback-ctl v0.14.0\n", True),
        ("0.14.0", "Usage: v4l2loopback-ctl\n", True),  # so old that it tells none
    ],
)
def test_a_tool_newer_than_0_15_does_not_reach_an_older_driver(
    system: System, loaded: str | None, tool: str, fits: bool
) -> None:
    system.loads(loaded)
    system.programs = {"v4l2loopback-ctl"}
    check = examine_loopback_tool(system.root, lambda *command: tool)
    assert (check is None) is fits
    if check is not None:
        assert "by numbers that" in check.detail and RELOAD in check.mend


def test_without_tool_or_driver_nothing_is_said_of_them(system: System) -> None:
    assert examine_loopback_tool(system.root) is None
    system.loads("0.15.4")
    assert examine_loopback_tool(system.root) is None


ON, OFF = b"\x06\0\0\0\x01", b"\x06\0\0\0\0"


@pytest.mark.parametrize(
    "key",
    ["/var/lib/dkms/mok.pub", "/var/lib/shim-signed/mok/MOK.der", "/etc/pki/akmods/certs/public_key.der"],
)
def test_secure_boot_asks_for_the_key_that_drivers_are_signed_with(system: System, key: str) -> None:
    system.has(camera_advice.SECURE_BOOT, ON)
    system.has(key[1:])
    check = examine_secure_boot(system.root)
    assert check is not None and check.verdict is Verdict.WARN
    assert f"sudo mokutil --import {system.root / key[1:]}" in check.mend


def test_secure_boot_without_a_known_key_leaves_it_to_the_distribution(system: System) -> None:
    system.has(camera_advice.SECURE_BOOT, ON)
    check = examine_secure_boot(system.root)
    assert check is not None and "your distribution" in check.mend


def test_secure_boot_is_no_matter_where_it_is_off_or_let_the_driver_in(system: System) -> None:
    assert examine_secure_boot(system.root) is None
    system.has(camera_advice.SECURE_BOOT, OFF)
    assert examine_secure_boot(system.root) is None
    system.has(camera_advice.SECURE_BOOT, ON)
    system.loads("0.15.4")
    assert examine_secure_boot(system.root) is None


@pytest.mark.parametrize(
    ("release", "programs", "told"),
    [
        ('ID=fedora\nVERSION_ID="42"\n', {"firefox"}, True),
        ("ID=fedora\nVERSION_ID=41\n", {"firefox"}, True),
        ("ID=fedora\nVERSION_ID=40\n", {"firefox"}, False),
        ("ID=fedora\nVERSION_ID=rawhide\n", {"firefox"}, False),
        ("ID=fedora\nVERSION_ID=42\n", set(), False),
        ("ID=debian\nVERSION_ID=12\n", {"firefox"}, False),
    ],
)
def test_firefox_of_fedora_asks_pipewire(
    system: System, release: str, programs: set[str], told: bool
) -> None:
    system.has("etc/os-release", release)
    system.programs = programs
    check = examine_camera_portal(system.root)
    assert (check is not None) is told
    if check is not None:
        assert check.mend.startswith("Start facepuppet first") and "restart wireplumber" in check.mend


def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, macos: str, obs: str) -> Path:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    monkeypatch.setattr("platform.mac_ver", lambda: (macos, ("", "", ""), "arm64"))
    app = tmp_path / "OBS.app"
    (app / "Contents").mkdir(parents=True)
    (app / "Contents/Info.plist").write_bytes(plistlib.dumps({"CFBundleShortVersionString": obs}))
    return app


EXTENSION = "*\t*\tTEAM\tcom.obsproject.obs-studio.mac-camera-extension (1/1)\tOBS Virtual Camera\t[%s]\n"


@pytest.mark.parametrize(
    ("obs", "listed", "detail"),
    [
        ("29.1.3", "", "OBS 29.1.3 has no camera extension, which macOS 13 and later need"),
        ("30.2.0", "0 extension(s)\n", "its extension is not installed yet"),
        ("30.2.0", EXTENSION % "activated waiting for user", "its extension waits to be allowed"),
        ("30.2.0", EXTENSION % "activated enabled", "the extension of OBS 30.2.0 is allowed"),
    ],
)
def test_macos_13_needs_obs_30_and_its_extension_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obs: str, listed: str, detail: str
) -> None:
    app = mac(tmp_path, monkeypatch, "15.1", obs)
    check = examine_obs_on_mac(app, lambda *command: listed)
    assert check is not None and check.detail == detail
    assert (check.verdict is Verdict.OK) is ("is allowed" in detail)
    assert check.verdict is Verdict.OK or "Start Virtual Camera" in check.mend


def test_an_older_macos_has_no_extensions_to_allow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = mac(tmp_path, monkeypatch, "12.7.6", "28.1.2")
    assert examine_obs_on_mac(app, lambda *command: "") is None


def test_windows_without_obs_has_another_driver_and_its_own_programs_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Windows")
    monkeypatch.setattr("facepuppet.media.devices._ask", lambda *command: "")
    check = examine_virtual_camera()
    assert check.verdict is Verdict.WARN
    assert "OBS Studio 26" in check.mend and "Unity Capture" in check.mend
    monkeypatch.setattr("facepuppet.media.devices._ask", lambda *command: "InprocServer32")
    check = examine_virtual_camera()
    assert check.verdict is Verdict.OK
    assert "Unity Video Capture" in check.detail and "Windows' own Camera program" in check.detail


def test_windows_may_keep_cameras_from_desktop_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Windows")
    denied = examine_camera_consent(lambda *command: "    Value    REG_SZ    Deny\n")
    assert denied is not None and "Let desktop apps access your camera" in denied.mend
    assert examine_camera_consent(lambda *command: "    Value    REG_SZ    Allow\n") is None
    monkeypatch.setattr("platform.system", lambda: "Linux")
    assert examine_camera_consent(lambda *command: "Deny") is None


def test_the_camera_comes_first_and_doctor_tells_all_of_it(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.has(camera_advice.SECURE_BOOT, ON)
    system.has("etc/os-release", "ID=fedora\nVERSION_ID=42\n")
    system.programs = {"firefox"}
    names = [check.name for check in examine_camera_way(system.root)]
    assert names == ["virtual camera", "secure boot", "camera portal"]
    monkeypatch.setattr(doctor, "_CHECKS", (doctor._virtual_camera,))
    monkeypatch.setattr(camera_advice, "examine_camera_way", lambda: examine_camera_way(system.root))
    assert [check.name for check in doctor.examine_machine()] == names


def test_a_check_that_fails_unforeseen_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def _virtual_camera() -> list[doctor.Check]:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(doctor, "_CHECKS", (_virtual_camera,))
    (found,) = doctor.examine_machine()
    assert (found.name, found.verdict) == ("virtual camera", Verdict.FAIL)
