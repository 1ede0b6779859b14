#!/usr/bin/env bash
# pyvirtualcam on Linux prints what a write to the device meets to standard error (without a line end, once a frame) and
# goes on: Camera.send() raises nothing, frames_sent counts on, and the program cannot tell that nobody sees its frames.
# (native_linux_v4l2loopback/virtual_output.h: "not an exception, in case it is temporary".) It also tells the device no
# frame rate, so that readers take 30 for whatever `fps` was given: VIDIOC_S_PARM is never called.
#
# Where users of facepuppet would meet it: a device taken over by another program, or at another size, would swallow the
# call's pictures without a word for as long as the call lasts. So facepuppet feeds v4l2loopback itself
# (`facepuppet/sinks/loopback_feeder.py`), and opens the camera again (`facepuppet/sinks/reopening.py`).
#
# Shown without a device: /dev/full refuses every write, and a library of a few lines answers the control calls in front
# of it as v4l2loopback would. Seen on Linux x86-64 (6.18), Python 3.11, pyvirtualcam 0.15.0:
#   3 frames sent to a device that refuses all: frames_sent 3, nothing raised, "error writing frame: ..." three times
#   control calls: QUERYCAP 1, S_FMT 1, S_PARM 0
# Needs Linux, gcc and Python 3.9 or newer (PYTHON names one). Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pyvirtualcam==0.15.0
cat >"$folder/device.c" <<'C'
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int ioctl(int fd, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    const char *name = request == VIDIOC_QUERYCAP ? "QUERYCAP"
                       : request == VIDIOC_S_FMT  ? "S_FMT"
                       : request == VIDIOC_S_PARM ? "S_PARM"
                                                  : "other";
    if (request == VIDIOC_QUERYCAP) {
        struct v4l2_capability *answer = argument;
        memset(answer, 0, sizeof *answer);
        strcpy((char *)answer->driver, "v4l2 loopback");
        answer->capabilities = answer->device_caps = V4L2_CAP_VIDEO_OUTPUT;
    }
    fprintf(stderr, "[call %s]\n", name);
    return 0;
}
C
gcc -shared -fPIC -o "$folder/device.so" "$folder/device.c"
LD_PRELOAD=$folder/device.so "$folder/venv/bin/python" - 2>"$folder/errors" <<'PYTHON'
import numpy as np
import pyvirtualcam

with pyvirtualcam.Camera(64, 48, 60, device="/dev/full", backend="v4l2loopback") as camera:
    for _ in range(3):
        camera.send(np.zeros((48, 64, 3), np.uint8))
    print(f"  3 frames to a device that refuses all: frames_sent {camera.frames_sent}, nothing raised")
    assert camera.frames_sent == 3
PYTHON
printed=$(grep -o "error writing frame" "$folder/errors" | wc -l)
rates=$(grep -c "call S_PARM" "$folder/errors" || true)
echo "  printed $printed errors; told the rate $rates times; formats $(grep -c "call S_FMT" "$folder/errors")"
[ "$printed" = 3 ] && [ "$rates" = 0 ]
