#!/usr/bin/env bash
# espeak-ng's library calls back with the phones of what it speaks and their times (espeakEVENT_PHONEME). Of an unvoiced
# stop (/p t k/) the time told is that of the burst: the silent closure before it, 40 ms in which the lips of a /p/ are
# shut, lies wholly in what is told of the phone before, and the stop itself is told as 30 ms of noise. Of a voiced stop
# (/b d g/) the time told is that of the closure. Whoever shuts a mouth from one such time to the next shows an open
# mouth during the silence of every /p/, and a shut one while it bursts open.
#
# Where developers of facepuppet meet it: engines/voice/phones.py shuts the lips 45 ms before the time of a /p/.
#
# Seen on Linux x86-64, Python 3.11, espeakng-loader 0.2.4 (espeak-ng 1.52.0), "Say upper, say ubber." in English:
#   /p/ told at 0.357 s: -120 dB just before, -33 dB from then on; /b/ told at 0.954 s: -20 dB just before, -32 dB then.
# Needs Python 3.10 or newer (PYTHON names one). Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet espeakng-loader==0.2.4 "numpy<3" 2>"$folder/chatter" || { cat "$folder/chatter"; exit 1; }
"$folder/venv/bin/python" - <<'PYTHON'
import ctypes

import espeakng_loader
import numpy as np


class Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int), ("unique", ctypes.c_uint), ("text", ctypes.c_int), ("length", ctypes.c_int),
        ("audio_ms", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p), ("name", ctypes.c_char * 8),
    )  # fmt: skip


library = ctypes.CDLL(espeakng_loader.get_library_path())
blocks, phones = [], []
callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))


@callback
def heard(samples, n, events):
    if samples and n > 0:
        blocks.append(np.ctypeslib.as_array(samples, (n,)) / 32768.0)
    at = 0
    while events[at].type != 0:
        if events[at].type == 7:
            phones.append((events[at].name.decode(), events[at].audio_ms / 1000))
        at += 1
    return 0


rate = library.espeak_Initialize(2, 0, espeakng_loader.get_data_path().encode(), 1 | 2)  # synchronous; phones, in IPA
library.espeak_SetSynthCallback(heard)
library.espeak_SetVoiceByName(b"en")
text = b"Say upper, say ubber."
library.espeak_Synth(text, len(text) + 1, 0, 1, 0, 1, None, None)
library.espeak_Synchronize()
sound = np.concatenate(blocks)


def loud_db(begin, end):
    piece = sound[int(begin * rate) : int(end * rate)]
    return 20 * np.log10(np.sqrt(np.mean(piece**2)) + 1e-6)


library.espeak_Info.restype = ctypes.c_char_p
print("espeak-ng", library.espeak_Info(None).decode(), phones)
told = {}
for (name, begin), (_, end) in zip(phones, phones[1:]):
    if name in ("p", "b"):
        told[name] = (loud_db(begin - 0.03, begin - 0.005), loud_db(begin, min(end, begin + 0.03)))
        print(f"/{name}/ told at {begin:.3f} s: {told[name][0]:.0f} dB just before, {told[name][1]:.0f} dB from then on")
assert told["p"][0] < -80 and told["p"][1] > -50, "/p/ is no longer told at its burst"
assert told["b"][0] > -40, "/b/ is no longer told at its closure"
PYTHON
