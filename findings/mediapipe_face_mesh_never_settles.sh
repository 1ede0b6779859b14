#!/usr/bin/env bash
# MediaPipe's FaceMesh in its tracking mode, given one and the same array again and again, never gives the same
# landmarks twice. Each frame's crop is laid around the landmarks of the last one, and on a still picture that does
# not converge but swings: on scikit-image's astronaut (eyes 60 px apart) every frame is 0.33 px from the one before
# it and 0.015 px from the one before that, for as long as one looks. A picture that does not move trembles at half
# the frame rate. In static mode, where every picture is looked at anew, the same array does give equal results.
#
# Where users of facepuppet would meet it: a driver who sits still makes a puppet that trembles. So facepuppet lays
# the crop itself, and holds it while the head stays where it is (`facepuppet/drivers/camera/follow.py`).
#
# Seen on Linux x86-64, Python 3.11, MediaPipe 0.10.21, numpy 1.26.4, scikit-image 0.25.2:
#   240 frames, 240 distinct results; last 100 frames: 0.330 px from frame to frame, 0.015 px over two frames.
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

N = 240
picture = data.astronaut()
print("MediaPipe", mp.__version__)


def landmarks(static, n):
    with mp.solutions.face_mesh.FaceMesh(static_image_mode=static, refine_landmarks=True) as mesh:
        faces = [mesh.process(picture).multi_face_landmarks[0].landmark for _ in range(n)]
    return np.array([[(point.x, point.y) for point in face] for face in faces]) * picture.shape[1::-1]


def distinct(results):
    return len({result.tobytes() for result in results})


def apart(results, frames):
    return float(np.linalg.norm(results[frames:] - results[:-frames], axis=2).mean())


still, tracked = landmarks(True, 8), landmarks(False, N)
last = tracked[-100:]
print(f"  static mode: {distinct(still)} distinct of {len(still)} results")
print(f"  tracking mode: {distinct(tracked)} distinct of {N} results")
print(f"  last 100: {apart(last, 1):.3f} px from frame to frame, {apart(last, 2):.3f} px over two frames")
assert distinct(still) == 1
assert distinct(tracked) == N, "it settles"
assert 0.1 < apart(last, 1) < 1.0, "another amplitude"
assert apart(last, 2) < 0.25 * apart(last, 1), "no longer a cycle of two frames"
PYTHON
