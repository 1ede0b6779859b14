"""Check the virtual camera on a real v4l2loopback device, with other programs reading it.

    python tools/virtual_camera_check.py [--device NODE_OR_NAME] [--only NAME ...] [--out report.json]

Runs on any Linux with v4l2loopback loaded (`facepuppet doctor` says how), ffmpeg, Chromium or Chrome; what
is missing is skipped, and told. Pictures marked beforehand show what the way out does by itself (cadence, two
readers, a late one, the feeder ended and killed); then the whole product plays a video as its camera. As root
it also loads the driver while the product runs. The exit code is 0 when nothing failed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from virtual_camera.chromium_reading import chromium
from virtual_camera.driver_module import LOAD, UNLOAD, DriverModule
from virtual_camera.feeder_rounds import chromium_round, killed, late, restarted, steady, two_readers
from virtual_camera.outcome import Outcome, Place
from virtual_camera.product_rounds import (
    driver_comes_late,
    long_clip,
    product_in_chromium,
    product_reads,
    product_restarted,
)

from facepuppet.core import FacepuppetError
from facepuppet.media import list_virtual_cameras, loopback_version
from facepuppet.sinks import find_virtual_camera

FEEDER_ROUNDS = {
    "steady": steady,
    "late": late,
    "two-readers": two_readers,
    "restarted": restarted,
    "killed": killed,
    "chromium": chromium_round,
}
PRODUCT_ROUNDS = {
    "product": product_reads,
    "product-restarted": product_restarted,
    "product-chromium": product_in_chromium,
    "driver-late": driver_comes_late,
}


def main() -> int:
    """Check, print a table, return the exit code."""
    arguments = _arguments()
    try:
        info = find_virtual_camera(arguments.device, list_virtual_cameras())
    except FacepuppetError as error:
        print(error, file=sys.stderr)
        return 1
    driver = DriverModule(arguments.load, arguments.unload)
    patience_s = arguments.chromium_patience
    place = Place(info.device, info.name, (1280, 720), arguments.seconds, 10.0, patience_s, driver)
    print(
        f"v4l2loopback {'.'.join(map(str, loopback_version() or ()))}, {info.device} ({info.name})",
        flush=True,
    )
    outcomes = []
    for outcome in _rounds(place, arguments.only or [*FEEDER_ROUNDS, *PRODUCT_ROUNDS], arguments.video):
        outcomes.append(outcome)
        verdict = {True: "ok", False: "FAIL", None: "skip"}[outcome.good]
        print(f"{verdict:<5} {outcome.name:<46} {outcome.told}", flush=True)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=2) + "\n")
    return 1 if any(outcome.good is False for outcome in outcomes) else 0


def _rounds(place: Place, names: list[str], video: Path | None) -> Iterator[Outcome]:
    for name in FEEDER_ROUNDS:
        if name in names:
            yield _told(name, lambda name=name: FEEDER_ROUNDS[name](place))
    asked = [name for name in PRODUCT_ROUNDS if name in names]
    if not asked:
        return
    with tempfile.TemporaryDirectory(prefix="virtual-camera-") as folder:
        clip = shutil.copy(video, folder) if video else long_clip(Path(folder))
        for name in asked:
            yield _told(name, lambda name=name: PRODUCT_ROUNDS[name](place, Path(clip)))


def _told(name: str, round_: Callable[[], Outcome]) -> Outcome:
    """Do a round; what it lacks, or whatever ends it, is an outcome too."""
    if "chromium" in name and chromium() is None:
        return Outcome(name, None, "no Chromium or Chrome here")
    if name in ("two-readers", "product") and shutil.which("ffmpeg") is None:
        return Outcome(name, None, "no ffmpeg here")
    if name == "driver-late" and os.geteuid() != 0:
        return Outcome(name, None, "only root loads a driver")
    begun_s = time.monotonic()
    try:
        return round_().but(f"{time.monotonic() - begun_s:.0f} s")
    except Exception as error:
        return Outcome(name, False, f"{type(error).__name__}: {error}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", help="node or name; the first virtual camera by default")
    parser.add_argument("--only", nargs="+", choices=[*FEEDER_ROUNDS, *PRODUCT_ROUNDS])
    parser.add_argument("--seconds", type=float, default=8.0, help="length of one reading")
    parser.add_argument("--chromium-patience", type=float, default=90.0, help="seconds until it has read")
    parser.add_argument(
        "--video", type=Path, help="a long video of a face; made from the sample portrait if not given"
    )
    parser.add_argument("--load", default=LOAD, help="the command that loads the driver")
    parser.add_argument("--unload", default=UNLOAD, help="the command that unloads it")
    parser.add_argument("--out", type=Path, help="write the outcomes as JSON, too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
