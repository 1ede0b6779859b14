r"""One page that sets portraits, drivers and puppets side by side, at the moments that are hard, enlarged.

    python tools/picture_page.py --portraits FILE_OR_FOLDER ... --drivers VIDEO ... --out FOLDER \
        [--against CHECKOUT] [--peer FOLDER] [--seconds 6] [--count 4]

Each portrait performs one driver after another (`--all`), or each its own in turn, rendered by this checkout
as `facepuppet render --canvas portrait` does, and by another one with `--against`. A peer's folder holds a
portrait (one picture), `driver.mp4` and the peer's video of them (any other .mp4, whose name is shown); that
pair is looked at, too. Shown are rest, the widest and the broadest mouth, the most shut eyes, and the
farthest turns and gazes of the driver: whole, and mouth, eyes, rim of hair and shoulders 520 px wide, each to
the same scale of the face. Writes page.html, which holds all it shows, and a PNG sheet for each pair and each
part.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from side_by_side.columns import Column, performed, portrait_column, shortened, video_column
from side_by_side.moments import moments_of
from side_by_side.pages import Look, look_at, page_of, sheets_of

from facepuppet.core import FacepuppetError
from facepuppet.media import IMAGE_SUFFIXES, images_in

OWN = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Pair:
    """A portrait, a driver, and a peer's video of them where there is one."""

    portrait: Path
    driver: Path
    peer: Path | None = None

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.portrait.stem} × {self.driver.stem}"


def pairs_of(portraits: Sequence[Path], drivers: Sequence[Path], every: bool) -> Iterator[Pair]:
    """Every portrait with every driver, or each with the next one."""
    for n, portrait in enumerate(portraits):
        for driver in drivers if every else drivers[n % len(drivers) :][:1]:
            yield Pair(portrait, driver)


def peer_pair(folder: Path) -> Pair:
    """The pair in a peer's folder.

    Raises:
        FacepuppetError: the folder does not hold one.
    """
    pictures = [path for path in sorted(folder.glob("*")) if path.suffix.lower() in IMAGE_SUFFIXES]
    driver = folder / "driver.mp4"
    videos = [path for path in sorted(folder.glob("*.mp4")) if path != driver]
    if not (pictures and videos and driver.exists()):
        raise FacepuppetError(f"{folder}", "a picture, driver.mp4 and a video made of them", "Name another.")
    return Pair(pictures[0], driver, videos[0])


def look(pair: Pair, builds: dict[str, Path], seconds: float) -> Look | None:
    """Render, track and cut; None where no face is found."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        whole = pair.driver if pair.peer else shortened(pair.driver, seconds, folder)
        driver, portrait = video_column("driver", whole), portrait_column(pair.portrait)
        most = len(driver.pictures)
        outputs: list[Column] = []
        for number, (name, checkout) in enumerate(builds.items()):
            made = performed(checkout, pair.portrait.resolve(), whole.resolve(), folder / f"{number}.mp4")
            outputs.append(video_column(name, made, most))
        if pair.peer:
            outputs.append(video_column(pair.peer.stem, pair.peer, most))
    if not all(column.has_face for column in (portrait, driver, *outputs)):
        print(f"{pair.title}: no face in one of them", file=sys.stderr)
        return None
    return look_at(pair.title, portrait, driver, outputs, moments_of(driver.landmarks_px))


def write(looks: Sequence[Look], out: Path) -> None:
    """Write the page and the sheets."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "page.html").write_text(page_of("Portraits, drivers, puppets", looks), encoding="utf-8")
    for one in looks:
        for part, sheet in sheets_of(one).items():
            name = f"{one.title} {part}".replace(" × ", "-").replace(" ", "-")
            cv2.imwrite(str(out / f"{name}.png"), sheet[..., ::-1])


def _portraits(given: Sequence[Path], count: int) -> list[Path]:
    """The pictures named, and of folders as many as asked for, evenly spread."""
    named = [path for path in given if not path.is_dir()]
    found = [path for folder in given if folder.is_dir() for path in images_in(folder)]
    spread = np.unique(np.linspace(0, len(found) - 1, min(count, len(found))).astype(int)) if found else []
    return [*named, *(found[i] for i in spread)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--portraits", nargs="*", type=Path, default=[])
    parser.add_argument("--drivers", nargs="*", type=Path, default=[])
    parser.add_argument("--all", action="store_true", help="every portrait with every driver")
    parser.add_argument("--count", type=int, default=4, help="of portraits taken from folders")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each driver")
    parser.add_argument("--against", type=Path, help="checkout of another build")
    parser.add_argument("--peer", type=Path, help="folder with a peer's video")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def main() -> int:
    """Make the page; the exit status is 1 when there is nothing on it."""
    args = _arguments()
    builds = {"this build": OWN, **({args.against.name: args.against} if args.against else {})}
    looks = []
    try:
        pairs = list(pairs_of(_portraits(args.portraits, args.count), args.drivers, args.all))
        pairs += [peer_pair(args.peer)] if args.peer else []
    except FacepuppetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for pair in pairs:
        try:
            found = look(pair, builds, args.seconds)
        except FacepuppetError as error:
            print(f"{pair.title}: {error}", file=sys.stderr)
            continue
        looks += [found] if found else []
        print(pair.title, flush=True)
    if looks:
        write(looks, args.out)
        print(args.out / "page.html")
    return 0 if looks else 1


if __name__ == "__main__":
    sys.exit(main())
