r"""Build facepuppet/face/data/flesh.npz: how skin brightens and darkens with an expression.

    nice python tools/fit_flesh.py SHARED_FOLDER [--people engines/people.toml] [--keep FOLDER] [--judge]

Two sources. ICT-FaceKit's head (MIT) tells how the surface turns with each of ARKit's shapes: under a face's
own light that shades it, also for shapes that nobody shows in clips (a puffed cheek). Clips of people tell
what is left: creases, redder and darker in any light, and shapes that the tracker reads low. A regression of
the logarithms of unwrapped frames, on the weights that the product reads off the same landmarks, finds that
rest for every place of the face (ridge, neighbours pooled, left and right halves as mirror images; pose,
nearness and exposure taken out of each clip first). Both together are reduced to few components.

SHARED_FOLDER holds heads/ict_facekit_light.npz and clips/. People set aside for validation are not learnt
from; --judge prints how well they are told (R² and mean absolute error of the ratio images, over the quarter
of the frames with the strongest expressions), beside a cross-validation over the training people.
"""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from flesh_clips import SHAPES, Observed, observe
from flesh_heads import turns_of
from flesh_lines import drawn_lines
from ict_render import IctHeads

from engines.data.clips import load_clip
from engines.data.people import DEFAULT_TABLE, Split, TrainingDataError, clips_of, read_people
from facepuppet.core import F32, F64, N_BLENDSHAPES
from facepuppet.face import (
    ARKIT_INDEX,
    ARKIT_NAMES,
    EYES,
    LIPS_OUTER,
    N_COMPONENTS,
    N_LINES,
    mirrored_name,
    unwrapped_points,
)
from facepuppet.frames import GAMMA, polygon_mask, shading

TARGET = Path(__file__).parents[1] / "facepuppet" / "face" / "data" / "flesh.npz"
SIDE, HALF = 128, 64  # of the model, and of the regression
MAX_FRAMES = 160  # of each clip, evenly spread
TURN_SHARE = 0.5  # of what the head's geometry says: tracked weights overstate what a face does
# Of that for raised brows, whose skin the head bulges more than people do, and for what tips the chin down:
# in clips it gets less dark there, as light also comes from below.
SHAPE_SHARES = {"browInnerUp": 0.2, "browOuterUpLeft": 0.2, "browOuterUpRight": 0.2}
SHAPE_SHARES |= {"jawOpen": 0.3, "mouthFunnel": 0.5, "mouthShrugLower": 0.5}
BROADEST = 30.0  # cells: what is broader is left out; it cannot be told from a camera's exposure
RIDGE, POOLED = 3.0, 0.8  # and the blur that pools neighbours, in cells of HALF
LEARNT_RANK = 8
FOLLOWED = N_COMPONENTS - N_LINES
SEEN_LITTLE = 0.2  # weights that clips lack count as if they were this large
USUAL = np.array([0.6, 0.0, -0.27, -0.33])
MIRRORED = np.array([ARKIT_INDEX[mirrored_name(ARKIT_NAMES[number])] for number in SHAPES])
SWAP = np.searchsorted(SHAPES, MIRRORED)
FOLDS = 4


def skin_mask(normals: F32) -> F32:
    """(S, S) soft: skin of the mesh, away from its outline, the lips and the eyes."""
    points = unwrapped_points(SIDE)
    free = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(free, np.round(cv2.convexHull(points)).astype(np.int32), 255)
    free[(normals == 0).all(-1)] = 0
    free = cv2.erode(free, np.ones((9, 9), np.uint8))
    for ring in (LIPS_OUTER, *(eye.ring for eye in EYES)):
        inside = polygon_mask(points[ring], (0, 0), (SIDE, SIDE))
        free[cv2.dilate(inside, np.ones((5, 5), np.uint8)) > 0] = 0
    soft = cv2.GaussianBlur(free, (0, 0), 1.5).astype(np.float32) / 255
    return np.asarray((soft + soft[:, ::-1]) / 2, np.float32)


def beside_lips(skin: F32) -> F32:
    """(S, S) the skin less what is so near the lips that the mouth's painter makes its shade."""
    lips = polygon_mask(unwrapped_points(SIDE)[LIPS_OUTER], (0, 0), (SIDE, SIDE))
    near = cv2.dilate(lips, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15)))
    fade = cv2.GaussianBlur(np.maximum(near, near[:, ::-1]).astype(np.float32) / 255, (0, 0), 2.5)
    return np.asarray(skin * (1.0 - fade), np.float32)


