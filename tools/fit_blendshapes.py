"""Build facepuppet/face/data/arkit_basis.npz: how the tracked landmarks answer to each ARKit blendshape.

The landmark network does not report the geometric truth (its lids never shut, its depth is flat), so the
basis is learned from its answers: ICT-FaceKit heads of made-up people, in the skins of portraits, are drawn
with known weights and poses, tracked, brought into the head frame, and the 52 offsets found by ridge
regression of (landmarks − the person's neutral landmarks) on the weights. What the basis leaves unexplained
gives the error's covariance C, and with it the filters Bᵀ C⁻¹ of generalised least squares; for people whose
neutral is unknown, C grows by the covariance of neutral faces.

Usage: nice python tools/fit_blendshapes.py SHARED_FOLDER [RECORDING.npz]
    SHARED_FOLDER holds heads/ict_facekit_light.npz and portraits/generated/*.jpg; a RECORDING is written
    when absent and reused when present (drawing and tracking take minutes on one core).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from fit_face_model import CONFIDENCE, neutral_mean, track_folder
from ict_render import SKIN, IctHeads, Skin, plain_skin, portrait_skin, project, rasterise, render
from scipy.spatial import cKDTree

from facepuppet.core import euler_from_rotation, fit_similarity, rotation_from_euler
from facepuppet.face import (
    ARKIT_INDEX,
    ARKIT_NAMES,
    N_MESH,
    RIGID,
    canonical_landmarks,
    mirror_order,
    mirrored_name,
)
from facepuppet.vision import FaceMesher

F64 = npt.NDArray[np.float64]
Weights = dict[str, float]

TARGET = Path(__file__).parents[1] / "facepuppet" / "face" / "data" / "arkit_basis.npz"
PEOPLE = 24
COMBINATIONS = 70  # drawn for each person
RIDGE = 0.3
COMPONENTS = 60  # of a covariance; what they leave is taken as independent
FLOOR = 0.003  # standard deviation of a landmark's jitter, in inter-ocular distances
HEAD_FRAME_ERROR = 0.02  # radians, inter-ocular distances and parts of the size
SHAPES = tuple(name for name in ARKIT_NAMES if name != "tongueOut")  # ICT has no tongue shape
MIRROR = np.array([-1.0, 1.0, 1.0])


class Tracker:
    """The landmark network on single pictures."""

    def __init__(self) -> None:
        self._mesh = FaceMesher(CONFIDENCE)

    def __call__(self, rgb: npt.NDArray[np.uint8]) -> F64 | None:
        """Return (478, 3) landmarks in px, or None."""
        found = self._mesh.landmarks_px(rgb)
        return None if found is None else found.astype(np.float64)


def landmarks_on_heads(heads: IctHeads, tracker: Tracker, people: int) -> F64:
    """Return (468, 3), where on `heads.neutral` the network sees its landmarks, in cm.

    Landmarks found on plain heads from five sides are cast onto the surface; hits are averaged with the
    square of the cosine between surface and sight, then with their mirror images.
    """
    skin, triangles = plain_skin(heads), heads.triangles[(heads.triangles < SKIN.stop).all(1)]
    total, weight = np.zeros((N_MESH, 3)), np.full((N_MESH, 1), 1e-9)
    for seed in range(people):
        person = heads.person(seed)
        for yaw, pitch in ((0, 0), (0.3, 0), (-0.3, 0), (0, 0.2), (0, -0.2)):
            rotation = rotation_from_euler(yaw, pitch, 0.0)
            found = tracker(render(heads, person, skin, rotation))
            if found is None:
                continue
            ids, bary = rasterise(project(person, rotation), triangles)
            rows, cols = np.nonzero(ids >= 0)
            _, nearest = cKDTree(np.column_stack([cols, rows])).query(found[:N_MESH, :2])
            at = rows[nearest], cols[nearest]
            corners = triangles[ids[at]]
            a, b, c = ((person @ rotation.T)[corners[:, i]] for i in range(3))
            normal = np.cross(b - a, c - a)
            facing = np.clip(-normal[:, 2:] / np.linalg.norm(normal, axis=1, keepdims=True), 0, 1) ** 2
            total += facing * np.einsum("nk,nkc->nc", bary[at], heads.neutral[corners])
            weight += facing
    mean = total / weight
    return (mean + mean[mirror_order()[:N_MESH]] * MIRROR) / 2


def learning_portraits(folder: Path) -> list[Path]:
    """Return the portraits to learn from, shuffled; every tenth is left to tools/eval_blendshapes.py."""
    paths = [path for i, path in enumerate(sorted(folder.glob("*.jpg"))) if i % 10]
    return [paths[i] for i in np.random.default_rng(0).permutation(len(paths))]


def neutral_portraits(
    paths: Sequence[Path], tracker: Tracker, count: int
) -> Iterator[tuple[npt.NDArray[np.uint8], F64]]:
    """Yield the first pictures, and their landmarks, of faces that look straight ahead with a shut mouth."""
    for path in paths:
        rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        found = tracker(rgb)
        if found is None:
            continue
        head_from_image = fit_similarity(found[RIGID], canonical_landmarks()[RIGID])
        face = head_from_image.apply(found)
        turned = np.abs(euler_from_rotation(head_from_image.rotation)).max()
        if turned < 0.12 and np.linalg.norm(face[13] - face[14]) < 0.02:
            yield rgb, found
            count -= 1
        if count == 0:
            return


def skins(
    heads: IctHeads, paths: Sequence[Path], tracker: Tracker, count: int, people: int = 6
) -> list[Skin]:
    """Return `count` portrait skins for the heads, laid on by what is seen on `people` plain heads."""
    where = landmarks_on_heads(heads, tracker, people)
    portraits = neutral_portraits(paths, tracker, count)
    return [portrait_skin(heads, rgb, found[:N_MESH, :2], where) for rgb, found in portraits]


def random_weights(rng: np.random.Generator) -> Weights:
    """Draw a plausible expression: gaze of both eyes, perhaps lids and brows, up to three mouth shapes."""
    out: Weights = {}

    def add(*names: str) -> None:
        level = rng.uniform(0.2, 1.0)
        out.update(dict.fromkeys(names, level))

    if rng.random() < 0.6:
        sides = [("In", "Out"), ("Out", "In")][rng.integers(2)]
        add(*(f"eyeLook{way}{side}" for way, side in zip(sides, ("Left", "Right"), strict=True)))
    if rng.random() < 0.6:
        way = ("Up", "Down")[rng.integers(2)]
        add(f"eyeLook{way}Left", f"eyeLook{way}Right")
    paired = ("eyeBlink", "eyeSquint", "eyeWide", "browDown", "browOuterUp", "cheekSquint", "noseSneer")
    for stem in rng.choice(paired, 2, replace=False):
        for side in ("Left", "Right"):
            if rng.random() < 0.8:
                add(f"{stem}{side}")
    if rng.random() < 0.3:
        add("browInnerUp")
    mouth = [name for name in SHAPES if name.startswith(("jaw", "mouth")) and name != "mouthClose"]
    for name in rng.choice([*mouth, *["jawOpen"] * 4, "cheekPuff"], rng.integers(1, 4), replace=False):
        add(str(name))
        if rng.random() < 0.5:
            add(mirrored_name(str(name)))
    return plausible(out, rng)


def plausible(weights: Weights, rng: np.random.Generator) -> Weights:
    """Remove what no face does: both of two opposites, and lips that close through each other."""
    out = dict(weights)
    for one, other in (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight")):
        if one in out and other in out:
            del out[other if rng.random() < 0.5 else one]
    if "jawOpen" in out and rng.random() < 0.3:
        out["mouthClose"] = out["jawOpen"] * rng.uniform(0.5, 1.0)
    return out


def script(person: int, rng: np.random.Generator) -> Iterator[Weights]:
    """Yield what one person shows: half of the shapes alone (mouthClose with an open jaw), then mixtures."""
    for name in SHAPES[person % 2 :: 2]:
        level = rng.uniform(0.4, 1.0)
        yield {"jawOpen": level, "mouthClose": level} if name == "mouthClose" else {name: level}
    for _ in range(COMBINATIONS):
        yield random_weights(rng)


def record(heads: IctHeads, wardrobe: Sequence[Skin], tracker: Tracker) -> tuple[F64, F64]:
    """Draw and track everybody's script.

    Returns:
        (S, 52) weights and (S, 478, 3) offsets from the person's frontal neutral, in the head frame.
    """
    weights, offsets = [], []
    for person, skin in enumerate(wardrobe):
        print(f"person {person + 1} of {len(wardrobe)}", flush=True)
        rng = np.random.default_rng(1000 + person)
        vertices = heads.person(1000 + person)
        frontal = tracker(render(heads, vertices, skin, np.eye(3)))
        if frontal is None:
            continue
        neutral = fit_similarity(frontal[RIGID], canonical_landmarks()[RIGID]).apply(frontal)
        for expression in script(person, rng):
            rotation = rotation_from_euler(*rng.uniform(-1, 1, 3) * (0.3, 0.2, 0.1))
            found = tracker(render(heads, heads.pose(vertices, expression), skin, rotation))
            if found is None:
                continue
            offsets.append(fit_similarity(found[RIGID], neutral[RIGID]).apply(found) - neutral)
            weights.append([expression.get(name, 0.0) for name in ARKIT_NAMES])
    return np.array(weights), np.array(offsets)


def mirror_samples(weights: F64, offsets: F64) -> tuple[F64, F64]:
    """Return the samples and their mirror images, so that the basis becomes exactly symmetric."""
    swap = [ARKIT_INDEX[mirrored_name(name)] for name in ARKIT_NAMES]
    return (
        np.concatenate([weights, weights[:, swap]]),
        np.concatenate([offsets, offsets[:, mirror_order()] * MIRROR]),
    )


def fit_basis(weights: F64, offsets: F64) -> tuple[F64, F64]:
    """Return the basis (52, 1434) and the samples' residuals (S, 1434)."""
    flat = offsets.reshape(len(offsets), -1)
    basis = np.linalg.solve(weights.T @ weights + RIDGE * np.eye(weights.shape[1]), weights.T @ flat)
    return basis, flat - weights @ basis


