"""How far sound is from pictures in a session of the server, as a peer hears and sees it over loopback.

    python tools/serve_sound_skew.py [--seconds 40] [--browser] [--lose 0.02] [--driven-by voice]

A process of its own is the peer: it sends a face whose mouth opens every 1.5 s and a click at that moment
(for `voice`: no picture, and a vowel), and tells when it saw the puppet's mouth open and heard the sound in
what came back. Of both, medians and p95 from that moment on, and of sound less picture, its size for the p95:
positive where sound is late. aiortc hands a picture over when the next one begins to come; that is taken off.
A mouth counts as open from the first picture on that has it half open, which trackers take a picture or two
to believe. --lose drops that share of the peer's packets.
--browser lets a page in headless Chromium be the peer, which has its own way to keep both in step; what it
sends and shows is known to some 20 ms.

"machine late" is by how much the worst of fifty wakings of a thread was late: where that is more than a few
milliseconds, the figures tell of what else the machine does. Needs the extra `server`. Exits 1 where sound
and picture are farther apart than 80 ms in the median.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable

import numpy as np
from private_pulse import Pace
from skew_page import be_page
from skew_peer import AS_PEER, be_peer

from facepuppet.core import describe_hardware
from facepuppet.frames import Composer
from facepuppet.portrait import load_avatar, sample_portrait_path
from facepuppet.server import DrivenBy, Join, Picture, PuppetSession
from facepuppet.session import Puppet

BAR_S = 0.080
MATCH_S = 0.7  # after a moment within which what belongs to it is looked for


def main() -> int:
    """Measure and print; 1 where the bar is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--lose", type=float, default=0.0)
    parser.add_argument("--driven-by", choices=("camera", "voice"), default="camera")
    parser.add_argument("--browser", action="store_true")
    parser.add_argument(AS_PEER, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    driven_by = DrivenBy(options.driven_by)
    if options.as_peer:
        random.seed(1)
        return asyncio.run(be_peer((width, height), options.seconds, options.lose, driven_by))
    machine = describe_hardware()
    print(f"{machine.cpu}, {machine.cores} cores, {machine.system}, Python {machine.python}")
    with Pace() as pace:
        seconds = options.seconds if options.browser else None
        told = asyncio.run(perform((width, height), driven_by, seconds))
    moments_s = np.array(told["moments_s"])
    picture_s = after(moments_s, np.array(told["opened_s"]))
    sound_s = after(moments_s, np.array(told["heard_s"]))
    tell("picture", picture_s)
    tell("sound", sound_s)
    skew_s = sound_s - picture_s
    tell("sound less picture", skew_s)
    print(f"pictures           {told['fps']:.1f} a second")
    print(f"machine            late {1e3 * pace.late_s:.1f} ms")
    found_s = skew_s[~np.isnan(skew_s)]
    return int(not len(found_s) or abs(float(np.median(found_s))) > BAR_S)


async def perform(
    size_px: tuple[int, int], driven_by: DrivenBy, browser_s: float | None
) -> dict[str, list[float]]:
    """Perform for a peer, a browser for so many seconds or a process; return what it tells at its end."""
    avatar = load_avatar(sample_portrait_path())
    puppet = await asyncio.to_thread(Puppet, avatar, Composer(avatar, size_px))
    sessions: list[PuppetSession] = []

    async def begin(offer: str) -> str:
        join = Join("skew", offer, "", "", b"", driven_by, Picture(size_px))
        sessions.append(PuppetSession(join, puppet))
        return await sessions[0].begin()

    told = await (in_process(begin) if browser_s is None else be_page(size_px, browser_s, begin))
    await sessions[0].close()
    return told


async def in_process(begin: Callable[[str], Awaitable[str]]) -> dict[str, list[float]]:
    """Let a process of its own be the peer."""
    words = [sys.executable, *sys.argv, AS_PEER]
    peer = await asyncio.create_subprocess_exec(
        *words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 24
    )
    assert peer.stdin is not None and peer.stdout is not None
    answer = await begin(json.loads(await peer.stdout.readline()))
    peer.stdin.write(json.dumps(answer).encode() + b"\n")
    await peer.stdin.drain()
    told: dict[str, list[float]] = json.loads(await peer.stdout.readline())
    await peer.wait()
    return told


def after(moments_s: np.ndarray, found_s: np.ndarray) -> np.ndarray:
    """From each moment to the first of what was found after it, in s; NaN where there is none."""
    late_s = [[one - moment for one in found_s if 0.0 < one - moment < MATCH_S] for moment in moments_s]
    return np.array([min(some, default=np.nan) for some in late_s])


def tell(name: str, late_s: np.ndarray) -> None:
    """Print median and p95 of what was found."""
    found = 1e3 * late_s[~np.isnan(late_s)]
    if not len(found):
        print(f"{name:18} none of {len(late_s)}")
        return
    print(
        f"{name:18} median {np.median(found):+.0f} ms, p95 {np.percentile(abs(found), 95):.0f} ms, "
        f"{len(found)} of {len(late_s)}"
    )


if __name__ == "__main__":
    sys.exit(main())
