#!/usr/bin/env bash
# aiortc hands a picture that it received over only when the first packet of the next one comes: its jitter buffer takes
# a frame for complete at the next time stamp, and ignores the marker bit that RTP sets on a frame's last packet. Every
# picture is late by one picture's time: 33 ms at 30 a second, a whole second at one a second, and the last picture
# before a pause is not seen until the pause is over. Sound is not held that way.
#
# Where users of facepuppet would meet it: in the delay of `facepuppet serve`, and in lips that are a picture behind the
# voice. server/pictures_at_once.py goes by the mark, and tests/test_pictures_at_once.py holds it to that.
#
# Seen on Linux x86-64, Python 3.11, aiortc 1.16.0: 1 picture a second comes 1.00 s late, 4 a second .25 s, 25 .04 s.
# Needs Python 3.11 or newer (PYTHON names one). Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet aiortc==1.16.0 av==18.1.0 2>"$folder/chatter" || { cat "$folder/chatter"; exit 1; }
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import fractions
import statistics
import time

import aiortc
import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection


class Pictures(MediaStreamTrack):
    """Grey pictures, so many a second; remembers when each left."""

    kind = "video"

    def __init__(self, fps):
        super().__init__()
        self.fps, self.sent_s, self.begun_s = fps, [], time.monotonic()

    async def recv(self):
        n = len(self.sent_s)
        await asyncio.sleep(max(0.0, self.begun_s + n / self.fps - time.monotonic()))
        self.sent_s.append(time.monotonic())
        frame = av.VideoFrame(320, 180, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([90]) * plane.buffer_size)
        frame.pts, frame.time_base = n * 90000 // self.fps, fractions.Fraction(1, 90000)
        return frame


async def lateness_s(fps):
    one, other = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    sent, late_s = Pictures(fps), []
    one.addTrack(sent)

    @other.on("track")
    def received(track):
        async def read():
            first = None
            while len(late_s) < 5:
                frame = await track.recv()
                first = first if first is not None else frame.pts
                number = round((frame.pts - first) * fps / 90000)
                late_s.append(time.monotonic() - sent.sent_s[number])

        one.reading = asyncio.ensure_future(read())

    await one.setLocalDescription(await one.createOffer())
    await other.setRemoteDescription(one.localDescription)
    await other.setLocalDescription(await other.createAnswer())
    await one.setRemoteDescription(other.localDescription)
    while len(late_s) < 5:
        await asyncio.sleep(0.05)
    await asyncio.gather(one.close(), other.close())
    return statistics.median(late_s)


print("aiortc", aiortc.__version__)
for fps in (1, 4, 25):
    late_s = asyncio.run(lateness_s(fps))
    print(f"{fps} a second: {late_s:.3f} s late")
    assert 0.9 / fps < late_s < 1 / fps + 0.06, "pictures are handed over at another time"
PYTHON
