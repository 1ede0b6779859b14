"""The whole server with real browsers: `facepuppet serve`, and Chromium pages that join as people do.

    python tools/serve_in_browser.py [--sessions 2] [--seconds 20] [--size 640x360]

Each page picks the first avatar, allows its camera (a rendered person) and watches its puppet. Printed for
each of them: when the first picture came, of what size it was, the rates at which pictures were decoded and
shown (without a screen Chromium shows fewer than it decodes), gaps, what the page's camera sent in the first
second, and what the host told last; then what the server's processes took of a core, their memory, and what
the mark says in what Chromium shows. Needs Chromium, ffmpeg and the extra `server`.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from room_in_browser import chromium_path
from serve_delay import open_browser, render_person

from facepuppet.core import describe_hardware
from facepuppet.watermark import detect

if TYPE_CHECKING:
    from playwright.async_api import Page

_PATIENCE_S = 90.0
_SETTLE_S = 5.0  # until encoders, rest and caches are as they stay
_MARK_PICTURES = 150
_SCRIPT = """
const Real = RTCPeerConnection;
window.peers = [];
window.RTCPeerConnection = class extends Real {
  constructor(...how) { super(...how); window.peers.push(this); }
  createDataChannel(...how) {
    const channel = super.createDataChannel(...how);
    channel.addEventListener("message", ({data}) => {
      const {status} = JSON.parse(data);
      if (status) window.told.push(status);
    });
    return channel;
  }
};
window.told = [];
window.shown = [];
window.sent = [];
window.decoded = [];
// Luma of the next n pictures as they are shown, and when.
window.collect = (n) => new Promise((done) => {
  const puppet = document.getElementById("puppet"), pictures = [];
  const canvas = new OffscreenCanvas(puppet.videoWidth, puppet.videoHeight);
  const context = canvas.getContext("2d", {willReadFrequently: true});
  const note = (now) => {
    context.drawImage(puppet, 0, 0, canvas.width, canvas.height);
    const {data} = context.getImageData(0, 0, canvas.width, canvas.height);
    const luma = new Uint8Array(data.length / 4);
    for (let i = 0; i < luma.length; i++) {
      luma[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2] + 0.5;
    }
    let text = "";
    for (let i = 0; i < luma.length; i += 8192) text += String.fromCharCode(...luma.subarray(i, i + 8192));
    pictures.push([now, canvas.width, canvas.height, btoa(text)]);
    if (pictures.length < n) puppet.requestVideoFrameCallback(note);
    else done(pictures);
  };
  puppet.requestVideoFrameCallback(note);
});
addEventListener("DOMContentLoaded", () => {
  const puppet = document.getElementById("puppet");
  const note = (now, frame) => {
    window.shown.push([now, frame.width, frame.height]);
    puppet.requestVideoFrameCallback(note);
  };
  puppet?.requestVideoFrameCallback(note);
  setInterval(async () => {
    for (const peer of window.peers) {
      for (const one of (await peer.getStats()).values()) {
        if (one.type === "inbound-rtp" && one.kind === "video") {
          window.decoded.push([performance.now(), one.framesDecoded, one.framesDropped, one.freezeCount]);
        }
        if (one.type === "outbound-rtp" && one.kind === "video" && one.framesSent) {
          window.sent.push([performance.now(), one.frameWidth, one.framesSent, one.targetBitrate ?? 0]);
        }
      }
    }
  }, 200);
});
"""


@contextmanager
def running_server(*options: str) -> Iterator[tuple[str, str, int]]:
    """Run `facepuppet serve` on loopback; yields its address, an access code and its process's id.

    Raises:
        RuntimeError: it did not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        door = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-c", "from facepuppet.cli import main; main()", "serve", "--address", door]
    with tempfile.TemporaryFile("w+") as told:
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            [*command, "--drain", "1", *options], stdout=told, stderr=subprocess.STDOUT, env=environment
        )
        try:
            yield f"http://{door}/", _code(process, told), process.pid
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()


def _code(process: subprocess.Popen[bytes], told: Any) -> str:
    """Wait until a server says its access code."""
    end_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end_s and process.poll() is None:
        told.seek(0)
        found = re.search(r"access code of this run: (\S+)", told.read())
        if found:
            return found[1]
        time.sleep(0.2)
    told.seek(0)
    raise RuntimeError(f"the server did not start: {told.read()[-2000:]}")


async def join(page: Page, url: str, code: str) -> float:
    """Let a page join as a person does; returns when it asked to, on its own clock, in ms."""
    await page.add_init_script(_SCRIPT)
    await page.goto(f"{url}#token={code}")
    await page.locator("#start").wait_for(state="visible")
    await page.locator("[name=avatar]").first.check(force=True)
    asked_ms = float(await page.evaluate("() => performance.now()"))
    await page.locator("#start").click()
    return asked_ms


