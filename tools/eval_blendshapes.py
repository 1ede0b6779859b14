"""Measure the blendshape fitter against scripted truth: drawn heads perform, are tracked and read back.

The people and portraits are none of those that tools/fit_blendshapes.py learned from.
Usage: nice python tools/eval_blendshapes.py SHARED_FOLDER
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from fit_blendshapes import Tracker, skins
from ict_render import IctHeads, Skin, render

from facepuppet.core import F32, head_from_image, rotation_from_euler
from facepuppet.face import ARKIT_INDEX, ARKIT_NAMES, BlendshapeFitter, fit_head

F64 = npt.NDArray[np.float64]

# What appears together, one after the other; every group rises and falls once.
SCRIPT: tuple[dict[str, float], ...] = (
    {"jawOpen": 0.8},
    {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0},
    {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9},
    {"browInnerUp": 0.9},
    {"eyeLookInLeft": 0.8, "eyeLookOutRight": 0.8},
    {"mouthPucker": 1.0},
    {"eyeLookOutLeft": 0.8, "eyeLookInRight": 0.8, "jawOpen": 0.4},
    {"mouthSmileLeft": 0.8},
    {"eyeBlinkRight": 1.0},
    {"eyeLookUpLeft": 0.8, "eyeLookUpRight": 0.8, "browOuterUpLeft": 0.9, "browOuterUpRight": 0.9},
    {"mouthFunnel": 0.9},
    {"eyeLookDownLeft": 0.8, "eyeLookDownRight": 0.8},
    {"mouthLeft": 0.9},
    {"eyeBlinkLeft": 1.0, "mouthSmileRight": 0.7},
    {"mouthRight": 0.9},
    {"noseSneerLeft": 0.9, "noseSneerRight": 0.9},
)
OBSERVABLE = tuple(sorted({name for group in SCRIPT for name in group}))


def scripted(frames_each: int) -> Iterator[dict[str, float]]:
    """Yield the script's weights frame by frame."""
    for group in SCRIPT:
        for level in np.sin(np.pi * np.arange(frames_each) / frames_each) ** 2:
            yield {name: peak * float(level) for name, peak in group.items()}


def perform(
    heads: IctHeads, skin: Skin, tracker: Tracker, seed: int, frames_each: int
) -> tuple[F32, F32, F32]:
    """Let one person play the script while the head sways.

    Returns:
        (T, 52) true weights, (T, 478, 3) landmarks in px, and (478, 3) the neutral face in the head frame.
    """
    person = heads.person(seed)
    at_rest = tracker(render(heads, person, skin, np.eye(3)))
    if at_rest is None:
        raise RuntimeError(f"got no face on the drawn person {seed}; expected one at rest and frontal")
    neutral = head_from_image(at_rest, fit_head(at_rest.astype(np.float32)))
    truth, seen = [], []
    for i, weights in enumerate(scripted(frames_each)):
        sway = rotation_from_euler(0.15 * np.sin(i / 7), 0.08 * np.sin(i / 5 + 1), 0.05 * np.sin(i / 9))
        found = tracker(render(heads, heads.pose(person, weights), skin, sway))
        if found is not None:
            truth.append([weights.get(name, 0.0) for name in ARKIT_NAMES])
            seen.append(found)
    return np.array(truth, np.float32), np.array(seen, np.float32), neutral.astype(np.float32)


def read_back(fitter: BlendshapeFitter, seen_px: F32, neutral_head: F32 | None) -> F32:
    """Fit (T, 52) weights to (T, 478, 3) image landmarks, as the tracker does."""
    rows = []
    for landmarks_px in seen_px:
        pose = fit_head(landmarks_px, neutral_head)
        rows.append(fitter.fit(head_from_image(landmarks_px, pose).astype(np.float32), neutral_head))
    return np.array(rows)


def correlations(truth: F32, found: F32) -> dict[str, float]:
    """Return Pearson's r of every observable shape; 0 where nothing was found."""
    out = {}
    for name in OBSERVABLE:
        a, b = truth[:, ARKIT_INDEX[name]], found[:, ARKIT_INDEX[name]]
        out[name] = float(np.corrcoef(a, b)[0, 1]) if b.std() > 0 else 0.0
    return out


def unseen_skins(heads: IctHeads, portraits: Path, tracker: Tracker, count: int) -> list[Skin]:
    """Return skins from the portraits that learning leaves out (every tenth)."""
    return skins(heads, sorted(portraits.glob("*.jpg"))[::10], tracker, count, people=2)


def main(shared: Path, people: int = 4) -> None:
    """Print correlation, gain and crosstalk of every scripted shape, and the cost of a fit."""
    heads, tracker, fitter = (
        IctHeads.load(shared / "heads" / "ict_facekit_light.npz"),
        Tracker(),
        BlendshapeFitter(),
    )
    wardrobe = unseen_skins(heads, shared / "portraits" / "generated", tracker, people)
    played = [perform(heads, skin, tracker, 9000 + i, 12) for i, skin in enumerate(wardrobe)]
    truth = np.concatenate([t for t, _, _ in played])
    known = np.concatenate([read_back(fitter, seen, neutral) for _, seen, neutral in played])
    unknown = np.concatenate([read_back(fitter, seen, None) for _, seen, _ in played])
    print(f"{len(played)} people, {len(truth)} frames; neutral known, then unknown")
    print(f"{'':20}    r  gain   off     r  gain   off")
    for name in OBSERVABLE:
        i = ARKIT_INDEX[name]
        on, cells = truth[:, i] > 0, []
        for found in (known, unknown):
            gain = found[on, i] @ truth[on, i] / (truth[on, i] @ truth[on, i])
            cells.append(f"{correlations(truth, found)[name]:5.2f} {gain:5.2f} {found[~on, i].mean():5.2f} ")
        print(f"{name:20}", *cells)
    for label, found in (("known", known), ("unknown", unknown)):
        print(f"mean r, neutral {label}: {np.mean(list(correlations(truth, found).values())):.3f}")
    print_cost(fitter, played[0][1], played[0][2])


def print_cost(fitter: BlendshapeFitter, seen_px: F32, neutral_head: F32) -> None:
    """Print hardware and the time of one fit."""
    faces = [head_from_image(x, fit_head(x, neutral_head)).astype(np.float32) for x in seen_px]
    times_ms = []
    for face in faces * 5:
        start = time.perf_counter()
        fitter.fit(face, neutral_head)
        times_ms.append(1e3 * (time.perf_counter() - start))
    print(f"{platform.processor() or platform.machine()}: median {np.median(times_ms):.2f} ms, ", end="")
    print(f"p95 {np.percentile(times_ms, 95):.2f} ms a fit")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
