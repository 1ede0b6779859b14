"""A Ray cluster of two nodes on this machine, one of which is killed: who was there is back, the others stay.

    python tools/serve_cluster.py [--people 2] [--seconds 40] [--json]

The head's node has a place for everybody, the other node for one half: its people come back to a spare one.
Exits 1 where anybody is not back within 8 s of the kill, or others miss a picture for longer than a second.
Needs the extra `server`. Two nodes on one machine share its cores: this measures healing, not speed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from serve_people import Person, longest_gap_s
from serve_processes import Running, free_port, running_server

from facepuppet.core import describe_hardware

BACK_S = 8.0
GAP_S = 1.0
_STARTS_S = 60.0


def environment() -> dict[str, str]:
    """Return what keeps both nodes quiet, and others out."""
    return {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_enable_worker_prestart": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }


@contextmanager
def node(cpus: int, *words: str, environment: dict[str, str]) -> Iterator[psutil.Process]:
    """Run a node in a session of its own, in which everything of it stays."""
    ray = Path(sys.executable).with_name("ray")
    process = subprocess.Popen(
        [str(ray), "start", *words, f"--num-cpus={cpus}", "--block", "--disable-usage-stats"],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        kill_session(process.pid)
        process.wait()


@contextmanager
def waited_for(port: int) -> Iterator[None]:
    """Wait until somebody listens."""
    end_s = time.monotonic() + _STARTS_S
    while time.monotonic() < end_s:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        time.sleep(0.2)
    yield


def kill_session(leader: int) -> None:
    """Kill all of a node at once, as a power failure does."""
    for process in psutil.process_iter():
        with suppress(OSError, psutil.Error):
            if os.getsid(process.pid) == leader:
                process.send_signal(signal.SIGKILL)


async def measure(server: Running, doomed: int, people: int, seconds: float) -> dict[str, object]:
    """Let people come, kill a node, and look who misses pictures for how long."""
    crowd = [Person(server.url, server.token, (320, 180), 10) for _ in range(people)]
    stays = [asyncio.create_task(one.stay(seconds)) for one in crowd]
    end_s = time.monotonic() + seconds / 2
    while time.monotonic() < end_s and not all(len(one.seen_s) > 20 for one in crowd):
        await asyncio.sleep(0.2)
    await asyncio.sleep(3.0)
    lost_before = [len(one.overs) for one in crowd]
    killed_s = time.monotonic()
    await asyncio.to_thread(kill_session, doomed)
    await asyncio.gather(*stays)
    until_s = killed_s + 20.0
    gaps = [longest_gap_s(one.seen_s, killed_s - 1, min(until_s, max(one.seen_s))) for one in crowd]
    hit = [len(one.overs) > before for one, before in zip(crowd, lost_before, strict=True)]
    return {
        "back_s": [round(gap, 2) for gap, was_hit in zip(gaps, hit, strict=True) if was_hit],
        "others_gap_s": [round(gap, 2) for gap, was_hit in zip(gaps, hit, strict=True) if not was_hit],
        "overs": [one.overs for one in crowd],
        "join_s": round(statistics.median(s for one in crowd for s in one.joined_s), 2),
    }


def main() -> None:
    """Measure, tell, and judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    both, port = environment(), free_port()
    half = options.people // 2
    head_words = ("--head", f"--port={port}", "--include-dashboard=false", "--object-store-memory=80000000")
    with (
        node(options.people, *head_words, environment=both),
        waited_for(port),
        node(half, f"--address=127.0.0.1:{port}", environment=both) as doomed,
        running_server(
            "--ray",
            f"127.0.0.1:{port}",
            "--share",
            "1",
            "--warm",
            str(options.people + half),
            environment=both,
        ) as server,
    ):
        figures = asyncio.run(measure(server, doomed.pid, options.people, options.seconds))
    figures = {"hardware": describe_hardware(), **figures}
    print(json.dumps(figures) if options.json else "\n".join(f"{k:14} {v}" for k, v in figures.items()))
    back, others = figures["back_s"], figures["others_gap_s"]
    assert isinstance(back, list) and isinstance(others, list)
    sys.exit(not back or max(back) > BACK_S or any(gap > GAP_S for gap in others))


if __name__ == "__main__":
    main()
