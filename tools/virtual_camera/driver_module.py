"""Loading and unloading v4l2loopback, and seeing whether a device is fed, for checks run as root."""

from __future__ import annotations

import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

LOAD = "modprobe v4l2loopback devices=1 exclusive_caps=1 card_label=facepuppet"
UNLOAD = "modprobe -r v4l2loopback"
SETTLE_S = 1.0  # udev gives the node its permissions


@dataclass(frozen=True)
class DriverModule:
    """The commands that load and unload it."""

    load_command: str = LOAD
    unload_command: str = UNLOAD

    def load(self) -> None:
        """Load it; raises CalledProcessError."""
        subprocess.run(shlex.split(self.load_command), check=True, capture_output=True)

    def unload(self) -> bool:
        """Unload it; returns whether that was let happen."""
        return subprocess.run(shlex.split(self.unload_command), capture_output=True).returncode == 0


def wait_until_fed(node: str, patience_s: float) -> float:
    """Return how long it took until a device carried pictures, found without opening it.

    Raises:
        TimeoutError: it took longer.
    """
    begun_s = time.monotonic()
    while (took_s := time.monotonic() - begun_s) < patience_s:
        try:
            if Path("/sys/class/video4linux", Path(node).name, "format").read_text().strip():
                return took_s
        except OSError:
            pass  # not there yet
        time.sleep(0.02)
    raise TimeoutError(f"{node} is not fed after {patience_s:.0f} s")
