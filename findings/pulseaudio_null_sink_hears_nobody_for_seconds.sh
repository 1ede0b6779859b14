#!/usr/bin/env bash
# PulseAudio's null sink, which everybody recommends as a virtual microphone, gives nothing on its monitor for up to two
# seconds whenever somebody begins to listen or to play: while nobody does, it works in steps of two seconds, and a step
# that has begun is gone through to its end, whatever latency the newcomer asks for. With norewinds=1 (an argument of
# PulseAudio 15 and later that `pactl` and the manual do not explain) steps are 50 ms at most, and it is prompt.
# (At the end of each pause, PortAudio's streams through ALSA's plug-in are told that their sound is half a second old.)
#
# Where users of facepuppet would meet it: `run --mic … --mic-to NULLSINK` was silent for the first two seconds, and again
# after each time that the machine was too busy. So the command that `facepuppet doctor` gives has norewinds=1.
#
# Seen on Debian 12, PulseAudio 16.1: 1.0 s without, 0.14 s with (medians of five starts on a busy machine).
# Needs pulseaudio and pulseaudio-utils; starts a daemon of its own. Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $daemon 2>/dev/null; rm -rf "$folder"' EXIT
export HOME=$folder XDG_RUNTIME_DIR=$folder PULSE_RUNTIME_PATH=$folder PULSE_SERVER=unix:$folder/native
pulseaudio --version
pulseaudio -n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --disable-shm=yes \
  -L "module-native-protocol-unix socket=$folder/native auth-anonymous=1" \
  -L "module-null-sink sink_name=usual" -L "module-null-sink sink_name=prompt norewinds=1" 2>/dev/null &
daemon=$!
until pactl list short sinks 2>/dev/null | grep -q prompt; do sleep 0.1; done

cat >"$folder/wait.py" <<'PYTHON'
import os
import statistics
import subprocess
import sys
import time


def silence_s(sink):
    """How long a listener who asks for 10 ms of latency waits for its first sound."""
    time.sleep(0.7 + 0.37 * time.time() % 1)  # nobody listens; begins anywhere in a step
    begun = time.monotonic()
    words = ["parec", f"--device={sink}.monitor", "--latency-msec=10", "--raw"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as listener:
        os.read(listener.stdout.fileno(), 1)
        waited = time.monotonic() - begun
        listener.kill()
    return waited


usual, prompt = (statistics.median(silence_s(sink) for _ in range(5)) for sink in ("usual", "prompt"))
print(f"  first sound after {usual:.2f} s; with norewinds=1 after {prompt:.2f} s (medians of five)")
sys.exit(not (usual > 0.5 > prompt))
PYTHON
python3 "$folder/wait.py"
