"""The deployments on a real Ray, with small parts in place of puppets and of the reception's rules."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import websockets

if find_spec("ray") is None or find_spec("aiortc") is None:
    pytest.skip("needs the extra facepuppet[server]", allow_module_level=True)

TESTS = Path(__file__).parent
PATIENCE_S = 30.0


def free_port() -> int:
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return int(any_port.getsockname()[1])


@contextmanager
def small_server(folder: Path, drain: float = 0.5) -> Iterator[tuple[subprocess.Popen[str], People, int]]:
    """Serve in a process of its own; yields it, who come in, and where its figures are."""
    port, metrics_port = free_port(), free_port()
    words = [str(word) for word in (port, metrics_port, folder / "logs", drain)]
    path = os.pathsep.join([str(TESTS.parent), str(TESTS)])
    process = subprocess.Popen(
        [sys.executable, str(TESTS / "serve_parts.py"), *words],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("open 127.0.0.1:"), line or process.communicate()[1]
        yield process, People(port), metrics_port
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()  # and with it what it started, where it did not end


class People:
    """Come in at a server's door."""

    def __init__(self, port: int) -> None:
        self._port, self._n = port, 0

    @asynccontextmanager
    async def join(self, offer: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """Join, and hear what is said until it is closed."""
        self._n += 1
        async with websockets.connect(f"ws://127.0.0.1:{self._port}/api/join") as socket:
            await socket.send(json.dumps({"session": f"s{self._n}", "offer": offer}))
            yield (json.loads(text) async for text in socket)

    async def whole(self, offer: str) -> list[dict[str, Any]]:
        """Join, and stay to the end."""
        async with asyncio.timeout(PATIENCE_S), self.join(offer) as said:
            return [line async for line in said]

    def get(self, path: str, port: int | None = None) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port or self._port}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def wait_for_seats(self, seats: int, taken: int) -> None:
        end = time.monotonic() + PATIENCE_S
        while (now := json.loads(self.get("/seats"))) != [seats, taken]:
            assert time.monotonic() < end, f"{now}, not {[seats, taken]}"
            time.sleep(0.2)


async def comes_and_goes(people: People) -> None:
    """The ordinary way, an error of the host, and a host that dies."""
    answered, over = await people.whole("0.2")
    assert answered["answer"].endswith(" 8 1")  # bytes of the portrait and entries revoked, by the desk
    assert over["over"]["why"] == "left"
    (failed,) = await people.whole("fail")
    assert failed["over"] | {"sentence": ""} == {"why": "failed", "sentence": "", "again": True}
    (lost,) = await people.whole("die")
    assert lost["over"] | {"sentence": ""} == {"why": "lost", "sentence": "", "again": True}


async def waits_in_line(people: People) -> None:
    """Three for two places: the third waits, unless it leaves."""
    async with people.join("30") as first, people.join("3") as second:
        hosts = {(await anext(one))["answer"].split()[0] for one in (first, second)}
        assert len(hosts) == 2
        async with people.join("0.1") as gives_up:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(gives_up), 1.0)
        third = await people.whole("0.1")  # once the second is over
        assert third[0]["answer"].split()[0] in hosts


async def sees_pictures(people: People) -> None:
    """By WebRTC, straight from the host; gone when the peer is."""
    from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    came: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    peer.on("track", came.set_result)
    peer.addTransceiver("video", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    async with asyncio.timeout(PATIENCE_S), people.join(peer.localDescription.sdp) as said:
        answer = (await anext(said))["answer"]
        await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        track = await came
        pictures = [(await track.recv()).to_ndarray(format="gray").mean() for _ in range(5)]
        assert pictures == sorted(pictures) and pictures[-1] > pictures[0]
        await peer.close()
        assert (await anext(said))["over"]["why"] == "left"


@pytest.mark.thorough
def test_people_come_wait_see_and_are_told_the_end(tmp_path: Path) -> None:
    with small_server(tmp_path) as (process, people, metrics_port):
        people.wait_for_seats(2, 0)
        asyncio.run(comes_and_goes(people))
        people.wait_for_seats(2, 0)  # there is another host in place of the one that died
        asyncio.run(waits_in_line(people))
        people.wait_for_seats(2, 1)  # the first has closed its socket, and its session runs on
        asyncio.run(sees_pictures(people))
        _check_metrics(people, metrics_port)
        asyncio.run(_is_told_the_end(people, process))
        assert process.wait(PATIENCE_S) == 0
    _check_logs(tmp_path / "logs")


@pytest.mark.slow
def test_ray_alone_listens_on_loopback_or_asks_for_its_token(tmp_path: Path) -> None:
    """Each replica of Serve listens on all addresses, and would unpickle what anybody sends."""
    import grpc
    import psutil
    from ray.serve.generated import serve_pb2, serve_pb2_grpc

    with small_server(tmp_path) as (process, _, _):
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        doors = [
            one.laddr for each in family for one in each.net_connections() if one.status == psutil.CONN_LISTEN
        ]
        assert len(doors) > 10
        open_doors = [door for door in doors if not door.ip.removeprefix("::ffff:").startswith("127.")]
        assert len(open_doors) <= 3  # the replicas'
        for door in open_doors:
            with (
                grpc.insecure_channel(f"127.0.0.1:{door.port}") as channel,
                pytest.raises(grpc.RpcError) as no,
            ):
                serve_pb2_grpc.ASGIServiceStub(channel).HandleRequest(serve_pb2.ASGIRequest())
            assert no.value.code() is grpc.StatusCode.UNAUTHENTICATED  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_head_that_dies_ends_the_server_with_one_line(tmp_path: Path) -> None:
    import psutil

    with small_server(tmp_path) as (process, _, _):
        family = psutil.Process(process.pid).children(recursive=True)
        next(one for one in family if one.name() == "gcs_server").kill()
        _, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode != 0
        assert "no answer from Ray's head any more" in said.splitlines()[-1]
        assert not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def _check_metrics(people: People, port: int) -> None:
    wanted = ("facepuppet_joins_total{", 'outcome="answered"', 'outcome="lost"', "facepuppet_sessions{")
    end = time.monotonic() + PATIENCE_S
    while not all(text in (told := people.get("/metrics", port)) for text in wanted):
        assert time.monotonic() < end, [line for line in told.splitlines() if "facepuppet" in line]
        time.sleep(0.5)


async def _is_told_the_end(people: People, process: subprocess.Popen[str]) -> None:
    async with asyncio.timeout(PATIENCE_S), people.join("30") as said:
        assert "answer" in await anext(said)
        process.send_signal(signal.SIGTERM)  # as a service's stop is
        assert (await anext(said))["over"]["why"] == "closing"


def _check_logs(folder: Path) -> None:
    text = "".join(path.read_text() for path in folder.iterdir())
    lines = [json.loads(line) for line in text.splitlines()]
    assert {"lost", "failed"} <= {line.get("why") for line in lines}
    assert "192.0.2.7" not in text and "v=0" not in text
    assert {path.name.split("-")[0] for path in folder.iterdir()} == {"host", "reception"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("serve_cluster.py",),
        ("serve_capacity.py", "--only", "leaks"),
        ("serve_capacity.py", "--only", "storm"),
    ],
    ids=["a node is lost", "fifty come and go", "two hundred a second ask"],
)
def test_the_real_server_holds(words: tuple[str, ...]) -> None:
    """Each tool exits 1 where its bars, told at its head, are not kept."""
    tool = TESTS.parent / "tools" / words[0]
    environment = os.environ | {"PYTHONPATH": str(TESTS.parent)}
    command = [sys.executable, str(tool), *words[1:]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
