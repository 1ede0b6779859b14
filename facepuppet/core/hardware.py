"""What this machine is, in the words a benchmark needs."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Hardware:
    """The machine that figures were measured on.

    Attributes:
        cpu: model name.
        cores: logical cores that this process may use.
        memory_gb: of the machine, in GiB.
        system: operating system and version.
        python: version of the interpreter.
    """

    cpu: str
    cores: int
    memory_gb: float
    system: str
    python: str


def describe_hardware() -> Hardware:
    """Ask the system."""
    import psutil

    return Hardware(
        cpu=_cpu_model(),
        cores=usable_cores(),
        memory_gb=round(psutil.virtual_memory().total / 2**30, 1),
        system=platform.platform(terse=True),
        python=platform.python_version(),
    )


def usable_cores() -> int:
    """Return how many logical cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # absent on macOS and Windows
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def on_battery() -> bool:
    """Tell whether the machine runs on its battery; False where there is none, or nobody knows."""
    import psutil

    sensors = getattr(psutil, "sensors_battery", None)  # absent on some systems
    try:
        battery = sensors() if sensors else None
    except (OSError, RuntimeError, ValueError):  # what drivers of batteries report is not always a number
        return False
    return battery is not None and battery.power_plugged is False


def _cpu_model() -> str:
    if CPUINFO.is_file():
        for line in CPUINFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
