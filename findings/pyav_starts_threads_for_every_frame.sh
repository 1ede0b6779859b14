#!/usr/bin/env bash
# PyAV's VideoFrame.to_ndarray(format="rgb24") and .reformat() start new threads for every single frame and end them
# again, one for each core: unless told `threads`, it lets FFmpeg's scaler choose, and the scaler it
# lives in belongs to the frame: converted again, the same frame starts none. For a picture of 1280x720 this takes one
# and a half times the processor's time of threads=1, and several waits.
#
# Where users of facepuppet would meet it: every frame of a video file or of a network camera, and every frame that is
# recorded. So both convert with threads=1 (`facepuppet/media/video_frame.py`, `facepuppet/sinks/video_file.py`).
#
# Seen on Linux x86-64 (6.18), two cores, Python 3.11, PyAV 18.1.0, 50 frames of 1280x720 from yuv420p to RGB:
#   default: 8 waits and 2.0 new threads a frame, 0.65 ms of processor; threads=1: no waits, none, 0.42 ms.
# Needs Linux, two cores and Python 3.11 or newer (PYTHON names one). Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet av==18.1.0 numpy
"$folder/venv/bin/python" - <<'PYTHON'
import os
import resource
import time

import av
import numpy as np

N = 50
print("PyAV", av.__version__, "on", os.cpu_count(), "cores")
rgb = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), dtype=np.uint8)
planes = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p", threads=1).to_ndarray()


def newest_thread():
    """Linux numbers threads in turn: one that is started now tells how many there were before it."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child


def cost(**options):
    """Waits, new threads and processor milliseconds a frame."""
    frames = [av.VideoFrame.from_ndarray(planes, format="yuv420p") for _ in range(N)]  # as from a decoder
    thread, before, cpu_s = newest_thread(), resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw, time.process_time()
    for frame in frames:
        frame.to_ndarray(format="rgb24", **options)
    waits = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before
    return waits / N, (newest_thread() - thread - 1) / N, 1e3 * (time.process_time() - cpu_s) / N


by_default, by_one = cost(), cost(threads=1)
for name, (waits, threads, cpu_ms) in {"default": by_default, "threads=1": by_one}.items():
    print(f"  {name}: {waits:.2f} waits, {threads:.2f} new threads, {cpu_ms:.2f} ms of processor a frame")
assert by_default[0] > 1.0 and by_default[1] > 0.9, "the default starts no threads for a frame any more"
assert by_one[0] < 0.5 and by_one[1] < 0.5, "threads=1 starts threads"
assert by_default[2] > 1.2 * by_one[2], "the threads cost nothing any more"
PYTHON
