"""What the control room costs a run: closed, open, and closed again, in turn.

    python tools/room_cost.py [--rounds 5] [--seconds 8] [--side 512] [--canvas 1280x720]

A scripted driver moves a square portrait at 30 frames a second into nothing but the page. A page without a
browser (a process of its own) opens the line, watches the output at 640 px and the mesh, and says what it has
seen, as the page does. Prints hardware; for each phase the CPU that this process used, in percent of a core,
and capture to sink; how old pictures were when they were sent, and how soon an order was answered. Exit
status 1 if a bar is missed: 5 % of a core more while open, nothing afterwards (within what the closed phases
differ among themselves), and 150 ms.
"""

from __future__ import annotations

import argparse
import json
import math
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from facepuppet.control_room import ControlRoom, PagePreview
from facepuppet.core import Expression, describe_hardware
from facepuppet.diagnose import square_portrait
from facepuppet.drivers import PIECE_S, Driver, Performance
from facepuppet.frames import Composer
from facepuppet.portrait import load_avatar
from facepuppet.session import LivePipeline, Puppet, Show

OPEN_BAR, AGE_BAR_MS = 5.0, 150.0  # percent of a core; milliseconds
QUALITY = "best"  # one all along: else the machine's other work would change what is compared
SETTLE_S = 1.0  # after a page has opened or closed
ORDER_S = 0.5  # between two orders
OWN_THREADS = ("control room", "page pictures", "page orders")
FPS = 30.0


@dataclass(frozen=True, slots=True)
class Phase:
    """What was seen of one phase.

    Attributes:
        cpu: of this process, in percent of a core.
        own_cpu: of the control room's threads alone; NaN where the system does not tell (not Linux).
        fps: new pictures a second.
        p95_ms: capture to sink of the newest pictures.
    """

    cpu: float
    own_cpu: float
    fps: float
    p95_ms: float


