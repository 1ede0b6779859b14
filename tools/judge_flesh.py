r"""Measure what shading by the expression brings: warp alone against warp and flesh, beside the true frames.

    python tools/judge_flesh.py --clips ../shared/clips --people engines/people.toml --sheets flesh

Each person set aside is driven by themselves, from the most neutral frame, as in evaluate_reenactment.py.
Judged are the frames with the strongest expressions (--share of them), over the face without eyes and
mouth: mean absolute difference, and perceptual distance. `blur` is the same L1 of pictures blurred by 4 px,
where shade counts and pores do not. Needs `pip install '.[evaluate]'`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from reenactment.perceptual import PerceptualDistance
from reenactment.puppets import composite, no_painters, true_motions
from reenactment.takes import Take, find_clips, record

from facepuppet.core import F32, U8, Motion, Quality
from facepuppet.face import EYES, FACE_OVAL, LIPS_OUTER
from facepuppet.frames import Renderer, polygon_mask
from facepuppet.inference import shipped_folder
from facepuppet.portrait import Avatar, analyse_portrait

BLUR_PX = 4.0
SHEET_FRAMES = 4


def mask_of(landmarks_px: F32, size_px: tuple[int, int]) -> F32:
    """(H, W) in [0, 1]: the face without its outline, eyes and lips."""
    mask = cv2.erode(polygon_mask(landmarks_px[FACE_OVAL, :2], (0, 0), size_px), np.ones((15, 15), np.uint8))
    for ring in (LIPS_OUTER, *(eye.ring for eye in EYES)):
        inside = polygon_mask(landmarks_px[ring, :2], (0, 0), size_px)
        mask[cv2.dilate(inside, np.ones((7, 7), np.uint8)) > 0] = 0
    return mask.astype(np.float32) / 255


def strongest(renderer: Renderer, motions: list[Motion | None], share: float) -> list[int]:
    """The frames whose expression shades most."""
    drives = np.array([0.0 if m is None else np.abs(renderer.flesh.drive(m)).sum() for m in motions])
    return sorted(np.argsort(-drives)[: max(1, round(share * len(drives)))].tolist())


def shown(avatar: Avatar, renderer: Renderer, motions: list[Motion], flesh: bool) -> list[U8]:
    """Render with or without shading, over the portrait's own background."""
    renderer.set_quality(Quality(flesh=flesh))
    return [composite(avatar, renderer.render(motion).rgba) for motion in motions]


def scores(truths: list[U8], pictures: list[U8], masks: list[F32], judge: PerceptualDistance) -> F32:
    """(3,) L1, L1 when blurred, both in levels, and perceptual distance."""
    rows = []
    for truth, picture, mask in zip(truths, pictures, masks, strict=True):
        difference = truth.astype(np.float32) - picture
        broad = cv2.GaussianBlur(difference, (0, 0), BLUR_PX)
        weight = mask[..., None] / max(float(3 * mask.sum()), 1e-6)
        rows.append([float((np.abs(d) * weight).sum()) for d in (difference, broad)])
    distances = judge.distances(judge.features(truths), judge.features(pictures), masks).mean(1)
    return np.array([*np.mean(rows, axis=0), distances.mean()], np.float32)


def judge_take(take: Take, engines: Path, share: float, judge: PerceptualDistance) -> tuple[F32, U8]:
    """Return (2, 3) scores without and with flesh, and a sheet of the strongest frames."""
    avatar = analyse_portrait(take.portrait_rgb, name=take.name, source_sha256="0" * 64)
    renderer, motions = Renderer(avatar, engines), true_motions(avatar, take)
    chosen = [n for n in strongest(renderer, motions, share) if motions[n] is not None]
    moved = [motion for n in chosen if (motion := motions[n]) is not None]
    truths = [take.pictures[n] for n in chosen]
    masks = [mask_of(take.landmarks_px[n], avatar.size_px) for n in chosen]
    variants = [shown(avatar, renderer, moved, flesh) for flesh in (False, True)]
    print(f"{take.name:14s} strength {renderer.flesh.complexion.strength:.2f}", end="  ")
    picked = np.linspace(0, len(chosen) - 1, min(SHEET_FRAMES, len(chosen))).astype(int).tolist()
    rows = [np.hstack([take.portrait_rgb, *(v[k] for v in variants), truths[k]]) for k in picked]
    return np.array([scores(truths, pictures, masks, judge) for pictures in variants]), np.vstack(rows)


def main() -> None:
    """Judge every clip, print a line for each and the mean."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", nargs="+", type=Path, required=True)
    parser.add_argument("--people", type=Path)
    parser.add_argument("--frames", type=int, default=150, help="consecutive frames of each clip")
    parser.add_argument("--share", type=float, default=0.2, help="of the frames, those with most expression")
    parser.add_argument("--painters", action="store_true", help="with the networks, not the warp alone")
    parser.add_argument("--sheets", type=Path, help="folder for sheets: portrait, without, with, truth")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    judge, rows = PerceptualDistance(), []
    with no_painters() as bare:
        for path in find_clips(arguments.clips, arguments.people):
            take = record(path, arguments.frames)
            engines = shipped_folder() if arguments.painters else bare
            pair, sheet = judge_take(take, engines, arguments.share, judge)
            rows.append(pair)
            _tell(pair)
            if arguments.sheets is not None:
                arguments.sheets.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(arguments.sheets / f"{take.name}.jpg"), sheet[..., ::-1])
    print(f"{'all':14s}                ", end="  ")
    _tell(np.mean(rows, axis=0))


def _tell(pair: F32) -> None:
    words = [
        f"{name} {before:.4f} -> {after:.4f} ({100 * (after / before - 1):+.1f} %)"
        for name, before, after in zip(("L1", "blur", "perceptual"), *pair.tolist(), strict=True)
    ]
    print(", ".join(words), flush=True)


if __name__ == "__main__":
    main()
