"""How many portraits make a pack, and whether their eyes shut and their mouths open.

    python tools/portrait_survey.py FOLDER_OR_PICTURE ... --out FOLDER [--every 25] [--sweep]

Every portrait passes through the gates without --force. A driver of average proportions then shuts both
eyes and opens the mouth; the real retargeting and renderer follow, and the pictures are tracked anew.
`shut` is the re-tracked aperture over that of the puppet at rest, the less shut eye of the two: at most
0.25. `opened` is how far the lips part beyond rest, over the mouth's width at rest, relative to the same
of the driver: at least 0.8. Writes survey.md, survey.json and sheet.png.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from calibrate.portrait import open_portrait
from calibrate.sweep import sweep
from facepuppet.core import F32, N_BLENDSHAPES, U8, Expression, FacepuppetError, HeadPose, head_from_image
from facepuppet.face import (
    ARKIT_INDEX,
    canonical_landmarks,
    eye_openings,
    face_of_blendshapes,
    fit_head,
    landmark_offsets,
    mouth_gap,
    mouth_width,
)
from facepuppet.frames import Composer, Corner, Renderer
from facepuppet.media import images_in
from facepuppet.portrait import Avatar, find_faces
from facepuppet.retarget import Retargeter

MOST_SHUT, LEAST_OPENED = 0.25, 0.8
JAW_OPEN = 0.6  # of the widest: wide talking, not a yawn
EXPRESSIONS = {
    "rest": {},
    "shut": {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0},
    "open": {"jawOpen": JAW_OPEN},
}
CELL_PX = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One portrait's outcome; None is unmeasured, as the puppet's face was not found again.

    Attributes:
        name: of its file.
        problem: why there is no pack without --force.
        shut: (2,) aperture of each eye over rest, image-left first.
        opened: opening of the mouth over the driver's.
    """

    name: str
    problem: str | None = None
    shut: tuple[float, float] | None = None
    opened: float | None = None

    @property
    def shuts(self) -> bool:
        """Whether both eyes shut."""
        return self.shut is not None and max(self.shut) <= MOST_SHUT

    @property
    def opens(self) -> bool:
        """Whether the mouth opens."""
        return self.opened is not None and self.opened >= LEAST_OPENED


def survey(path: Path, *, with_sweep: bool) -> tuple[Row, U8 | None]:
    """Make a puppet of a portrait and put it to the test; its row, and its strip of the sheet."""
    try:
        avatar = open_portrait(path, tell=lambda _: None)
    except FacepuppetError as error:
        return Row(path.name, f"{type(error).__name__}: {error.got}"), None
    if with_sweep:
        avatar = replace(avatar, safe_range=sweep(avatar).safe_range)
    pictures = perform(avatar)
    seen = {name: _head(rgb) for name, rgb in pictures.items()}
    strip = np.hstack([_close_up(avatar, rgb) for rgb in (avatar.portrait_rgb, *pictures.values())])
    rest, shut, opened = (seen[name] for name in EXPRESSIONS)
    if rest is None or shut is None or opened is None:
        return Row(path.name), strip
    left, right = (eye_openings(shut) / eye_openings(rest)).tolist()
    driver = {name: _driver_head(name) for name in EXPRESSIONS}
    relative = _parted(rest, opened) / _parted(driver["rest"], driver["open"])
    return Row(path.name, None, (round(left, 3), round(right, 3)), round(relative, 3)), strip


def perform(avatar: Avatar) -> dict[str, U8]:
    """Let a puppet follow the driver's expressions: a picture of each."""
    renderer, composer = Renderer(avatar), Composer(avatar, None, label=Corner.OFF)
    retargeter = Retargeter(avatar)
    retargeter.update(_expression("rest", 0))
    return {
        # A second apart, so that the presence machine has long arrived.
        name: composer.compose(renderer.render(retargeter.update(_expression(name, second)))).rgb
        for second, name in enumerate(EXPRESSIONS, 1)
    }


