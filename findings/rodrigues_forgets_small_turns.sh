#!/usr/bin/env bash
# OpenCV's Rodrigues, from matrix to vector: a turn of less than 1e-5 rad comes back as no turn at all, exactly
# zero, although the matrix holds it to 1e-16; and a turn within 1e-5 rad of half a turn gets an axis that is
# off by about 1e-5. A filter or a controller that integrates small turns through it stands still.
#
# Where users of facepuppet would meet it: head poses are smoothed as rotation vectors. So only the way from
# vector to matrix is OpenCV's (`facepuppet/core/geometry.py`); the way back goes by a quaternion of our own,
# and tests/test_geometry.py holds the round trip to 1e-9.
#
# Seen on Linux, Python 3.11, opencv-python-headless 4.11.0.86 and 5.0.0.93, numpy 1.26.4 and 2.3.5.
# Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for pair in "4.11.0.86 1.26.4" "5.0.0.93 2.3.5"; do
  read -r opencv numpy <<<"$pair"
  python3 -m venv "$folder/$opencv"
  "$folder/$opencv/bin/pip" install --quiet "opencv-python-headless==$opencv" "numpy==$numpy"
  "$folder/$opencv/bin/python" - <<'PYTHON'
import cv2
import numpy as np

print("OpenCV", cv2.__version__)
for angle, kept in ((1.1e-5, True), (9.9e-6, False), (1e-6, False)):
    matrix = cv2.Rodrigues(np.array([0.0, 0.0, angle]))[0]
    assert abs(matrix[1, 0] - np.sin(angle)) < 1e-16, "the matrix holds the turn"
    back = cv2.Rodrigues(matrix)[0].ravel()
    print(f"  turned by {angle:.1e} rad, came back as {back}")
    assert bool(abs(back[2] - angle) < 1e-9) is kept, angle
    assert kept or not back.any(), "nothing at all is left"
for left in (1e-4, 9e-6):
    back = cv2.Rodrigues(cv2.Rodrigues(np.array([0.0, 0.0, np.pi - left]))[0])[0].ravel()
    aside = float(np.abs(back[:2]).max())
    print(f"  turned by pi - {left:.0e} rad about z, axis aside by {aside:.1e}")
    assert (aside < 1e-9) is (left > 1e-5), left
PYTHON
done
