r"""Do lids shut? Both eyes of portraits, blinked and winked, tracked anew, and looked at.

    python tools/blink_survey.py PORTRAIT_OR_FOLDER ... [--every 25] [--sheet eyes.png] [--json now.json]
    PYTHONPATH=OLDER_CHECKOUT python tools/blink_survey.py ... --json before.json      # another build
    python tools/blink_survey.py ... --against before.json

A driver of average proportions shuts both eyes, half and whole, then each alone; the real retargeting and
renderer follow, and the tracker of the show measures the pictures. `shut` is the aperture that it finds over
that of the puppet at rest: at most 0.25 in both eyes, in nine portraits of ten. In a wink the open eye keeps
its own, at least 0.85. Exit status 1 where fewer do. The sheet has a row for each portrait: at rest, half
shut, shut, each eye winking.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np

from facepuppet.core import N_BLENDSHAPES, U8, Expression, FacepuppetError, Floats, HeadPose, head_from_image
from facepuppet.face import ARKIT_INDEX, EYES, eye_openings, face_of_blendshapes, fit_head
from facepuppet.frames import Composer, Corner, Renderer
from facepuppet.media import images_in
from facepuppet.portrait import Avatar, find_faces, load_avatar
from facepuppet.retarget import Retargeter

MOST_SHUT, LEAST_OPEN, LEAST_SHARE = 0.25, 0.85, 0.9
# Of the person's left and right lids; the person's right eye is the image's left one.
MOMENTS = {
    "rest": (0.0, 0.0),
    "half": (0.5, 0.5),
    "shut": (1.0, 1.0),
    "left": (0.0, 1.0),
    "right": (1.0, 0.0),
}
CELL_PX = (360, 150)


def blink(avatar: Avatar) -> dict[str, U8]:
    """A picture of every moment."""
    renderer, composer = Renderer(avatar), Composer(avatar, None, label=Corner.OFF)
    retargeter = Retargeter(avatar)
    retargeter.update(_expression((0.0, 0.0), 0))
    return {
        # A second apart, so that the presence machine has long arrived.
        name: composer.compose(renderer.render(retargeter.update(_expression(lids, second)))).rgb
        for second, (name, lids) in enumerate(MOMENTS.items(), 1)
    }


def openings(pictures: dict[str, U8]) -> dict[str, list[float]] | None:
    """Of both eyes over those at rest, image-left first; None where a picture shows no face."""
    found = {name: _openings(rgb) for name, rgb in pictures.items()}
    rest = found["rest"]
    ratios = {name: one / rest for name, one in found.items() if one is not None and rest is not None}
    return {name: one.tolist() for name, one in ratios.items()} if len(ratios) == len(MOMENTS) else None


def shuts(found: dict[str, list[float]]) -> bool:
    """Whether both eyes do."""
    return max(found["shut"]) <= MOST_SHUT


def winks(found: dict[str, list[float]]) -> bool:
    """Whether the other eye stays open in both winks."""
    return min(found["left"][1], found["right"][0]) >= LEAST_OPEN


def _expression(lids: tuple[float, float], second: int) -> Expression:
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    for name, value in zip(("eyeBlinkLeft", "eyeBlinkRight"), lids, strict=True):
        weights[ARKIT_INDEX[name]] = value
    face = face_of_blendshapes(weights, HeadPose(np.zeros(3, np.float32)))
    return Expression(face, None, second, second * 1_000_000_000)


def _openings(rgb: U8) -> Floats | None:
    faces = find_faces(rgb, closely=False)
    if not faces:
        return None
    landmarks = faces[0].landmarks_px
    return np.asarray(eye_openings(head_from_image(landmarks, fit_head(landmarks)).astype(np.float32)))


def _row(avatar: Avatar, pictures: dict[str, U8]) -> U8:
    corners = np.array([avatar.landmarks_px[[eye.outer, eye.inner], :2] for eye in EYES]).reshape(-1, 2)
    width, height = CELL_PX
    scale = width / (1.5 * float(np.linalg.norm(corners[0] - corners[2])))
    offset = np.array([width / 2, 0.55 * height]) - scale * corners.mean(0)
    matrix = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]])
    cells = [cv2.warpAffine(rgb, matrix, CELL_PX, flags=cv2.INTER_CUBIC) for rgb in pictures.values()]
    return np.asarray(np.hstack(cells), np.uint8)


def _told(found: dict[str, list[float]] | None) -> str:
    if found is None:
        return "lost"
    left, right = found["shut"]
    return f"{left:.2f} {right:.2f}{'' if shuts(found) else ' ✗'}{'' if winks(found) else ' wink ✗'}"


def _summary(rows: dict[str, dict[str, list[float]] | None]) -> str:
    seen = [found for found in rows.values() if found is not None]
    each = [value for found in seen for value in found["shut"]]
    return (
        f"{sum(map(shuts, seen))} of {len(rows)} shut both eyes; median {np.median(each):.2f}, "
        f"90th percentile {np.percentile(each, 90):.2f} of the aperture at rest; "
        f"{sum(map(winks, seen))} wink with one eye alone"
    )


def main() -> int:
    """Survey, print, and say whether enough lids shut."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("portraits", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every n-th picture of a folder")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--json", type=Path, help="write the openings")
    parser.add_argument("--against", type=Path, help="what --json of another build wrote")
    args = parser.parse_args()
    paths = [
        path
        for given in args.portraits
        for path in (images_in(given)[:: args.every] if given.is_dir() else [given])
    ]
    before = json.loads(args.against.read_text("utf-8")) if args.against else {}
    rows: dict[str, dict[str, list[float]] | None] = {}
    strips = []
    for path in paths:
        try:
            avatar = load_avatar(path)
        except FacepuppetError as error:
            print(f"{path.name}: {error}")
            continue
        pictures = blink(avatar)
        rows[path.name] = openings(pictures)
        strips.append(_row(avatar, pictures))
        was = f"{_told(before[path.name])} → " if path.name in before else ""
        print(f"{path.name}: {was}{_told(rows[path.name])}", flush=True)
    if before:
        print(f"before: {_summary(before)}")
    print(f"now: {_summary(rows)}")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    if args.sheet:
        cv2.imwrite(str(args.sheet), np.vstack(strips)[..., ::-1])
    shut = sum(found is not None and shuts(found) for found in rows.values())
    return 0 if shut >= LEAST_SHARE * len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