async def figures_of(page: Page, asked_ms: float, since_ms: float) -> dict[str, Any]:
    """Return what a page saw."""
    shown = np.array(await page.evaluate("() => window.shown"), float)
    sent = await page.evaluate("() => window.sent")
    if not len(shown):
        return {"saw": "nothing"}
    steady = shown[shown[:, 0] > since_ms]
    gaps_ms = np.diff(steady[:, 0])
    decoded = np.array(await page.evaluate("() => window.decoded"), float)
    decoded = decoded[decoded[:, 0] > since_ms]
    first_second = [width for at_ms, width, *_ in sent if at_ms < sent[0][0] + 1000]
    return {
        "first_s": round((shown[0, 0] - asked_ms) / 1000, 2),
        "first": f"{shown[0, 1]:.0f}x{shown[0, 2]:.0f}",
        "last": f"{shown[-1, 1]:.0f}x{shown[-1, 2]:.0f}",
        "decoded_fps": round(1000 * (decoded[-1, 1] - decoded[0, 1]) / (decoded[-1, 0] - decoded[0, 0]), 1),
        "shown_fps": round(1000 * len(gaps_ms) / (steady[-1, 0] - steady[0, 0]), 1),
        "gap_p95_ms": round(float(np.percentile(gaps_ms, 95))),
        "sent_first_second": min(first_second),
        "sent_last": sent[-1][1],
        "sent_fps": round(1000 * (sent[-1][2] - sent[-6][2]) / (sent[-1][0] - sent[-6][0]), 1),
        "told": await page.evaluate("() => window.told.at(-1)"),
    }


async def mark_of(page: Page) -> str:
    """Return what the mark says in pictures that a page shows."""
    pictures = await page.evaluate("(n) => window.collect(n)", _MARK_PICTURES)
    frames = [
        (np.frombuffer(base64.b64decode(luma), np.uint8).reshape(height, width), at_ms / 1000)
        for at_ms, width, height, luma in pictures
    ]
    found = detect(frames)
    seconds = frames[-1][1] - frames[0][1]
    return f"mark {found.payload or 'not found'} in {seconds:.1f} s, {len(frames)} pictures"


def processes_of(pid: int) -> dict[str, list[psutil.Process]]:
    """Return a server's processes, by what they are for."""
    found: dict[str, list[psutil.Process]] = {"host": [], "reception": [], "the rest": []}
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        name = " ".join(process.cmdline())
        kind = "host" if ":Host" in name else "reception" if ":Reception" in name else "the rest"
        found[kind].append(process)
    return found


def _spent_s(processes: list[psutil.Process]) -> float:
    return float(sum(sum(process.cpu_times()[:2]) for process in processes))


async def measure(url: str, code: str, pid: int, n: int, seconds: float, clip: Path) -> list[str]:
    """Let pages join and wait; return what they saw and what it cost, a line each."""
    told = []
    processes = processes_of(pid)
    async with open_browser(clip) as browser:
        pages = [await (await browser.new_context()).new_page() for _ in range(n)]
        asked_ms = [await join(page, url, code) for page in pages]
        await asyncio.sleep(_SETTLE_S)
        since_ms = [float(await page.evaluate("() => performance.now()")) for page in pages]
        begun_s, before = time.monotonic(), {kind: _spent_s(some) for kind, some in processes.items()}
        await asyncio.sleep(seconds)
        took_s = time.monotonic() - begun_s
        for page, asked, since in zip(pages, asked_ms, since_ms, strict=True):
            told.append(
                "  ".join(f"{what} {value}" for what, value in (await figures_of(page, asked, since)).items())
            )
        for kind, some in processes.items():
            share = (_spent_s(some) - before[kind]) / took_s
            memory = sum(process.memory_info().rss for process in some) / 1e6
            told.append(f"{kind}: {len(some)} processes, {100 * share:.1f} % of a core, {memory:.0f} MB")
        told += [await mark_of(page) for page in pages]
    return told


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sessions", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--size", default="640x360")
    options = parser.parse_args()
    if chromium_path() is None or shutil.which("ffmpeg") is None:
        sys.exit("Got no chromium or no ffmpeg; on Debian: sudo apt-get install chromium ffmpeg")
    width, height = map(int, options.size.split("x"))
    print(describe_hardware())
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "person.y4m"
        render_person(clip, (width, height))
        with running_server("--canvas", options.size) as (url, code, pid):
            told = asyncio.run(measure(url, code, pid, options.sessions, options.seconds, clip))
            print("\n".join(told))


if __name__ == "__main__":
    main()
