"""What a session costs beside its puppet and codec: CPU by thread, in a host in this process.

    python tools/serve_overhead.py [--seconds 20] [--json]

A peer in a process of its own sends 640x360 at 30 frames a second and watches. The event loop's thread does
all that is the server's (packets, encryption, control, the data channel); aiortc's decoder and the executor's
threads code pictures; the rest is the live pipeline's, the same as in `facepuppet run`. What Ray adds is in
`tools/serve_capacity.py`. Needs the extra `server`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import websockets
from sample_desk import SampleDesk, join_of

from facepuppet.core import describe_hardware
from facepuppet.server import Answered, SessionHost

_WARM_S = 8.0
_CODEC = ("video-decoder", "audio-decoder", "asyncio_")


def cpu_by_thread() -> dict[str, float]:
    """Return the CPU time of this process's threads, by their names; "unnamed" are those of libraries."""
    names = {one.native_id: one.name for one in threading.enumerate()}
    spent: dict[str, float] = {}
    for one in psutil.Process().threads():
        name = names.get(one.id, "unnamed")
        spent[name] = spent.get(name, 0.0) + one.user_time + one.system_time
    return spent


async def measure(seconds: float) -> dict[str, Any]:
    """Perform for one peer, and look at the threads."""
    host = SessionHost(SampleDesk())

    async def door(socket: Any) -> None:
        wish = json.loads(await socket.recv())
        async for told in host.perform(join_of("overhead", wish["offer"])):
            said = {"answer": told.sdp} if isinstance(told, Answered) else {"over": {"why": told.why.value}}
            with suppress(websockets.ConnectionClosed):
                await socket.send(json.dumps(said))

    async with websockets.serve(door, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        whole_s = seconds + _WARM_S + 2
        tool = Path(__file__).with_name("serve_capacity.py")
        words = [sys.executable, str(tool), "--as-person", f"http://127.0.0.1:{port}/", "none", str(whole_s)]
        peer = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        await asyncio.sleep(_WARM_S)
        before, began_s = cpu_by_thread(), time.monotonic()
        await asyncio.sleep(seconds)
        span_s, after = time.monotonic() - began_s, cpu_by_thread()
        seen = json.loads((await asyncio.to_thread(peer.communicate))[0])
    await host.close()
    cores = {name: (after[name] - before.get(name, 0.0)) / span_s for name in after}
    codec = sum(share for name, share in cores.items() if name.startswith(_CODEC))
    loop = cores["MainThread"]
    return {
        "server_cores": round(loop, 3),
        "codec_cores": round(codec, 3),
        "puppet_cores": round(sum(cores.values()) - codec - loop, 3),
        "fps": seen["fps"],
        "status": seen["status"],
        "threads": {name: round(share, 3) for name, share in sorted(cores.items()) if share >= 0.002},
    }


def main() -> None:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = asyncio.run(measure(options.seconds))
    told = {"hardware": asdict(describe_hardware()), "load": os.getloadavg(), **figures}
    print(json.dumps(told) if options.json else "\n".join(f"{key:13} {value}" for key, value in told.items()))


if __name__ == "__main__":
    main()