def shaded(turns: F32, normals: F32, light: F64) -> F32:
    """(F, S, S) logarithm of the ratio, per weight, under a light."""
    return (turns @ light[1:].astype(np.float32)) / shading(light, normals)


def learn(clips: list[Observed], turns: F32, normals: F32) -> F32:
    """(F, HALF, HALF) what the turning surface leaves of the clips' ratios, per weight."""
    n = len(SHAPES)
    covariance, product = np.zeros((HALF, HALF, n * n), np.float32), np.zeros((HALF, HALF, n), np.float32)
    for clip in clips:
        rest, bare = residual(clip, turns, normals)
        share = (bare / np.sqrt(len(rest)))[..., None].astype(np.float32)
        covariance += share * (clip.weights.T @ clip.weights).ravel()
        product += share * np.moveaxis(np.tensordot(clip.weights.T, rest, 1), 0, -1)
    covariance = covariance.reshape(HALF, HALF, n, n)
    covariance = covariance + covariance[:, ::-1][:, :, SWAP][:, :, :, SWAP]
    product = product + product[:, ::-1][:, :, SWAP]
    pooled = _blurred(covariance.reshape(HALF, HALF, -1)).reshape(covariance.shape)
    learnt = np.linalg.solve(pooled + RIDGE * np.eye(n), _blurred(product)[..., None])[..., 0]
    return _of_rank(np.moveaxis(learnt, -1, 0), LEARNT_RANK)


def residual(clip: Observed, turns: F32, normals: F32) -> tuple[F32, npt.NDArray[np.bool_]]:
    """(N, HALF, HALF) ratios less what the turning surface explains, and where skin is seen."""
    explained = np.array([_half(one) for one in shaded(turns, normals, clip.light)])
    ratios = np.array([_half(one) for one in clip.ratios])
    return ratios - np.tensordot(clip.weights, explained, 1), _half(clip.bare.astype(np.float32)) > 0.6


