#!/usr/bin/env bash
# aiortc's VP8 encoder passes a frame's picture type on to libvpx as PyAV gives it, and PyAV gives decoded frames the type
# that they had in their source. A frame decoded from an intra-coded source (MJPEG of a webcam or file, ProRes, a PNG, or
# the first frame of each GOP) says I, and libvpx takes that for the order to make a key frame. A track that relays a
# webcam's MJPEG so sends nothing but key frames. Frames made by from_ndarray say NONE and are coded as they should be.
#
# Where users of facepuppet would meet it: nowhere, since server/peer_pictures.py makes each frame that it sends anew
# (tests/test_peer_source.py holds it to that); a test's or a chatbot's own track must clear `frame.pict_type`.
#
# Seen on Linux x86-64, Python 3.11, aiortc 1.16.0, PyAV 18.1.0: 60 pictures of slowly moving waves, 640x360, decoded
# from MJPEG: 60 key frames; with the type cleared 1, and half of the bytes.
# Needs Python 3.11 or newer (PYTHON names one). Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet aiortc==1.16.0 av==18.1.0 numpy==2.3.5 2>"$folder/chatter" || { cat "$folder/chatter"; exit 1; }
"$folder/venv/bin/python" - <<'PYTHON'
import fractions
import io

import aiortc
import av
import numpy as np
from aiortc.codecs.vpx import Vp8Encoder, vp8_depayload
from av.video.frame import PictureType

N, W, H = 60, 640, 360


def mjpeg():
    file = io.BytesIO()
    x, y = np.meshgrid(np.linspace(0, 9, W), np.linspace(0, 9, H))
    with av.open(file, "w", format="matroska") as out:
        stream = out.add_stream("mjpeg", rate=30, options={"q:v": "3"})
        stream.width, stream.height, stream.pix_fmt = W, H, "yuvj420p"
        for n in range(N):
            waves = 127 + 90 * np.stack([np.sin(x * (c + 1) + 0.1 * n) * np.cos(y) for c in range(3)], -1)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(waves.astype(np.uint8), format="rgb24")))
        out.mux(stream.encode())
    return file.getvalue()


def sent(cleared):
    encoder, n_keys, n_bytes = Vp8Encoder(), 0, 0
    with av.open(io.BytesIO(mjpeg())) as source:
        for n, frame in enumerate(source.decode(video=0)):
            frame = frame.reformat(format="yuv420p")
            if cleared:
                frame.pict_type = PictureType.NONE
            frame.pts, frame.time_base = n * 3000, fractions.Fraction(1, 90000)
            payloads, _ = encoder.encode(frame)
            data = b"".join(vp8_depayload(one) for one in payloads)
            n_bytes += len(data)
            n_keys += not data[0] & 1  # RFC 6386, 9.1: 0 is a key frame
    return n_keys, n_bytes


as_it_is, cleared = sent(False), sent(True)
print("aiortc", aiortc.__version__, "PyAV", av.__version__)
print(f"as decoded: {as_it_is[0]} key frames of {N}, {as_it_is[1]:,} bytes")
print(f"type cleared: {cleared[0]} key frames, {cleared[1]:,} bytes")
assert as_it_is[0] == N and cleared[0] == 1, "key frames are made otherwise"
assert cleared[1] < 0.6 * as_it_is[1], "and cost as much"
PYTHON
