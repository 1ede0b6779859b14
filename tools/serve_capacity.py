"""What a running server takes of its machine: idle, for a session, for joins and leaves, in a storm of joins.

    python tools/serve_capacity.py [--only idle session leaks storm] [--seconds 20] [--json]

Starts the real `facepuppet serve` and sends it peers over loopback, which live in a process of their own.
A session is one of 640x360 at 30 frames a second. Fifty joins and leaves come after ten that warm up; the
storm is 200 joins a second with forged tokens, beside a session that should notice nothing. Exits 1 where
joins leak (more than 10 % of the server's memory; a thread, a file or a UDP socket of a process), or one of
the storm hears nothing. On a busy machine, rates and delays are those of the rest. Needs the extra `server`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import psutil
import websockets
from serve_people import Person
from serve_processes import Running, cpu_s, named, pss_mb, running_server

from facepuppet.core import describe_hardware

PARTS = ("idle", "session", "leaks", "storm")
WARM_UPS, JOINS = 10, 50
ATTEMPTS_A_SECOND, STORM_S = 200, 10
LEAK = 0.1


def idle(server: Running, seconds: float) -> dict[str, Any]:
    """Look at a server in which nobody is."""
    family = server.family()
    before_s = cpu_s(family)
    time.sleep(seconds)
    hosts = server.hosts()
    return {
        "starts_s": round(server.began_s, 1),
        "processes": len(family),
        "cores": round((cpu_s(family) - before_s) / seconds, 3),
        "mb": round(pss_mb(family)),
        "mb_without_hosts": round(pss_mb(family) - pss_mb(hosts)),
        "mb_a_host": round(pss_mb(hosts) / max(1, len(hosts)), 1),
    }


def session(server: Running, seconds: float) -> dict[str, Any]:
    """Let one person be there, and look at their host and at everything else."""
    with people(server, seconds + 8) as there:
        time.sleep(6)
        hosts = server.hosts()
        others = [one for one in server.family() if one not in hosts]
        before = {one.pid: cpu_s([one]) for one in hosts}
        before_others_s = cpu_s(others)
        time.sleep(seconds)
        busy = max(hosts, key=lambda one: cpu_s([one]) - before[one.pid])
        figures = {
            "host_cores": round((cpu_s([busy]) - before[busy.pid]) / seconds, 3),
            "rest_cores": round((cpu_s(others) - before_others_s) / seconds, 3),
            "host_mb": round(pss_mb([busy])),
            "host_threads": busy.num_threads(),
        }
        told = json.loads(there.communicate(timeout=60)[0])
    return figures | told


def people(server: Running, seconds: float) -> subprocess.Popen[str]:
    """Send one person in, from a process of its own that tells what they saw."""
    words = [sys.executable, __file__, "--as-person", server.url, server.token, str(seconds)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


async def as_person(url: str, token: str, seconds: float) -> dict[str, Any]:
    """Be one person, and tell what was seen."""
    person = Person(url, token)
    counts: list[tuple[float, int, int]] = []

    async def count() -> None:
        while True:
            await asyncio.sleep(2)
            with suppress(Exception):
                report = (await person.peer.getStats()).values() if person.peer else ()
                sent = sum(one.bytesSent for one in report if one.type == "transport")
                received = sum(one.bytesReceived for one in report if one.type == "transport")
                counts.append((time.monotonic(), sent, received))

    counting = asyncio.create_task(count())
    await person.stay(seconds)
    counting.cancel()
    half = counts[len(counts) // 2 :]
    (began_s, sent, received), (ended_s, sent_last, received_last) = half[0], half[-1]
    span_s = max(1e-9, ended_s - began_s)
    gaps_ms = sorted(1e3 * (after - before) for before, after in pairwise(person.seen_s))
    return {
        "join_s": round(person.joined_s[0], 2),
        "fps": round(1e3 / statistics.fmean(gaps_ms), 1),
        "gap_p95_ms": round(gaps_ms[int(0.95 * len(gaps_ms))], 1),
        "kbps_to_host": round((sent_last - sent) * 8e-3 / span_s),
        "kbps_from_host": round((received_last - received) * 8e-3 / span_s),
        "status": person.status,
        "overs": person.overs,
    }


def leaks(server: Running) -> dict[str, Any]:
    """Let people come and go, and look at what is left of them."""
    asyncio.run(come_and_go(server, WARM_UPS))
    before = holdings(server)
    asyncio.run(come_and_go(server, JOINS))
    after = holdings(server)
    mb = [sum(one["mb"] for one in those.values()) for those in (before, after)]
    more = {
        what: max(after[pid][what] - before[pid][what] for pid in before if pid in after)
        for what in ("threads", "files", "udp")
    }
    return {
        "joins": JOINS,
        "mb_before": round(mb[0], 1),
        "mb_after": round(mb[1], 1),
        "most_more_in_a_process": more,
        "processes_before_after": [len(before), len(after)],
        "leaks": mb[1] > mb[0] * (1 + LEAK) or any(n > 1 for n in more.values()),
    }


async def come_and_go(server: Running, n: int) -> None:
    """Come, see a picture, leave; so many times, two at a time as there are places."""

    async def one() -> None:
        for _ in range(n // 2):
            person = Person(server.url, server.token, (320, 180), 10)
            staying = asyncio.create_task(person.stay(30))
            while len(person.seen_s) < 3 and not staying.done():
                await asyncio.sleep(0.1)
            staying.cancel()
            await asyncio.gather(staying, return_exceptions=True)

    await asyncio.gather(one(), one())


def holdings(server: Running) -> dict[int, dict[str, float]]:
    """Return what each process of the server holds, when sessions have had time to end."""
    time.sleep(12)
    held = {}
    for process in server.family():
        if "ServeReplica" in named(process) or "Proxy" in named(process):
            udp = [one for one in process.net_connections("udp") if one.laddr]
            held[process.pid] = {
                "mb": pss_mb([process]),
                "threads": process.num_threads(),
                "files": process.num_fds(),
                "udp": len(udp),
            }
    return held


def storm(server: Running) -> dict[str, Any]:
    """Let 200 a second try forged tokens, beside somebody who is there."""
    with people(server, STORM_S + 14) as there:
        time.sleep(6)
        family = {"proxy": "ProxyActor", "reception": ":Reception"}
        those = {what: [p for p in server.family() if word in named(p)] for what, word in family.items()}
        before = {what: cpu_s(processes) for what, processes in those.items()}
        waits_s, turned_away, failed = asyncio.run(attempts(server.url))
        spent = {what: round(cpu_s(processes) - before[what], 2) for what, processes in those.items()}
        told = json.loads(there.communicate(timeout=90)[0])
    return {
        "attempts": len(waits_s) + turned_away + failed,
        "answered": len(waits_s),
        "turned_away": turned_away,
        "wait_ms": round(1e3 * statistics.median(waits_s), 1),
        "wait_p95_ms": round(1e3 * statistics.quantiles(waits_s, n=20)[-1], 1),
        "cpu_s": spent,
        "who_is_there": told,
        "ready_after": psutil.pid_exists(server.process.pid),
    }


async def attempts(url: str) -> tuple[list[float], int, int]:
    """Try to come in with forged tokens.

    Returns:
        How long refusals took, how many were turned away before they could ask (HTTP 403 or 503), and how
        many heard nothing.
    """
    waits_s: list[float] = []
    turned_away = 0

    async def attempt() -> None:
        nonlocal turned_away
        began_s = time.monotonic()
        wish = {"token": "forged" * 4, "avatar": "x", "driven_by": "camera", "offer": "v=0", "sound": False}
        try:
            async with websockets.connect(f"ws{url[4:]}api/join", open_timeout=30) as socket:
                await socket.send(json.dumps(wish))
                if "over" in json.loads(await socket.recv()):
                    waits_s.append(time.monotonic() - began_s)
        except websockets.InvalidStatus:
            turned_away += 1
        except (OSError, websockets.WebSocketException, TimeoutError):
            pass  # counted as heard nothing

    tasks = []
    began_s = time.monotonic()
    for n in range(ATTEMPTS_A_SECOND * STORM_S):
        tasks.append(asyncio.create_task(attempt()))
        await asyncio.sleep(max(0.0, began_s + n / ATTEMPTS_A_SECOND - time.monotonic()))
    await asyncio.wait(tasks, timeout=60)
    return waits_s, turned_away, len(tasks) - len(waits_s) - turned_away


def measure(parts: Sequence[str], seconds: float) -> dict[str, Any]:
    """Measure those parts, each with a server of its own, and two places."""
    figures: dict[str, Any] = {}
    for part in parts:
        with running_server() as server:
            time.sleep(3)
            match part:
                case "idle":
                    figures[part] = idle(server, seconds)
                case "session":
                    figures[part] = session(server, seconds)
                case "leaks":
                    figures[part] = leaks(server)
                case "storm":
                    figures[part] = storm(server)
    return figures


def main() -> None:
    """Measure, tell, and judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--as-person", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.as_person:
        url, token, seconds = options.as_person
        print(json.dumps(asyncio.run(as_person(url, token, float(seconds)))))
        return
    figures = measure(options.only, options.seconds)
    told = {"hardware": asdict(describe_hardware()), "load": os.getloadavg(), **figures}
    print(json.dumps(told) if options.json else "\n".join(f"{key:9} {value}" for key, value in told.items()))
    storm_told = figures.get("storm", {})
    told_no = storm_told.get("answered", 0) + storm_told.get("turned_away", 0)
    is_stormed = told_no < storm_told.get("attempts", 0)
    sys.exit(figures.get("leaks", {}).get("leaks", False) or is_stormed)


if __name__ == "__main__":
    main()
