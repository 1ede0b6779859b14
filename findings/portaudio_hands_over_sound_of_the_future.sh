#!/usr/bin/env bash
# PortAudio, through ALSA's plug-in for PulseAudio, says of each block of a microphone that its first sample was taken
# "now": a block of 10 ms is handed over when the half of it, by its own stamp, has yet to be spoken. (ALSA's delay of a
# capture counts what is still to be read, which is next to nothing after the read; PortAudio takes it for the age of the
# block's first sample.) Who subtracts such stamps from those of an output finds a round trip that is a block too short.
#
# Where users of facepuppet would meet it: the delay of `run --mic` would be 10 ms longer than wanted. So a block is taken to
# have ended before it was handed over, whatever its stamp (`facepuppet/sound/portaudio.py`).
#
# Seen on Debian 12: sounddevice 0.5.6, libportaudio2 19.6.0, libasound2-plugins 1.2.7, PulseAudio 16.1: the median block
# ends 9.8 ms after it was handed over. Needs pulseaudio, pulseaudio-utils, libportaudio2, libasound2-plugins; starts a
# daemon of its own. Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $daemon 2>/dev/null; rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet sounddevice==0.5.6
export HOME=$folder XDG_RUNTIME_DIR=$folder PULSE_RUNTIME_PATH=$folder PULSE_SERVER=unix:$folder/native
pulseaudio -n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --disable-shm=yes \
  -L "module-native-protocol-unix socket=$folder/native auth-anonymous=1" \
  -L "module-null-sink sink_name=one norewinds=1" 2>/dev/null &
daemon=$!
until pactl list short sinks 2>/dev/null | grep -q one; do sleep 0.1; done
PULSE_SOURCE=one.monitor "$folder/venv/bin/python" - <<'PYTHON'
import statistics
import time

import sounddevice

RATE_HZ, BLOCK = 48_000, 480
ahead_s = []


def hear(data, n, told, flags):
    ahead_s.append(told.inputBufferAdcTime + n / RATE_HZ - told.currentTime)


with sounddevice.RawInputStream(RATE_HZ, BLOCK, "pulse", 1, "float32", 0.02, callback=hear):
    time.sleep(6.0)
median_s = statistics.median(ahead_s[len(ahead_s) // 2 :])
print(f"  {sounddevice.get_portaudio_version()[1].split(',')[0]}: blocks end {1e3 * median_s:.1f} ms after they are here")
assert median_s > 0.005, "stamps are of the past now"
PYTHON