def _expression(name: str, second: int) -> Expression:
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    for shape, value in EXPRESSIONS[name].items():
        weights[ARKIT_INDEX[shape]] = value
    face = face_of_blendshapes(weights, HeadPose(np.zeros(3, np.float32)))
    return Expression(face, None, second, second * 1_000_000_000)


def _driver_head(name: str) -> F32:
    face = _expression(name, 0).face
    assert face is not None
    return canonical_landmarks() + landmark_offsets(face.deformation).offsets


def _head(rgb: U8) -> F32 | None:
    faces = find_faces(rgb, closely=False)
    if not faces:
        return None
    landmarks = faces[0].landmarks_px
    return head_from_image(landmarks, fit_head(landmarks)).astype(np.float32)


def _parted(rest: F32, opened: F32) -> float:
    return (mouth_gap(opened) - mouth_gap(rest)) / mouth_width(rest)


def _close_up(avatar: Avatar, rgb: U8) -> U8:
    points = avatar.landmarks_px[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    side = 1.3 * float((high - low).max())
    scale = CELL_PX / side
    offset = CELL_PX / 2 - scale * (low + high) / 2
    matrix = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]])
    return np.asarray(cv2.warpAffine(rgb, matrix, (CELL_PX, CELL_PX), flags=cv2.INTER_AREA), np.uint8)


def _markdown(rows: list[Row]) -> str:
    made = [row for row in rows if row.problem is None]
    n, m = len(rows), max(1, len(made))
    lids = [value for row in made if row.shut is not None for value in row.shut]
    lines = [
        f"{len(made)} of {n} portraits ({100 * len(made) / max(1, n):.0f} %) make a pack without --force.",
        "",
        "| of the packs | share | median | worst |",
        "|---|---|---|---|",
        f"| both eyes shut (at most {MOST_SHUT} of the aperture at rest) | "
        f"{sum(r.shuts for r in made)} of {m} | {np.median(lids):.2f} (each eye) | {max(lids):.2f} |",
        f"| mouth opens (at least {LEAST_OPENED} of the driver's) | {sum(r.opens for r in made)} of {m} | "
        f"{np.median([r.opened for r in made if r.opened is not None]):.2f} | "
        f"{min(r.opened for r in made if r.opened is not None):.2f} |",
        "",
        "| portrait | pack | eyes shut to | mouth opened to |",
        "|---|---|---|---|",
    ]
    for row in rows:
        shut = (
            "lost" if row.shut is None else f"{row.shut[0]:.2f} {row.shut[1]:.2f}{'' if row.shuts else ' ✗'}"
        )
        opened = "lost" if row.opened is None else f"{row.opened:.2f}{'' if row.opens else ' ✗'}"
        cells = ("yes", shut, opened) if row.problem is None else (row.problem.replace("|", "/"), "", "")
        lines.append(f"| {row.name} | {' | '.join(cells)} |")
    reasons = Counter(row.problem.split(":")[0] for row in rows if row.problem is not None)
    lines += ["", *(f"{count} refused: {reason}" for reason, count in reasons.most_common())]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Survey and write the three files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("portraits", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take every n-th picture of a folder")
    parser.add_argument("--sweep", action="store_true", help="within each pack's own measured safe range")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    paths = [
        path
        for given in args.portraits
        for path in (images_in(given)[:: args.every] if given.is_dir() else [given])
    ]
    rows, strips = [], []
    for path in paths:
        row, strip = survey(path, with_sweep=args.sweep)
        print(row, flush=True)
        rows.append(row)
        strips += [] if strip is None else [strip]
    text = _markdown(rows)
    (args.out / "survey.md").write_text(text, encoding="utf-8")
    (args.out / "survey.json").write_text(
        json.dumps([asdict(row) for row in rows], indent=1), encoding="utf-8"
    )
    cv2.imwrite(str(args.out / "sheet.png"), np.vstack(strips)[..., ::-1])
    print(text)


if __name__ == "__main__":
    main()
