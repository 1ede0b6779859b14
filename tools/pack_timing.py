"""How long making and loading avatar packs takes on this machine.

    python tools/pack_timing.py PORTRAIT [PORTRAIT ...]

The bars: 15 s on two cores from picture to pack, 0.5 s to load it. Wall-clock time counts; CPU time
tells what it would be were nothing else running.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from calibrate.make_pack import with_safe_range
from calibrate.preview import pack_preview
from facepuppet.core import describe_hardware
from facepuppet.portrait import Pack, load_avatar, load_pack, save_pack

LOADS = 9


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Return wall-clock and CPU seconds of an action."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


def make(portrait: Path, out: Path) -> None:
    """Make a pack of one picture without asking for a right to use it; nothing is taken from a cache."""
    avatar = with_safe_range(load_avatar(portrait, cache=False), lambda line: None)
    save_pack(Pack(avatar, preview_rgb=pack_preview(avatar)), out)


def main() -> None:
    """Time each portrait."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("portraits", nargs="+", type=Path)
    machine = describe_hardware()
    print(f"{machine.cpu}, {machine.cores} cores, load {os.getloadavg()[0]:.1f} before")
    for portrait in parser.parse_args().portraits:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "x.puppet"
            wall_s, cpu_s = timed(lambda portrait=portrait, out=out: make(portrait, out))
            loads = np.array([timed(lambda out=out: load_pack(out)) for _ in range(LOADS)])
            width, height = load_pack(out).avatar.size_px
            print(
                f"{portrait.name}: {width}x{height}, {out.stat().st_size / 1e6:.1f} MB, "
                f"made in {wall_s:.1f} s ({cpu_s:.1f} s CPU), "
                f"loaded in {np.median(loads[:, 0]):.3f} s, at worst {loads[:, 0].max():.3f} s"
            )


if __name__ == "__main__":
    main()
