#!/usr/bin/env bash
# An RTP packet of sound without a payload (padding alone, which RFC 3550 allows) ends the sound of an aiortc receiver for
# the rest of the connection. It is handed to FFmpeg's Opus decoder as a packet of no bytes, which there means the end of
# the stream: every packet after it fails with "End of file", and each is a warning in the log, fifty lines a second.
# The track does not end; it only gives nothing more.
#
# Where users of facepuppet would meet it: a peer of a server falls silent, and its log fills. So
# `facepuppet/server/packets_held.py` leaves such packets out.
#
# Seen on Linux x86-64, Python 3.11, aiortc 1.16.0, PyAV 18.1: of 100 packets, of which the 50th is empty, 49 are heard.
# Needs Python 3.10 or newer (PYTHON names one). Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet aiortc==1.16.0 av==18.1.0 2>"$folder/chatter" || { cat "$folder/chatter"; exit 1; }
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import fractions
import logging

import aiortc
import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection
from aiortc.codecs.opus import OpusEncoder
from aiortc.mediastreams import MediaStreamError

PACKETS, EMPTY = 100, 50
complaints = []


class Ready(MediaStreamTrack):
    """Silence as packets of Opus, one of which has nothing in it."""

    kind = "audio"

    def __init__(self):
        super().__init__()
        self.n, self.encoder = 0, OpusEncoder()

    async def recv(self):
        await asyncio.sleep(0.02)
        frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.pts, frame.sample_rate = 960 * self.n, 48_000
        frame.time_base = fractions.Fraction(1, 48_000)
        packet = av.Packet(b"" if self.n == EMPTY - 1 else self.encoder.encode(frame)[0][0])
        packet.pts, packet.time_base = frame.pts, frame.time_base
        self.n += 1
        return packet


class Complaints(logging.Handler):
    def emit(self, record):
        complaints.append(record.getMessage())


async def call():
    here, there = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    track, heard = Ready(), []
    here.addTrack(track)

    async def hear(remote):
        try:
            while True:
                heard.append(await remote.recv())
        except MediaStreamError:
            pass

    there.on("track", lambda remote: asyncio.ensure_future(hear(remote)))
    await here.setLocalDescription(await here.createOffer())
    await there.setRemoteDescription(here.localDescription)
    await there.setLocalDescription(await there.createAnswer())
    await here.setRemoteDescription(there.localDescription)
    while track.n < PACKETS:
        await asyncio.sleep(0.05)
    await asyncio.gather(here.close(), there.close())
    return len(heard)


logger = logging.getLogger("aiortc.rtcrtpreceiver")
logger.addHandler(Complaints())
logger.propagate = False
n = asyncio.run(call())
print(f"aiortc {aiortc.__version__}, PyAV {av.__version__}: of {PACKETS} packets, of which number {EMPTY} is empty, {n} are heard")
print(f"  {len(complaints)} lines in the log, as: {complaints[-1] if complaints else 'none'}")
assert n < EMPTY + 5, "sound goes on"
assert len(complaints) > 20, "the log is spared"
PYTHON
