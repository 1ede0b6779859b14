#!/usr/bin/env bash
# FFmpeg's WAV demuxer opens a stream only once it has read 64 KiB of sound, whatever it is told of probing: with
# probesize=32, analyzeduration=0, fflags=nobuffer and the format named, the first sample of 16 bits, mono, 22,050 Hz is
# there after 65 kB, 1.5 s of speech; as FFmpeg comes it is there after 200 kB, 4.6 s. Who writes a header and then sound as
# it is made, as speech synthesizers do into a pipe, is heard that much later. Raw samples (format s16le) open at once.
#
# Where users of facepuppet would meet it: `run --driver say` promises sound within 400 ms of a typed line, so
# drivers/voice/spoken_wav.py reads WAV from pipes itself, and FFmpeg is left to files.
#
# Seen on Linux x86-64, Python 3.11, PyAV 18.1.0 (its own FFmpeg 8), the ffmpeg program of Debian likewise:
#   as it comes 205,550 bytes; told not to probe 66,194 bytes; raw 4,410 bytes.
# Needs Python 3.11 or newer (PYTHON names one). Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet av==18.1.0 2>"$folder/chatter" || { cat "$folder/chatter"; exit 1; }
"$folder/venv/bin/python" - <<'PYTHON'
import struct

import av

RATE = 22050
HEADER = (
    b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    + b"data" + struct.pack("<I", 0xFFFFFFFF)
)  # fmt: skip


class Speaker:
    """A pipe: 20 ms of sound a read, for ten seconds."""

    def __init__(self, begins):
        self.left, self.given = begins, 0
        self.pieces = iter([b"\1\2" * (RATE // 50)] * 500)

    def read(self, n):
        if not self.left:
            self.left = next(self.pieces, b"")
        piece, self.left = self.left[:n], self.left[n:]
        self.given += len(piece)
        return piece


def bytes_until_the_first_sample(begins, **how):
    speaker = Speaker(begins)
    with av.open(speaker, buffer_size=4096, **how) as container:
        next(container.decode(audio=0))
    return speaker.given


hurry = {"probesize": "32", "analyzeduration": "0", "fflags": "nobuffer"}
usual = bytes_until_the_first_sample(HEADER)
hurried = bytes_until_the_first_sample(HEADER, format="wav", options=hurry)
raw = bytes_until_the_first_sample(b"", format="s16le", options={**hurry, "sample_rate": str(RATE)})
print("PyAV", av.__version__, av.library_versions["libavformat"])
print(f"bytes read before the first sample: as it comes {usual}, told not to probe {hurried}, raw {raw}")
assert usual > 150_000 and 60_000 < hurried < 80_000, "WAV opens after another amount"
assert raw < 20_000, "raw samples no longer open at once"
PYTHON
