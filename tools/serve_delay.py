"""From glass to glass: how much later a browser shows the puppet than its own camera, and what of it is ours.

    python tools/serve_delay.py [--sessions 1] [--seconds 12] [--size 640x360] [--json]

A headless Chromium plays a rendered person (the sample portrait, whose head turns at random) as its
camera, and sends it to a host in this process, over loopback. It notes small copies of what it shows of
both, and when: the delay is where both motions fit best. The same is done with an echo, which sends back
what comes, through the same codecs and without a puppet: what a puppet adds is the difference. Needs
Chromium, ffmpeg and the extra `server`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from aiortc import MediaStreamTrack
from room_in_browser import chromium_path
from sample_desk import SampleDesk, join_of

from facepuppet.core import F64, Blendshapes, Expression, FacePose, HeadPose, describe_hardware
from facepuppet.frames import Composer
from facepuppet.portrait import load_avatar, sample_portrait_path
from facepuppet.server import Answered, PeerConnection, Picture, SessionHost
from facepuppet.session import Puppet

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

FPS = 30
CLIP_S = 16.0
GRID_HZ = 250.0
MOST_DELAY_S = 1.0
_PAGE = """
<video id=own autoplay muted playsinline></video><video id=puppet autoplay muted playsinline></video>
<script>
const notes = {own: [], puppet: []}, canvas = new OffscreenCanvas(64, 36);
const context = canvas.getContext("2d", {willReadFrequently: true});
function watch(name) {
  const video = document.getElementById(name);
  const note = (now, frame) => {
    context.drawImage(video, 0, 0, 64, 36);
    const pixels = context.getImageData(0, 0, 64, 36).data, grey = [];
    for (let i = 1; i < pixels.length; i += 4) grey.push(pixels[i]);
    notes[name].push([now, frame.width, frame.height, grey]);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
}
let peer;
async function offer(width, height) {
  const stream = await navigator.mediaDevices.getUserMedia({video: {width, height, frameRate: 30}});
  for (const track of stream.getTracks()) track.contentHint = "detail";
  own.srcObject = stream;
  peer = new RTCPeerConnection();
  peer.createDataChannel("puppet");
  peer.ontrack = ({track}) => { if (track.kind === "video") puppet.srcObject = new MediaStream([track]); };
  for (const track of stream.getTracks()) peer.addTrack(track, stream);
  const video = peer.getTransceivers().find((one) => one.sender.track?.kind === "video");
  const codecs = RTCRtpReceiver.getCapabilities("video").codecs;
  video.setCodecPreferences(codecs.filter((one) => /VP8|rtx/.test(one.mimeType)));
  await peer.setLocalDescription(await peer.createOffer());
  while (peer.iceGatheringState !== "complete") await new Promise((done) => setTimeout(done, 20));
  return peer.localDescription.sdp;
}
async function take(sdp) {
  await peer.setRemoteDescription({type: "answer", sdp});
  watch("own");
  watch("puppet");
}
</script>
"""


def render_person(path: Path, size_px: tuple[int, int]) -> None:
    """Write a clip for Chromium's camera: the sample portrait, which turns its head to and fro at random."""
    puppet = Puppet(avatar := load_avatar(sample_portrait_path()), Composer(avatar, size_px))
    steps = np.random.default_rng(1).normal(size=round(CLIP_S * FPS))
    yaws = np.convolve(steps, np.hanning(15), "same")
    yaws = 0.3 * yaws / np.abs(yaws).max()
    size = f"{size_px[0]}x{size_px[1]}"
    command = ["ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size]
    command += ["-r", str(FPS), "-i", "-", "-pix_fmt", "yuv420p", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as ffmpeg:
        assert ffmpeg.stdin is not None
        for n, yaw in enumerate(yaws):
            ffmpeg.stdin.write(puppet.show(_turned(float(yaw), n)).rgb.tobytes())


def _turned(yaw: float, n: int) -> Expression:
    head = HeadPose(np.array([0.0, yaw, 0.0], np.float32))
    face = FacePose(head, np.zeros((2, 2)), np.ones(2, np.float32), Blendshapes(np.zeros(52, np.float32)))
    return Expression(face, None, n, round(n * 1e9 / FPS))


async def join_puppet(offer: str, size_px: tuple[int, int], number: int, host: SessionHost) -> str:
    """Let a page perform at a host; return the answer."""
    join = join_of(f"session {number}", offer, picture=Picture(size_px, FPS))
    told = await anext(host.perform(join))
    assert isinstance(told, Answered), told
    return told.sdp


async def join_echo(offer: str) -> str:
    """Send back to a page what it sends, decoded and encoded; return the answer."""
    relay = _Echo()
    peer = PeerConnection(offer, (), lambda track, receiver: relay.follow(track))
    return await peer.answer([relay])


class _Echo(MediaStreamTrack):
    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._followed: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()

    def follow(self, track: MediaStreamTrack) -> None:
        if track.kind == "video":
            self._followed.set_result(track)

    async def recv(self) -> Any:
        return await (await self._followed).recv()


@asynccontextmanager
async def open_browser(clip: Path) -> AsyncIterator[Browser]:
    """Start a Chromium that has a clip for a camera."""
    from playwright.async_api import async_playwright

    flags = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", "--disable-gpu"]
    flags += [f"--use-file-for-fake-video-capture={clip}", "--disable-features=WebRtcHideLocalIpsWithMdns"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=flags)
        try:
            yield browser
        finally:
            await browser.close()


async def measure(
    pages: Sequence[Page], seconds: float, size_px: tuple[int, int], host: SessionHost | None
) -> list[dict[str, float]]:
    """Let pages perform for some seconds, or be echoed; return what each showed."""
    for number, page in enumerate(pages):
        offer = await page.evaluate("([w, h]) => offer(w, h)", list(size_px))
        answer = await (join_echo(offer) if host is None else join_puppet(offer, size_px, number, host))
        await page.evaluate("take", answer)
    await asyncio.sleep(3.0)  # encoders and jitter buffers settle
    for page in pages:
        await page.evaluate("notes.own.length = notes.puppet.length = 0")
    await asyncio.sleep(seconds)
    results = [figures_of(await page.evaluate("notes")) for page in pages]
    for page in pages:
        await page.evaluate("peer.close()")
    return results


def figures_of(notes: dict[str, list[Any]]) -> dict[str, float]:
    """Return the delay in ms, how well both motions fit, the rate and the width of what was shown."""
    own_s, own = _motion(notes["own"])
    puppet_s, puppet = _motion(notes["puppet"])
    grid_s = np.arange(max(own_s[0], puppet_s[0]) + MOST_DELAY_S, min(own_s[-1], puppet_s[-1]), 1 / GRID_HZ)
    shown = np.interp(grid_s, puppet_s, puppet)
    delays_s = np.arange(0.0, MOST_DELAY_S, 1 / GRID_HZ)
    fits = [abs(np.corrcoef(np.interp(grid_s - delay_s, own_s, own), shown)[0, 1]) for delay_s in delays_s]
    best = int(np.argmax(fits))
    gaps_ms = 1000 * np.diff(puppet_s)
    return {
        "delay_ms": round(1000 * delays_s[best]),
        "fit": round(float(fits[best]), 3),
        "fps": round(len(gaps_ms) / (puppet_s[-1] - puppet_s[0]), 1),
        "gap_p95_ms": round(float(np.percentile(gaps_ms, 95))),
        "width": notes["puppet"][-1][1],
    }


def _motion(shown: list[Any]) -> tuple[F64, F64]:
    """Return when pictures were shown, and the one number of each that says most of how they differ."""
    times_s = np.array([one[0] for one in shown]) / 1000
    pictures = np.array([one[3] for one in shown], np.float64)
    pictures -= pictures.mean(0)
    return times_s, pictures @ np.linalg.svd(pictures, full_matrices=False)[2][0]


async def compare(n_sessions: int, seconds: float, size_px: tuple[int, int]) -> dict[str, Any]:
    """Measure echoes and puppets, and echoes once more."""
    host = SessionHost(SampleDesk(), seats=n_sessions)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "person.y4m"
        await asyncio.to_thread(render_person, clip, size_px)
        async with open_browser(clip) as browser:
            told = {}
            for name, where in (("echo", None), ("puppet", host), ("echo again", None)):
                pages = [await browser.new_page() for _ in range(n_sessions)]
                for page in pages:
                    await page.route("**/*", _serve)
                    await page.goto("http://localhost:1/")
                told[name] = await measure(pages, seconds, size_px, where)
                for page in pages:
                    await page.close()
    await host.close()
    return told


async def _serve(route: Any) -> None:
    await route.fulfill(body=_PAGE, content_type="text/html")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if chromium_path() is None or shutil.which("ffmpeg") is None:
        sys.exit("Got no chromium or no ffmpeg; on Debian: sudo apt-get install chromium ffmpeg")
    width, height = map(int, options.size.split("x"))
    told = asyncio.run(compare(options.sessions, options.seconds, (width, height)))
    if options.json:
        print(json.dumps(told))
        return
    print(describe_hardware())
    for name, pages in told.items():
        for figures in pages:
            print(f"{name:<11}", "  ".join(f"{what} {value}" for what, value in figures.items()))
    echo = np.mean([one["delay_ms"] for name in ("echo", "echo again") for one in told[name]])
    print(f"a puppet adds {np.mean([one['delay_ms'] for one in told['puppet']]) - echo:.0f} ms to an echo")


if __name__ == "__main__":
    main()
