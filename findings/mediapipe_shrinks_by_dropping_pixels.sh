#!/usr/bin/env bash
# MediaPipe's legacy Python solutions, on the CPU, shrink a picture to a network's input by taking single pixels, and
# with the corner of the picture at the centre of its first pixel. Of a picture that is n times the input's side, the
# pixels (0, 0), (n, 0), (2n, 0) … alone are looked at: all others may hold noise, and the answer is the same to the
# bit. At 512 px the selfie segmentation sees a quarter of the pixels, the near face detector a sixteenth. So fine
# patterns alias, sensor noise is not averaged, and what is seen lies up to half a pixel of the input up and to the
# left of what the answer is taken to be about.
#
# Where users of facepuppet would meet it: whoever feeds these networks a picture that was shrunk well, or cut at the
# centres of pixels, gets other answers than MediaPipe's. facepuppet cuts crops as MediaPipe does
# (`facepuppet/vision/window.py`), since the networks' answers were to stay what they were.
#
# Seen on Linux x86-64, Python 3.11, MediaPipe 0.10.21, numpy 1.26.4, scikit-image 0.25.2 (its astronaut, 512 px):
#   segmentation: equal to the bit with three quarters of the pixels replaced by noise; keeping every second pixel
#   from (1, 1) instead, the mask differs by 1.0. Near face detector: equal with fifteen sixteenths replaced.
# Needs Python 3.9 to 3.12 (PYTHON names one). Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet mediapipe==0.10.21 numpy==1.26.4 scikit-image==0.25.2
"$folder/venv/bin/python" - 2>"$folder/chatter" <<'PYTHON' || { cat "$folder/chatter"; exit 1; }
import mediapipe as mp
import numpy as np
from skimage import data

picture = data.astronaut()
print("MediaPipe", mp.__version__)


def noise_but_for(first, step):
    """The picture at every step-th pixel from the first one of each axis, noise elsewhere."""
    mixed = np.random.default_rng(0).integers(0, 256, picture.shape, dtype=np.uint8)
    mixed[first::step, first::step] = picture[first::step, first::step]
    return mixed


def mask(rgb):
    with mp.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0) as segmentation:
        return segmentation.process(rgb).segmentation_mask.copy()


def faces(rgb):
    with mp.solutions.face_detection.FaceDetection(model_selection=0) as detection:
        return [face.SerializeToString() for face in detection.process(rgb).detections or ()]


whole = mask(picture)
same, other = mask(noise_but_for(0, 2)), mask(noise_but_for(1, 2))
print(f"  segmentation at 256 px: every 2nd pixel kept, mask differs by {np.abs(whole - same).max():.3f}")
print(f"  every 2nd kept from (1, 1), mask differs by {np.abs(whole - other).max():.3f}")
assert np.array_equal(whole, same) and np.abs(whole - other).max() > 0.5
found = faces(picture), faces(noise_but_for(0, 4)), faces(noise_but_for(2, 4))
print(f"  near detector at 128 px: every 4th pixel kept, equal answers: {found[0] == found[1]}")
print(f"  every 4th kept from (2, 2), equal answers: {found[0] == found[2]}")
assert len(found[0]) == 1 and found[0] == found[1] != found[2]
PYTHON
