"""Nothing is sent anywhere: the main jobs run with the network closed, and none of them tries to reach it.

Twice, since each way sees what the other does not: Python's own audit of sockets works on every system; a
network namespace of its own counts what native code sends as well, where the system lets us have one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
JOBS = ("demo", "analyse", "render", "run", "doctor")

# Every address, of whichever protocol, is this namespace's own: what goes out comes in, and is counted.
LEADS_BACK = (
    "ip link set lo up && ip route add local default dev lo && (ip -6 route add local default dev lo || true)"
)


def work(tmp_path: Path, how: str, *jobs: str, before: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    """Do jobs in a fresh process; what it told."""
    program = str(Path(__file__).with_name("closed_network.py"))
    # What reports its use may hold back where it believes itself tested.
    users = {k: v for k, v in os.environ.items() if not k.startswith(("CI", "GITHUB_", "PYTEST_"))}
    done = subprocess.run(
        [*before, sys.executable, program, str(tmp_path), how, *jobs],
        env={**users, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    assert tuple(told) == jobs
    return told


@pytest.fixture(scope="module")
def namespace() -> tuple[str, ...]:
    """What to put before a command to run it where no address leads out."""
    enter = ("unshare", "--map-root-user", "--net", "sh", "-c", f'{LEADS_BACK} && exec "$0" "$@"')
    if not (shutil.which("unshare") and shutil.which("ip")):
        pytest.skip("a network namespace needs Linux with util-linux and iproute2")
    tried = subprocess.run([*enter, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"this system gives us no network namespace: {tried.stderr.strip()}")
    return enter


@pytest.mark.slow
def test_no_job_asks_python_for_the_network(tmp_path: Path) -> None:
    for job, seen in work(tmp_path, "hook", *JOBS).items():
        assert seen["attempts"] == [], job
    assert all((tmp_path / name).is_file() for name in ("demo.mp4", "rendered.mp4", "live.mp4"))


def test_no_job_sends_a_packet(tmp_path: Path, namespace: tuple[str, ...]) -> None:
    for job, seen in work(tmp_path, "packets", *JOBS, before=namespace).items():
        assert seen["packets"] == 0, job
    assert (tmp_path / "rendered.mp4").is_file()
    # ONNX Runtime 1.29 and later would keep an identifier for its reports there, which leave now and then.
    assert {path.name for path in (tmp_path / "cache").iterdir()} <= {"facepuppet", "fontconfig"}


@pytest.mark.parametrize("job", ["python connects", "python asks for a name"])
def test_an_attempt_is_noted_even_if_its_failure_is_hidden(tmp_path: Path, job: str) -> None:
    assert len(work(tmp_path, "hook", job)[job]["attempts"]) == 1


@pytest.mark.parametrize("job", ["python connects", "native code connects"])
def test_packets_are_counted_whoever_sends_them(tmp_path: Path, namespace: tuple[str, ...], job: str) -> None:
    assert work(tmp_path, "packets", job, before=namespace)[job]["packets"] > 0