class Endless(Driver):
    """Plays the built-in piece over and over."""

    description, fps = "the built-in piece, again and again", FPS

    def __init__(self) -> None:
        self._piece, self._n = Performance(PIECE_S), 0

    def read(self) -> Expression:
        """Return the next moment."""
        self._n += 1
        moment = self._piece.expression(self._n / FPS % PIECE_S, self._n)
        return self.paced(Expression(moment.face, moment.torso, self._n, round(self._n / FPS * 1e9)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each phase")
    parser.add_argument("--side", type=int, default=512, help="of the square portrait in pixels")
    parser.add_argument("--canvas", default="1280x720")
    parser.add_argument("--page", help="play the page at this address, until this is ended")
    arguments = parser.parse_args()
    if arguments.page is not None:
        play_page(arguments.page, arguments.seconds)
        return
    for key, value in asdict(describe_hardware()).items():
        print(f"{key}: {value}")
    width, height = map(int, arguments.canvas.split("x"))
    with tempfile.TemporaryDirectory(prefix="facepuppet-room-") as name:
        avatar = load_avatar(square_portrait(Path(name), arguments.side), cache=False)
        preview = PagePreview((width, height))
        puppet = Puppet(avatar, Composer(avatar, (width, height)))
        with LivePipeline(Endless(), puppet, [preview], fps=FPS, quality=QUALITY) as live:
            live.start()
            with ControlRoom(Show(live), preview, 0, folder=Path(name)) as room:
                time.sleep(3.0)  # the networks' first runs
                sys.exit(measured(live, room, arguments.rounds, arguments.seconds))


def measured(live: LivePipeline, room: ControlRoom, rounds: int, seconds: float) -> int:
    """Go through the phases and print; returns the exit status."""
    closed, opened, again, ages, answers = [], [], [], [], []
    for _ in range(rounds):
        closed.append(phase(live, seconds))
        page = subprocess.Popen(
            [sys.executable, __file__, "--page", room.address, "--seconds", str(seconds + SETTLE_S)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert page.stdout is not None and page.stdout.readline() == "open\n"
        time.sleep(SETTLE_S)
        opened.append(phase(live, seconds))
        told = json.loads(page.communicate()[0])
        ages += told["ages_ms"]
        answers += told["answers_ms"]
        time.sleep(SETTLE_S)
        again.append(phase(live, seconds))
    for name, phases in (("closed, before", closed), ("open", opened), ("closed again", again)):
        print(line(name, phases))
    return judge(closed, opened, again, ages, answers)


def phase(live: LivePipeline, seconds: float) -> Phase:
    """Watch for some seconds."""
    begun_s, cpu_s, own_s, frames = (
        time.monotonic(),
        time.process_time(),
        own_cpu_s(),
        live.stats().frames_out,
    )
    time.sleep(seconds)
    elapsed_s = time.monotonic() - begun_s
    cpu = 100 * (time.process_time() - cpu_s) / elapsed_s
    own = 100 * (own_cpu_s() - own_s) / elapsed_s
    p95_ms = 1e3 * float(np.percentile(live.latencies_s, 95))
    return Phase(cpu, own, (live.stats().frames_out - frames) / elapsed_s, p95_ms)


def own_cpu_s() -> float:
    """CPU time of the control room's threads so far, in seconds."""
    spent_ns = 0.0
    for thread in threading.enumerate():
        if thread.name in OWN_THREADS:
            times = Path(f"/proc/self/task/{thread.native_id}/schedstat")  # the first is time on a CPU
            spent_ns += int(times.read_text().split()[0]) if times.exists() else math.nan
    return spent_ns * 1e-9


def line(name: str, phases: list[Phase]) -> str:
    """Say what was seen of one kind of phase."""
    cpu = [one.cpu for one in phases]
    return (
        f"{name:15} {np.median(cpu):6.1f} % of a core ({min(cpu):.1f} to {max(cpu):.1f}), "
        f"{np.median([one.fps for one in phases]):.1f} pictures a second, "
        f"capture to sink p95 {np.median([one.p95_ms for one in phases]):.0f} ms"
    )


def judge(
    closed: list[Phase],
    opened: list[Phase],
    again: list[Phase],
    ages_ms: list[float],
    answers_ms: list[float],
) -> int:
    """Print what is more and what is older, beside the bars; returns the exit status."""
    more = [one.cpu - (a.cpu + b.cpu) / 2 for one, a, b in zip(opened, closed, again, strict=True)]
    left = [b.cpu - a.cpu for a, b in zip(closed, again, strict=True)]
    error = float(np.std(left, ddof=1)) / math.sqrt(len(left)) if len(left) > 1 else math.inf
    age_p95 = float(np.percentile(ages_ms, 95))
    print(
        f"open costs {np.median(more):+.1f} % of a core ({min(more):+.1f} to {max(more):+.1f}), of which "
        f"{np.median([one.own_cpu for one in opened]):.1f} in its own threads; bar {OPEN_BAR:g}"
    )
    print(
        f"closed again {np.mean(left):+.1f} % of a core, standard error {error:.1f}, of which "
        f"{np.median([one.own_cpu for one in again]):.2f} in its own threads; bar 0"
    )
    print(
        f"pictures are {np.median(ages_ms):.0f} ms old when sent, p95 {age_p95:.0f} ms of {len(ages_ms)}; "
        f"bar {AGE_BAR_MS:g}"
    )
    print(
        f"an order is answered after {np.median(answers_ms):.1f} ms, "
        f"p95 {np.percentile(answers_ms, 95):.1f} ms of {len(answers_ms)}"
    )
    missed = np.median(more) > OPEN_BAR or np.mean(left) > 2 * error or age_p95 > AGE_BAR_MS
    return int(bool(missed))


def play_page(address: str, seconds: float) -> None:
    """Do what the page does, without a browser; prints what it saw as JSON."""
    from websockets.sync.client import connect

    ages_ms: list[float] = []
    answers_ms: list[float] = []
    asked_s = {}
    url = address.replace("http://", "ws://").replace("/?", "/api/live?")
    with connect(url) as line_:
        line_.send(json.dumps({"watch": {"output": 640, "mesh": True}}))
        line_.recv()
        print("open", flush=True)
        end_s = time.monotonic() + seconds
        while (now_s := time.monotonic()) < end_s:
            if now_s - max(asked_s.values(), default=0.0) > ORDER_S:
                asked_s[len(asked_s)] = now_s
                line_.send(json.dumps({"do": "smoothing", "values": {"strength": 1}, "id": len(asked_s) - 1}))
            message = line_.recv(timeout=5)
            if isinstance(message, str):
                told = json.loads(message)
                if told["type"] == "done":
                    answers_ms.append(1e3 * (time.monotonic() - asked_s[told["id"]]))
                continue
            kind, number, age_ms = struct.unpack("<BIH", message[:7])
            line_.send(json.dumps({"seen": number}))
            if kind == 1:
                ages_ms.append(age_ms)
    print(json.dumps({"ages_ms": ages_ms, "answers_ms": answers_ms}))


if __name__ == "__main__":
    main()
