#!/usr/bin/env bash
# aiortc's MediaRecorder, given a track of sound and one of pictures, writes a file without any picture where sound comes
# first. The first packet of sound opens every encoder; the first picture then sets the size of one that is open, which
# PyAV refuses with a RuntimeError, in a task that nobody waits for. Nothing is raised, nothing logged.
#
# Where users of facepuppet would meet it: a program that wears a face (`facepuppet/server/CHATBOT.md`) and saves what it
# sees, as a session's sound begins before its first picture. So that one records both in files of their own.
#
# Seen on Linux x86-64, Python 3.11, aiortc 1.16.0, PyAV 18.1: pictures 0.5 s after sound, and the file has sound alone.
# Needs Python 3.10 or newer (PYTHON names one). Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet aiortc==1.16.0 av==18.1.0 2>"$folder/chatter" || { cat "$folder/chatter"; exit 1; }
"$folder/venv/bin/python" - "$folder/seen.mp4" <<'PYTHON'
import asyncio
import sys

import aiortc
import av
from aiortc.contrib.media import MediaRecorder
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack


class Late(VideoStreamTrack):
    """Green pictures, the first of them after a while."""

    def __init__(self, late_s):
        super().__init__()
        self.late_s = late_s

    async def recv(self):
        await asyncio.sleep(self.late_s)
        self.late_s = 0
        return await super().recv()


async def recorded(late_s):
    """The kinds of streams in a file of two seconds."""
    recorder = MediaRecorder(sys.argv[1])
    recorder.addTrack(Late(late_s))
    recorder.addTrack(AudioStreamTrack())
    await recorder.start()
    await asyncio.sleep(2)
    await recorder.stop()
    with av.open(sys.argv[1]) as film:
        return [stream.type for stream in film.streams]


at_once, late = asyncio.run(recorded(0)), asyncio.run(recorded(0.5))
print(f"aiortc {aiortc.__version__}, PyAV {av.__version__}: pictures at once {at_once}, after sound {late}")
assert at_once == ["video", "audio"], "pictures are missing anyhow"
assert late == ["audio"], "pictures are recorded"
PYTHON
