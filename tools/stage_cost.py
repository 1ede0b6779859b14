"""What the stage costs a run: processor time with nobody there, with one page that looks on, and afterwards.

    python tools/stage_cost.py [--canvas 1280x720] [--portrait 512] [--seconds 10] [--rounds 2] [--chromium]

The built-in piece runs in a process of its own, with I420 for a virtual camera that discards it. What looks
on is a client that takes every picture at once, or with --chromium the page itself in a headless Chromium.
Prints the run's processor time in percent of one core, new pictures a second and capture to sink; of the
stage, pictures a second, their age (capture to sending) and size, and when the first one came.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from room_in_browser import NewestSink, chromium
from websockets.sync.client import connect

from facepuppet.control_room import ControlRoom, PagePreview
from facepuppet.core import Pixels, describe_hardware
from facepuppet.diagnose import square_portrait
from facepuppet.drivers import ScriptedDriver
from facepuppet.frames import Composer
from facepuppet.portrait import load_avatar
from facepuppet.session import LivePipeline, Puppet, Show

WARM_UP_S = 4.0  # the first frames load code, and memory finds its place


@dataclass
class Look:
    """Somebody who looks on.

    Attributes:
        wait: lets time pass, in which pictures come.
        begun_s: when it was opened.
        at_s, age_ms, n_bytes: of each picture so far.
    """

    wait: Callable[[float], None]
    begun_s: float = field(default_factory=time.monotonic)
    at_s: list[float] = field(default_factory=list)
    age_ms: list[int] = field(default_factory=list)
    n_bytes: list[int] = field(default_factory=list)

    def take(self, message: bytes) -> None:
        """Note a picture."""
        self.at_s.append(time.monotonic())
        self.age_ms.append(int.from_bytes(message[5:7], "little"))
        self.n_bytes.append(len(message))

    def told(self, seconds: float) -> str:
        """Describe what came in the last seconds."""
        n = sum(at_s > time.monotonic() - seconds for at_s in self.at_s)
        median, p95 = np.percentile(self.age_ms[-n:], (50, 95))
        return (
            f"; stage {n / seconds:.1f} a second, age {median:.0f} / {p95:.0f} ms, "
            f"{np.median(self.n_bytes[-n:]) / 1000:.0f} kB, first after {self.at_s[0] - self.begun_s:.2f} s"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--canvas", default="1280x720", help="WIDTHxHEIGHT, even")
    parser.add_argument("--portrait", type=int, default=512, help="side of the square portrait in pixels")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each phase")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--chromium", action="store_true", help="look on with the page itself")
    parser.add_argument("--perform", type=Path, help=argparse.SUPPRESS)  # the process that runs the puppet
    arguments = parser.parse_args()
    if arguments.perform is not None:
        perform(arguments.canvas, arguments.portrait, arguments.perform)
        return
    print(describe_hardware())
    with tempfile.TemporaryDirectory(prefix="facepuppet-stage-") as folder:
        command = [sys.executable, *sys.argv, "--perform", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                measure(process.pid, *process.stdout.readline().split(), arguments)
            finally:
                process.terminate()


def perform(canvas: str, side_px: int, folder: Path) -> None:
    """Run the piece until killed; print the addresses of its control room and its stage."""
    width, height = map(int, canvas.split("x"))
    avatar = load_avatar(square_portrait(folder, side_px), cache=False)
    puppet = Puppet(avatar, Composer(avatar, (width, height)))
    sink, preview = NewestSink((width, height), "nowhere"), PagePreview((width, height))
    sink.pixels = Pixels.I420
    with LivePipeline(ScriptedDriver(86_400.0), puppet, [sink, preview], quality="best") as live:
        live.start()
        with ControlRoom(Show(live), preview, 0, folder=folder) as room:
            print(room.address, room.stage_address, flush=True)
            live.run()


def measure(pid: int, address: str, stage_address: str, arguments: argparse.Namespace) -> None:
    """Measure in turns: nobody there, and one who looks on."""
    look_on = in_chromium if arguments.chromium else at_once
    figures(address)  # the server loads its libraries when the first one comes
    time.sleep(WARM_UP_S)
    for _ in range(arguments.rounds):
        print(f"nobody   {cost(pid, address, time.sleep, arguments.seconds)}")
        with look_on(stage_address) as look:
            look.wait(1.0)
            told = cost(pid, address, look.wait, arguments.seconds)
            print(f"one      {told}{look.told(arguments.seconds)}")
        time.sleep(1.0)


def cost(pid: int, address: str, wait: Callable[[float], None], seconds: float) -> str:
    """Describe what a run does while time passes."""
    process, before, begun_s = psutil.Process(pid), figures(address), time.monotonic()
    used = process.cpu_times()
    wait(seconds)
    now, after = process.cpu_times(), figures(address)
    share = (now.user + now.system - used.user - used.system) / (time.monotonic() - begun_s)
    fps = (after["pictures"] - before["pictures"]) / (after["seconds"] - before["seconds"])
    median, p95 = after["latency_median_ms"], after["latency_p95_ms"]
    used_told = f"{100 * share:5.1f} % of a core, {fps:.1f} pictures a second"
    return f"{used_told}, {median:.0f} / {p95:.0f} ms to the sink"


def figures(address: str) -> dict[str, Any]:
    """Ask a run how it fares."""
    with urllib.request.urlopen(address.replace("/?", "/api/state?"), timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)["figures"]
    return found


@contextmanager
def at_once(address: str) -> Iterator[Look]:
    """Look on as a page would that draws in no time."""
    look, over = Look(time.sleep), threading.Event()

    def take() -> None:
        with connect(address.replace("http", "ws", 1).replace("/stage", "/api/stage")) as stage:
            while not over.is_set():
                message = stage.recv(10)
                assert isinstance(message, bytes)
                look.take(message)
                stage.send(json.dumps({"seen": int.from_bytes(message[1:5], "little")}))

    thread = threading.Thread(target=take)
    thread.start()
    try:
        yield look
    finally:
        over.set()
        thread.join()


@contextmanager
def in_chromium(address: str) -> Iterator[Look]:
    """Look on with the page itself."""
    with chromium() as browser:
        page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
        look = Look(lambda seconds: page.wait_for_timeout(1000 * seconds))
        page.on("websocket", lambda one: one.on("framereceived", lambda data: look.take(bytes(data))))
        page.goto(address)
        yield look


if __name__ == "__main__":
    main()
