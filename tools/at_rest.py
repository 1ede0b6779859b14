"""How far a puppet at rest is from its picture: the picture's own still drives it, through the whole path.

    python tools/at_rest.py [PICTURE_OR_FOLDER ...] [--count 12] [--seconds 3] [--json FILE] [--sheet FOLDER]

Every portrait (the built-in sample where none is given; of folders, `--count` pictures, evenly spread) is
both driver and puppet: tracked, smoothed, measured against rest, retargeted, rendered and composed as with
`--canvas portrait`, without label and mark. A driver who does what the portrait does asks for nothing, so the
first frame and the last must be the picture. Told are the mean difference in levels and the 99.9th percentile
of the means of 5x5 pixels, which finds what is plainly seen: a stray patch, a moved edge. With `--still` the
driver path is left out, and what the render alone does remains. Exit 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from facepuppet.core import U8, FacepuppetError, Motion
from facepuppet.drivers import CameraDriver
from facepuppet.frames import Composer, Corner, CpuMaker
from facepuppet.media import images_in, load_picture
from facepuppet.portrait import Avatar, load_avatar, sample_portrait_path
from facepuppet.retarget import Deltas, Retargeter, Target
from facepuppet.session import Puppet
from facepuppet.testing import ListSource

MOST_MEAN, MOST_PATCH = 1.5, 12.0  # levels
PATCH = 5  # pixels across
PERCENTILE = 99.9
FPS = 30.0


@dataclass(frozen=True, slots=True)
class Difference:
    """Levels by which a picture differs from another: on average, and the 99.9th percentile of patches."""

    mean: float
    patch: float

    @classmethod
    def between(cls, shown: U8, wanted: U8) -> Difference:
        """Compare two (H, W, 3) pictures."""
        apart = np.abs(shown.astype(np.float32) - wanted).mean(axis=2)
        patches = cv2.blur(apart, (PATCH, PATCH))
        return cls(float(apart.mean()), float(np.percentile(patches, PERCENTILE)))

    @property
    def is_rest(self) -> bool:
        """Whether nobody would see it."""
        return self.mean <= MOST_MEAN and self.patch <= MOST_PATCH


@dataclass(frozen=True, slots=True)
class AtRest:
    """What became of one portrait.

    Attributes:
        first, last: differences of the first frame and the last.
        moved_px: how far the landmarks are from their places in the last, the farthest of them.
        torso_px: how far the shoulders are there.
    """

    first: Difference
    last: Difference
    moved_px: float
    torso_px: float

    @property
    def is_met(self) -> bool:
        """Whether the bar holds in both frames."""
        return self.first.is_rest and self.last.is_rest


def own_motions(avatar: Avatar, picture: U8, n_frames: int) -> Iterator[Motion]:
    """What an avatar is asked to do by so many frames of a still (H, W, 3)."""
    retargeter = Retargeter(avatar)
    source = ListSource([picture] * n_frames, FPS, live=False)
    with closing(CameraDriver(source)) as driver:
        while (expression := driver.read()) is not None:
            yield retargeter.update(expression)


class Frames:
    """Makes a portrait's outgoing frames, in its own geometry, without label and mark."""

    def __init__(self, avatar: Avatar) -> None:
        maker = Puppet(avatar, Composer(avatar, None, label=Corner.OFF), engine="cpu").maker
        assert isinstance(maker, CpuMaker)
        self._renderer, self.composer = maker.renderer, maker.finisher.composer
        self.avatar = self.composer.avatar

    def of(self, motion: Motion) -> U8:
        """Return the (H, W, 3) frame of a motion."""
        return self.composer.compose(self._renderer.render(motion)).rgb

    def wanted(self, picture: U8) -> U8:
        """Return a portrait's picture as it should be shown at rest."""
        width, height = self.composer.canvas_px
        wide = picture.shape[1] / picture.shape[0]
        if abs(math.log(wide / (width / height))) > 2.0 / min(width, height):
            return self.avatar.portrait_rgb  # the frame shows a part of the picture
        if picture.shape[:2] == (height, width):
            return picture
        return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def measure(avatar: Avatar, picture: U8, n_frames: int, *, still: bool = False) -> tuple[AtRest, list[U8]]:
    """Return how one portrait rests, with the picture wanted and the first and the last frame.

    Args:
        avatar: of the picture.
        picture: (H, W, 3) as it lies in its file.
        n_frames: how long the driver sees it.
        still: leave the driver out.
    """
    frames = Frames(avatar)
    motions = [Target(frames.avatar).motion(Deltas.rest())] * 2 if still else []
    motions = motions or list(own_motions(frames.avatar, picture, n_frames))
    wanted = frames.wanted(picture)
    first, last = frames.of(motions[0]), frames.of(motions[-1])
    moved = np.linalg.norm((motions[-1].landmarks_px - frames.avatar.landmarks_px)[:, :2], axis=1)
    found = AtRest(
        Difference.between(first, wanted),
        Difference.between(last, wanted),
        float(moved.max()),
        float(np.linalg.norm(motions[-1].torso.shift_px)),
    )
    return found, [wanted, first, last]


def side_by_side(pictures: list[U8]) -> U8:
    """Lay picture, first and last frame beside each other, and eight times their difference."""
    wanted, _, last = pictures
    apart = np.abs(last.astype(np.int16) - wanted).clip(0, 31).astype(np.uint8) * 8
    return np.hstack([*pictures, apart])


def _chosen(given: list[Path], count: int) -> list[Path]:
    """The pictures named, and of folders as many as asked for, evenly spread."""
    named = [path for path in given if not path.is_dir()] or ([] if given else [sample_portrait_path()])
    found = [path for folder in given if folder.is_dir() for path in images_in(folder)]
    wanted = max(count - len(named), 0)
    spread = np.unique(np.linspace(0, len(found) - 1, min(wanted, len(found))).astype(int)) if found else []
    return [*named, *(found[i] for i in spread)]


def _line(name: str, found: AtRest) -> str:
    first, last = found.first, found.last
    return (
        f"{'ok  ' if found.is_met else 'MISS'} first {first.mean:5.2f} {first.patch:6.1f}   "
        f"last {last.mean:5.2f} {last.patch:6.1f}   landmarks {found.moved_px:5.2f} px  "
        f"shoulders {found.torso_px:5.2f} px  {name}"
    )


def main() -> int:
    """Measure every portrait, and tell each and all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("portraits", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=12, help="of pictures in all")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--still", action="store_true", help="without the driver path")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path, help="folder for pictures to look at")
    args = parser.parse_args()
    table: dict[str, AtRest] = {}
    for path in _chosen(args.portraits, args.count):
        try:
            avatar, n_frames = load_avatar(path), max(2, round(args.seconds * FPS))
            found, pictures = measure(avatar, load_picture(path), n_frames, still=args.still)
        except FacepuppetError as error:
            print(f"{path.name}: {error}")
            continue
        table[path.name] = found
        print(_line(path.name, found), flush=True)
        if args.sheet:
            args.sheet.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(args.sheet / f"{path.stem}.png"), side_by_side(pictures)[..., ::-1])
    n_met = sum(found.is_met for found in table.values())
    print(f"{n_met} of {len(table)} portraits rest as their picture")
    if args.json:
        args.json.write_text(json.dumps({name: asdict(found) for name, found in table.items()}, indent=1))
    return 0 if n_met == len(table) else 1


if __name__ == "__main__":
    sys.exit(main())