def covariance(samples: F64, components: int) -> F64:
    """Return (1434, 1434) E[xxᵀ] of samples (S, 1434): leading components, and the rest as independent."""
    _, singular, axes = np.linalg.svd(samples, full_matrices=False)
    spread = axes[:components] * (singular[:components, None] / np.sqrt(len(samples)))
    rest = (samples**2).mean(0) - (spread**2).sum(0)
    return spread.T @ spread + np.diag(np.maximum(rest, FLOOR**2))


def rigid_covariance() -> F64:
    """Return the covariance of landmarks whose head frame is a little off (turn, shift and size)."""
    face = canonical_landmarks().astype(np.float64)
    turns = [np.cross(axis, face) for axis in np.eye(3)]
    shifts = [np.broadcast_to(axis, face.shape) for axis in np.eye(3)]
    modes = HEAD_FRAME_ERROR * np.array([*turns, *shifts, face]).reshape(7, -1)
    return modes.T @ modes


def people_covariance(portraits: Path) -> F64:
    """Return the covariance of neutral faces about the mean face."""
    mean, faces = neutral_mean(track_folder(portraits))
    both = np.concatenate([faces, faces[:, mirror_order()] * MIRROR]) - mean
    return covariance(both.reshape(len(both), -1), COMPONENTS)


def main(shared: Path, recording: Path | None) -> None:
    """Record (or reuse), solve, write."""
    if recording is not None and recording.exists():
        with np.load(recording) as data:
            weights, offsets = data["weights"], data["offsets"]
    else:
        heads, tracker = IctHeads.load(shared / "heads" / "ict_facekit_light.npz"), Tracker()
        wardrobe = skins(heads, learning_portraits(shared / "portraits" / "generated"), tracker, PEOPLE)
        weights, offsets = record(heads, wardrobe, tracker)
        if recording is not None:
            np.savez_compressed(recording, weights=weights, offsets=offsets.astype(np.float32))
    basis, residuals = fit_basis(*mirror_samples(weights, offsets))
    error = covariance(residuals, COMPONENTS) + rigid_covariance()
    strange = error + people_covariance(shared / "portraits" / "generated")
    np.savez_compressed(
        TARGET,
        basis=basis.reshape(-1, *offsets.shape[1:]).astype(np.float16),
        filters_known=np.linalg.solve(error, basis.T).T.astype(np.float32),
        filters_unknown=np.linalg.solve(strange, basis.T).T.astype(np.float32),
    )
    print(f"{TARGET.name}: {len(weights)} pictures, {TARGET.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
