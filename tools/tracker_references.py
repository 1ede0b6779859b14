"""Writes what MediaPipe's package says about two pictures, for tests that run without it.

    python tools/tracker_references.py [--into tests/mediapipe_references.npz]

Needs the extra `mediapipe` and scikit-image. In the file, for each case of `face_cases`: `box_CASE`, x, y,
size and roll of the box (float64), and `landmarks_CASE`, (478, 3) int16, hundredths of a pixel from the box's
centre; for each of `portraits`: corners and eyes of the faces that each detector finds (`corners_far_NAME`
etc.), `shoulders_NAME` and `visibility_NAME` of a first look, `person_NAME` and `body_NAME`, masks shrunk to
64 x 64 and stored as levels; and `made`, versions and date.
"""

from __future__ import annotations

import argparse
import datetime
import math
import platform
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
from mediapipe_solutions import Solutions

from facepuppet.core import F32, U8
from facepuppet.portrait import sample_portrait_path
from facepuppet.vision import FaceBox, face_box, tracking_models

INTO = Path(__file__).resolve().parents[1] / "tests" / "mediapipe_references.npz"
STEP_PX = 0.01  # that landmarks are rounded to
GRID = (64, 64)
_LOOKS = 4  # until landmarks stay where the box is


def portraits() -> dict[str, U8]:
    """Return (H, W, 3) RGB pictures by name, in the public domain: ours, and scikit-image's if there."""
    bgr = cv2.imdecode(np.fromfile(sample_portrait_path(), np.uint8), cv2.IMREAD_COLOR)
    found = {"hopper": np.ascontiguousarray(bgr[:, :, ::-1])}
    with suppress(ModuleNotFoundError):
        import skimage.data

        found["astronaut"] = skimage.data.astronaut()
    return found


def face_cases(rgb: U8, box: FaceBox) -> dict[str, tuple[U8, FaceBox]]:
    """Return pictures of one face in all sorts of places, with the face's box, by name of the case.

    Args:
        rgb: (H, W, 3) picture.
        box: of its face.
    """
    height, width = rgb.shape[:2]
    x, y, size = box.x_px, box.y_px, box.size_px
    turn = cv2.getRotationMatrix2D((x, y), -math.degrees(0.3), 1.0)
    share = 48.0 / size
    small = cv2.resize(rgb, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
    return {
        "upright": (rgb, box),
        "turned": (cv2.warpAffine(rgb, turn, (width, height)), FaceBox(x, y, size, box.roll_rad + 0.3)),
        # A pixel centre at y comes to height - 1 - y.
        "lying": (np.rot90(rgb, -1).copy(), FaceBox(height - 1 - y, x, size, box.roll_rad + math.pi / 2)),
        "cut": (rgb[:, int(x) :].copy(), FaceBox(x - int(x), y, size, box.roll_rad)),
        "small": (small, FaceBox(x * share, y * share, size * share, box.roll_rad)),
    }


def coarse(mask: F32) -> U8:
    """Shrink an (H, W) probability to the grid, in levels."""
    return np.rint(255 * cv2.resize(mask, GRID, interpolation=cv2.INTER_AREA)).astype(np.uint8)


def record() -> dict[str, np.ndarray]:
    """Ask MediaPipe; returns the arrays of the file."""
    kept = {}
    models = tracking_models("mediapipe")
    mesh, detector = models.landmarks(), models.faces()
    for name, rgb in portraits().items():
        box = detector.find(rgb)[0]
        for _ in range(_LOOKS):
            box = face_box(mesh.find(rgb, box))
        for case, (picture, where) in face_cases(rgb, box).items():
            offsets = mesh.find(picture, where) - np.float32([where.x_px, where.y_px, 0])
            kept[f"box_{name}_{case}"] = np.array([where.x_px, where.y_px, where.size_px, where.roll_rad])
            kept[f"landmarks_{name}_{case}"] = np.rint(offsets / STEP_PX).astype(np.int16)
        with Solutions() as solutions:
            for reach in ("far", "near"):
                corners, eyes = solutions.faces(rgb, far=reach == "far")
                kept[f"corners_{reach}_{name}"], kept[f"eyes_{reach}_{name}"] = corners, eyes
            kept[f"person_{name}"] = coarse(solutions.person(rgb))
            kept[f"shoulders_{name}"], visibility, mask = solutions.body(rgb)
            kept[f"visibility_{name}"] = np.float32(visibility)
            kept[f"body_{name}"] = coarse(mask)
    kept["made"] = np.array(
        f"tools/tracker_references.py, {datetime.date.today()}: MediaPipe {version('mediapipe')}, "
        f"OpenCV {cv2.__version__}, numpy {np.__version__}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}"
    )
    return kept


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--into", type=Path, default=INTO)
    into = parser.parse_args().into
    kept = record()
    np.savez_compressed(into, **kept)
    print(f"{into}: {into.stat().st_size} bytes; {kept['made']}")


if __name__ == "__main__":
    main()
