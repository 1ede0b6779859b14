"""Which programs have the loopback camera open, from a made-up /proc and a real one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from facepuppet.media import camera_readers
from facepuppet.media.camera_readers import CameraReaders
from facepuppet.media.loopback_driver import loopback_version

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc and /sys are Linux's")
DEVICE = "/dev/video10"


class Machine:
    """Processes with open files, and the driver's count of its own."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.module = folder / "proc", folder / "module"
        self.proc.mkdir()
        self.module.mkdir()
        self.count(0)

    def count(self, n: int) -> None:
        (self.module / "refcnt").write_text(f"{n}\n")

    def starts(self, pid: int, name: str, *files: str) -> Path:
        process = self.proc / str(pid)
        (process / "fd").mkdir(parents=True)
        (process / "comm").write_text(f"{name}\n")
        for number, file in enumerate(files):
            (process / "fd" / str(number)).symlink_to(file)
        return process

    def readers(self) -> CameraReaders:
        return CameraReaders(DEVICE, self.module, self.proc)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.starts(os.getpid(), "facepuppet", DEVICE)
    machine.starts(7, "bash", "/dev/tty", "/dev/video1")
    (machine.proc / "sys").mkdir()
    machine.count(1)
    return machine


def test_nobody_sees_it_but_the_one_who_feeds_it(machine: Machine) -> None:
    assert machine.readers().names() == ()


def test_who_has_it_open_is_named_once(machine: Machine) -> None:
    machine.starts(8, "zoom", "/dev/null", DEVICE, DEVICE)
    machine.starts(9, "chromium", DEVICE)
    machine.starts(10, "chromium", DEVICE)
    machine.count(5)
    assert machine.readers().names() == ("chromium", "zoom")


def test_who_comes_and_who_goes_is_seen(machine: Machine) -> None:
    readers = machine.readers()
    assert readers.names() == ()
    zoom = machine.starts(8, "zoom", DEVICE)
    machine.count(2)
    assert readers.names() == ("zoom",)
    (zoom / "fd" / "0").unlink()
    machine.starts(9, "firefox", DEVICE)  # the count is the same
    assert readers.names() == ("firefox",)


def test_files_are_looked_through_only_when_something_changed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.starts(8, "zoom", DEVICE)
    machine.count(2)
    readers = machine.readers()
    assert readers.names() == ("zoom",)
    scanned: list[object] = []
    monkeypatch.setattr(camera_readers.os, "scandir", lambda path: scanned.append(path) or iter(()))
    for _ in range(5):
        assert readers.names() == ("zoom",)
    assert scanned == []


def test_a_process_that_ends_or_is_somebody_elses_is_passed_over(machine: Machine) -> None:
    machine.starts(8, "zoom", DEVICE)
    ended = machine.starts(9, "ended", DEVICE)
    (ended / "comm").unlink()
    (machine.proc / "11").mkdir()  # no files to be seen
    machine.count(9)
    assert machine.readers().names() == ("zoom",)


def test_where_no_driver_tells_a_count_nobody_is_known(machine: Machine) -> None:
    machine.starts(8, "zoom", DEVICE)
    (machine.module / "refcnt").unlink()
    assert machine.readers().names() == ()


def test_a_real_process_is_found(machine: Machine, tmp_path: Path) -> None:
    opened = tmp_path / "device"
    opened.touch()
    with opened.open():
        pid = os.fork()
        if pid == 0:  # holds it, too, until it is killed
            os.read(os.pipe()[0], 1)
        try:
            readers = CameraReaders(str(opened), machine.module)
            assert readers.names() == (Path("/proc", str(pid), "comm").read_text().strip(),)
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)


@pytest.mark.parametrize(
    ("told", "version"),
    [("0.15.4", (0, 15, 4)), ("0.13.2\n", (0, 13, 2)), ("0.12.7-2-g123", (0, 12, 7)), ("snapshot", (0, 12))],
)
def test_the_driver_tells_its_version(tmp_path: Path, told: str, version: tuple[int, ...]) -> None:
    (tmp_path / "version").write_text(told)
    assert loopback_version(tmp_path) == version


def test_the_driver_tells_none_before_0_13_and_none_is_none(tmp_path: Path) -> None:
    assert loopback_version(tmp_path) == (0, 12)
    assert loopback_version(tmp_path / "absent") is None