def told(clip: Observed, learnt: F32, turns: F32, normals: F32) -> F64:
    """(4,) of the strongest quarter of frames: squares and absolutes, of the truth and of the error."""
    rest, bare = residual(clip, turns, normals)
    truth = np.array([_half(one) for one in clip.ratios])
    guess = truth - rest + np.tensordot(clip.weights, learnt, 1)
    strongest = np.argsort(-np.abs(guess[:, bare]).mean(1))[: max(5, len(guess) // 4)]
    y = truth[strongest][:, bare]
    error = y - guess[strongest][:, bare]
    return np.array([(y**2).sum(), (error**2).sum(), np.abs(y).sum(), np.abs(error).sum()])


def judge(train: list[Observed], unseen: list[Observed], turns: F32, normals: F32) -> None:
    """Print how well people are told who were not learnt from."""
    everyone = sorted({clip.person for clip in train})
    rows: list[tuple[str, F64]] = []
    for fold in range(FOLDS):
        out = set(everyone[fold::FOLDS])
        learnt = learn([clip for clip in train if clip.person not in out], turns, normals)
        rows += [("train", told(clip, learnt, turns, normals)) for clip in train if clip.person in out]
    learnt = learn(train, turns, normals)
    for clip in unseen:
        row = told(clip, learnt, turns, normals)
        rows.append(("unseen", row))
        print(f"  {clip.person}: R2 {1 - row[1] / row[0]:.3f}, L1 {100 * (row[3] / row[2] - 1):+.1f} %")
    for name in ("train", "unseen"):
        total = np.sum([row for who, row in rows if who == name], axis=0)
        r2, l1 = 1 - total[1] / total[0], total[3] / total[2] - 1
        print(f"{name}: R2 {r2:.3f}, L1 {100 * l1:+.1f} %", flush=True)


def reduce(learnt: F32, turns: F32, normals: F32, skin: F32, seen: F64) -> dict[str, npt.NDArray[np.generic]]:
    """Return the model's arrays: creases and turns of few components, a matrix that mixes the weights."""
    large = np.array([cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for one in learnt])
    both = np.concatenate([large[..., None], turns * np.float32(0.4)], axis=-1)
    spread = np.maximum(seen, SEEN_LITTLE)[:, None]
    flat = both.reshape(len(both), -1)
    u, singular, axes = np.linalg.svd(flat * spread, full_matrices=False)
    kept = (singular[:FOLLOWED] ** 2).sum() / (singular**2).sum()
    print(f"{FOLLOWED} components keep {kept:.3f} of the variance")
    parts = np.zeros((N_COMPONENTS, SIDE, SIDE, 4), np.float32)
    parts[:FOLLOWED] = axes[:FOLLOWED].reshape(FOLLOWED, SIDE, SIDE, 4)
    mixing = np.zeros((N_BLENDSHAPES, N_COMPONENTS), np.float32)
    mixing[SHAPES, :FOLLOWED] = u[:, :FOLLOWED] * singular[:FOLLOWED] / spread
    parts[FOLLOWED:, ..., 0], mixing[:, FOLLOWED:] = drawn_lines(SIDE)
    parts[:FOLLOWED] = _narrow(parts[:FOLLOWED], skin)
    creases, crease_scale = _bytes(parts[..., 0])
    turned, turn_scale = _bytes(parts[..., 1:] / 0.4)
    return {
        "mixing": mixing,
        "creases": creases,
        "crease_scale": crease_scale,
        "turns": turned,
        "turn_scale": turn_scale,
        "normals": np.rint(127 * normals).astype(np.int8),
    }


def observed(shared: Path, people: Path, split: Split, normals: F32, skin: F32) -> list[Observed]:
    """Observe every clip of a split."""
    found = []
    for path, person in clips_of(shared / "clips", split, read_people(people)):
        try:
            found.append(observe(load_clip(path, MAX_FRAMES), person.name, normals, skin))
            print(path.stem, len(found[-1].weights), flush=True)
        except TrainingDataError as problem:
            print(f"{path.name} is left out: {problem}")
    return found


def _half(picture: F32) -> F32:
    return np.asarray(cv2.resize(picture, (HALF, HALF), interpolation=cv2.INTER_AREA), np.float32)


def _blurred(planes: F32) -> F32:
    blurred = [
        cv2.GaussianBlur(np.ascontiguousarray(planes[..., k]), (0, 0), POOLED)
        for k in range(planes.shape[-1])
    ]
    return np.moveaxis(np.asarray(blurred, np.float32), 0, -1)


def _narrow(parts: F32, skin: F32) -> F32:
    """Take out of (R, S, S, 4) parts what is broader than a cheek, over the skin."""
    around = cv2.GaussianBlur(skin, (0, 0), BROADEST) + 1e-3
    broad = [cv2.GaussianBlur(part * skin[..., None], (0, 0), BROADEST) / around[..., None] for part in parts]
    return np.asarray(parts - np.array(broad), np.float32)


def _of_rank(maps: F32, rank: int) -> F32:
    u, singular, axes = np.linalg.svd(maps.reshape(len(maps), -1), full_matrices=False)
    return ((u[:, :rank] * singular[:rank]) @ axes[:rank]).reshape(maps.shape).astype(np.float32)


def _bytes(parts: F32) -> tuple[npt.NDArray[np.int8], F32]:
    scale = np.maximum(np.abs(parts.reshape(len(parts), -1)).max(1), 1e-6) / 127
    rounded = np.rint(parts / scale.reshape(-1, *[1] * (parts.ndim - 1))).astype(np.int8)
    return rounded, scale.astype(np.float32)


def main() -> None:
    """Observe (or take what was kept), learn, reduce, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--people", type=Path, default=DEFAULT_TABLE)
    parser.add_argument(
        "--keep", type=Path, help="file for the observations, which take minutes; reused when there"
    )
    parser.add_argument("--judge", action="store_true", help="cross-validate, and judge people set aside")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    normals, turns = turns_of(IctHeads.load(arguments.shared / "heads" / "ict_facekit_light.npz"), SIDE)
    skin = skin_mask(normals)
    turns = (TURN_SHARE / GAMMA) * turns[SHAPES]
    for name, share in SHAPE_SHARES.items():
        turns[np.searchsorted(SHAPES, ARKIT_INDEX[name])] *= np.float32(share)
    if arguments.keep is not None and arguments.keep.exists():
        train, unseen = pickle.loads(arguments.keep.read_bytes())
    else:
        train, unseen = (
            observed(arguments.shared, arguments.people, split, normals, skin)
            for split in (Split.TRAIN, Split.VALIDATION)
        )
        if arguments.keep is not None:
            arguments.keep.write_bytes(pickle.dumps((train, unseen)))
    if arguments.judge:
        judge(train, unseen, turns, normals)
    seen = np.sqrt(np.concatenate([clip.weights**2 for clip in train]).mean(0))
    seen = np.sqrt((seen**2 + seen[SWAP] ** 2) / 2)
    arrays = reduce(learn(train, turns, normals), turns, normals, skin, seen)
    np.savez_compressed(TARGET, skin=np.rint(255 * beside_lips(skin)).astype(np.uint8), **arrays)
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
