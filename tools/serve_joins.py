"""How many joins a second a reception takes, and how many sessions, before hosts that only answer.

    python tools/serve_joins.py [--joins 400] [--sessions 2000] [--json]

Everything is real (Ray Serve's proxy, WebSockets, tokens, rights, checks of offers, the line, errands) but
the hosts: theirs answer at once, show nothing, and fetch errands until told to end. Told are joins a second
of people who come one after the other on 16 connections, what CPU each process took for one, and what the
sessions cost that are there then, with nothing happening but errands. On a busy machine look at the CPU time
alone: the reckoned rate is that of the process which takes most. Needs the extra `server`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from serve_processes import cpu_s, free_port, named, pss_mb

from facepuppet.core import describe_hardware
from facepuppet.server import (
    Answered,
    Desk,
    Door,
    Join,
    Leave,
    Over,
    Parts,
    ReceptionSettings,
    SessionFigures,
    Sizes,
    Told,
)

TOKEN = "a token for joins by the hundred"
CONNECTIONS = 16
_KINDS = {
    "ProxyActor": "proxy",
    "Reception": "reception",
    "Host": "host",
    "gcs_server": "head",
    "raylet": "raylet",
}


class AnsweringHost:
    """Answers each offer with the same words, and stays until it is told to leave."""

    def __init__(self, answer: str, desk: Desk, places: int) -> None:
        self._answer, self._desk, self._places = answer, desk, places
        self._running: set[asyncio.Task[Over]] = set()

    @property
    def taken(self) -> int:
        """How many are here."""
        return len(self._running)

    async def figures(self) -> dict[str, SessionFigures]:
        """Return none: nothing moves."""
        return {}

    async def perform(self, join: Join) -> AsyncIterator[Told]:
        """Answer, and wait."""
        task = asyncio.create_task(self._until_left(join.session))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        yield Answered(self._answer)
        yield await asyncio.shield(task)

    async def _until_left(self, session: str) -> Over:
        while True:
            for errand in await self._desk.errands(session):
                if isinstance(errand, Leave):
                    return errand.over


async def offer_and_answer() -> tuple[str, str]:
    """Return what a peer with a camera and a host say to each other."""
    from aiortc import RTCConfiguration, RTCPeerConnection
    from serve_people import Swaying

    peer, host = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    peer.addTrack(Swaying((320, 180), 1))
    peer.createDataChannel("puppet")
    await peer.setLocalDescription(await peer.createOffer())
    await host.setRemoteDescription(peer.localDescription)
    await host.setLocalDescription(await host.createAnswer())
    said = peer.localDescription.sdp, host.localDescription.sdp
    await asyncio.gather(peer.close(), host.close())
    return said


async def come(port: int, n: int) -> list[float]:
    """Let so many come in, several at a time; returns how long each waited for the answer."""
    import websockets

    offer, _ = await offer_and_answer()
    wish = {"token": TOKEN, "avatar": "grace_hopper", "driven_by": "camera", "offer": offer, "sound": False}
    waits_s: list[float] = []

    async def some(count: int) -> None:
        for _ in range(count):
            began_s = time.monotonic()
            async with websockets.connect(f"ws://127.0.0.1:{port}/api/join") as socket:
                await socket.send(json.dumps(wish))
                while "answer" not in (said := json.loads(await socket.recv())):
                    if "over" in said:
                        raise SystemExit(said["over"]["sentence"])
            waits_s.append(time.monotonic() - began_s)

    await asyncio.gather(*(some(n // CONNECTIONS) for _ in range(CONNECTIONS)))
    return waits_s


def family() -> dict[str, list[psutil.Process]]:
    """Return the server's processes by what they are."""
    kinds: dict[str, list[psutil.Process]] = {}
    for process in psutil.Process().children(recursive=True):
        words = named(process)
        kind = next((kind for word, kind in _KINDS.items() if word in words), "others of Ray")
        if "--as-people" not in words:
            kinds.setdefault(kind, []).append(process)
    return kinds


def let_come(port: int, joins: int) -> dict[str, Any]:
    """Let people come from a process of their own, and look what it costs."""
    before = {kind: cpu_s(those) for kind, those in family().items()}
    began_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, __file__, "--as-people", str(port), "--joins", str(joins)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    took_s, waits_s = time.monotonic() - began_s, json.loads(done.stdout)
    spent = {kind: round((cpu_s(those) - before[kind]) / joins * 1e3, 2) for kind, those in family().items()}
    one_process = max(spent[kind] for kind in ("proxy", "reception"))
    return {
        "joins": len(waits_s),
        "joins_per_s": round(len(waits_s) / took_s, 1),
        "wait_ms": round(1e3 * statistics.median(waits_s), 1),
        "wait_p95_ms": round(1e3 * statistics.quantiles(waits_s, n=20)[-1], 1),
        "cpu_ms_a_join": spent,
        "reckoned_joins_per_s": round(1e3 / one_process),
    }


def look(seconds: float) -> dict[str, Any]:
    """Return what the server takes while nobody comes: of a core, and MiB."""
    kinds = family()
    before = {kind: cpu_s(those) for kind, those in kinds.items()}
    time.sleep(seconds)
    return {
        "cores": {kind: round((cpu_s(those) - before[kind]) / seconds, 3) for kind, those in kinds.items()},
        "mb": {kind: round(pss_mb(those), 1) for kind, those in kinds.items()},
    }


def measure(joins: int, sessions: int) -> dict[str, Any]:
    """Serve, and look."""
    from facepuppet.server import load_tokens, ray_on, reception_front

    _, answer = asyncio.run(offer_and_answer())
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder) / "tokens.toml"
        tokens.write_text(f'[[token]]\nname = "joins"\nsecret = "{TOKEN}"\njoins_per_minute = 100000\n')
        tokens.chmod(0o600)
        settings = ReceptionSettings(load_tokens(tokens), most_waiting=1000)
        parts = Parts(
            partial(AnsweringHost, answer),
            partial(reception_front, settings),
            Sizes(1, 1, 0.1 / sessions, 2 * (sessions + joins)),
            Path(folder) / "logs",
        )
        with ray_on(None) as head:
            from facepuppet.server import open_server  # loads Ray, which has to be told by now how to be

            with open_server(parts, Door(port=port), head, own_ray=True):
                return measured_at(port, joins, sessions)


def measured_at(port: int, joins: int, sessions: int) -> dict[str, Any]:
    """Let people come to a server that runs, in two waves, and look at it between them."""
    time.sleep(3)
    told: dict[str, Any] = {"empty": look(10)}
    told["first"] = let_come(port, joins)
    told[f"with {joins}"] = look(20)
    if sessions > joins:
        told["more"] = let_come(port, sessions - joins)
        told[f"with {sessions}"] = look(20)
    return told


def main() -> None:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--joins", type=int, default=400)
    parser.add_argument("--sessions", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--as-people", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.as_people is not None:
        print(json.dumps(asyncio.run(come(options.as_people, options.joins))))
        return
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    from serve_joins import measure as measured  # under its own name, by which the hosts' processes find it

    figures = measured(options.joins, options.sessions)
    told = {"hardware": asdict(describe_hardware()), "load": os.getloadavg(), **figures}
    print(json.dumps(told) if options.json else "\n".join(f"{key:12} {value}" for key, value in told.items()))


if __name__ == "__main__":
    main()
