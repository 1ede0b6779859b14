"""Build facepuppet/face/data/canonical_face.npz: the mean neutral face, as the landmark network sees faces.

Tracks every picture of a folder of portraits, keeps the most neutral near-frontal ones (equally many of
every group, a group being the file name up to its last underscore), aligns them by similarities
(generalised Procrustes analysis), averages and makes the mean symmetric. The shipped file was made from
1,200 generated portraits. Usage: nice python tools/fit_face_model.py PORTRAITS_FOLDER
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from facepuppet.core import euler_from_rotation, fit_similarity
from facepuppet.face import INNER_MOUTH_CORNERS, N_MESH, OUTER_CORNERS, RIGID
from facepuppet.vision import FaceMesher

TARGET = Path(__file__).parents[1] / "facepuppet" / "face" / "data" / "canonical_face.npz"
KEPT = 256
CONFIDENCE = 0.5  # of a face that is worth learning from
MAX_ANGLE_RAD = np.radians(12.0)
MAX_LIP_GAP = 0.03  # of the inter-ocular distance
MIRROR = np.array([-1.0, 1.0, 1.0])

F64 = npt.NDArray[np.float64]


def track_folder(folder: Path) -> dict[str, list[F64]]:
    """Return the (478, 3) landmarks in pixels of every portrait that shows a face, by group."""
    found: dict[str, list[F64]] = defaultdict(list)
    with FaceMesher(CONFIDENCE) as mesher:
        for path in sorted(folder.glob("*.jpg")):
            rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            points = mesher.landmarks_px(rgb)
            if points is not None:
                found[path.stem.rsplit("_", 1)[0]].append(points.astype(np.float64))
    return found


def to_head_frame(points: F64) -> F64:
    """Move and scale (478, 3) upright landmarks into the head frame."""
    a, b = points[OUTER_CORNERS]
    return (points - (a + b) / 2) / np.linalg.norm(b - a)


def mirror_order(points: F64) -> npt.NDArray[np.int64]:
    """Return, for every landmark, the index of its mirror image."""
    mesh = points[:N_MESH]
    cost = ((mesh[:, None] * MIRROR - mesh[None]) ** 2).sum(-1)
    _, order = linear_sum_assignment(cost)
    if not np.array_equal(order[order], np.arange(N_MESH)):
        raise SystemExit("the landmarks do not pair up under reflection: too few or too crooked portraits")
    # Both irises run centre, image right, top, image left, bottom.
    return np.concatenate([order, [473, 476, 475, 474, 477], [468, 471, 470, 469, 472]])


def align(faces: list[F64], mean: F64) -> tuple[F64, F64]:
    """Return the faces (N, 478, 3) fitted onto the mean by their rigid points, and their largest angles."""
    aligned, angles = [], []
    for face in faces:
        mean_from_face = fit_similarity(face[RIGID], mean[RIGID])
        aligned.append(mean_from_face.apply(face))
        angles.append(np.abs(euler_from_rotation(mean_from_face.rotation)).max())
    return np.array(aligned), np.array(angles)


def symmetric(mean: F64) -> F64:
    """Average a face with its mirror image."""
    mirrored = (mean * MIRROR)[mirror_order(mean)]
    back = fit_similarity(mirrored, mean)
    half = (mean + back.apply(mirrored)) / 2
    return to_head_frame((half + (half * MIRROR)[mirror_order(half)]) / 2)


def expressiveness(faces: F64) -> F64:
    """Return (N,) how far the mouth is from rest: its lip gap, and the corners drawn out and up."""
    corners = faces[:, INNER_MOUTH_CORNERS]
    width = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=-1)
    lift = (faces[:, 13, 1] + faces[:, 14, 1]) / 2 - corners[..., 1].mean(1)
    return np.asarray(width + 2 * lift)


def neutral_mean(groups: dict[str, list[F64]]) -> tuple[F64, F64]:
    """Return the symmetric mean of the most neutral frontal faces, and those faces (N, 478, 3)."""
    everyone = [to_head_frame(face) for faces in groups.values() for face in faces]
    mean = symmetric(np.mean(everyone, axis=0))
    for _ in range(3):
        kept = []
        for faces in groups.values():
            aligned, angle = align(faces, mean)
            gap = np.linalg.norm(aligned[:, 13] - aligned[:, 14], axis=-1)
            aligned = aligned[(angle < MAX_ANGLE_RAD) & (gap < MAX_LIP_GAP)]
            kept.append(aligned[np.argsort(expressiveness(aligned))[: KEPT // len(groups)]])
        chosen = np.concatenate(kept)
        mean = symmetric(chosen.mean(0))
    return mean, chosen


def main(folder: Path) -> None:
    """Track, average, write."""
    groups = track_folder(folder)
    mean, chosen = neutral_mean(groups)
    np.savez_compressed(TARGET, landmarks=mean.astype(np.float32), mirror=mirror_order(mean).astype(np.int16))
    print(f"{TARGET.name}: mean of {len(chosen)} of {sum(map(len, groups.values()))} faces")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
