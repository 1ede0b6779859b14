"""Contact sheet: portraits down, moments of the scripted performance across.

    python tools/portrait_sheet.py PORTRAIT [PORTRAIT ...] --out sheet.png [--height 260] [--maker NAME ...]

The first column is the portrait itself. For looking at after every change to the picture; with
`--maker builtin --maker liveportrait` each portrait has a row of either, one above the other.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import product
from pathlib import Path

import cv2
import numpy as np

from facepuppet.core import U8, FacepuppetError
from facepuppet.drivers import Performance
from facepuppet.frames import MAKERS, Composer, Corner
from facepuppet.portrait import load_avatar
from facepuppet.session import Puppet

MOMENTS = {
    "turn": 1.5,
    "turn back": 2.8,
    "nod": 3.85,
    "side glance": 5.4,
    "look down": 6.75,
    "blink": 0.45,
    "speech": 7.6,
    "open": 8.25,
    "smile": 9.6,
    "sway": 11.3,
}


def row(path: Path, height: int, maker: str = "builtin") -> U8:
    """Show one portrait at every moment."""
    avatar = load_avatar(path)
    puppet = Puppet(avatar, Composer(avatar, None, label=Corner.OFF), maker=maker)
    piece = Performance()
    puppet.show(piece.expression(0.0, 0))
    cells = [_fit(avatar.portrait_rgb, height)]
    for index, moment in enumerate(MOMENTS.values()):
        # A second later each, so that the presence machine has long arrived.
        expression = replace(piece.expression(moment, index), captured_ns=(index + 1) * 1_000_000_000)
        cells.append(_fit(puppet.show(expression).rgb, height))
    return np.hstack(cells)


def _fit(rgb: U8, height: int) -> U8:
    width = round(rgb.shape[1] * height / rgb.shape[0])
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)


def main() -> None:
    """Parse arguments and write the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("portraits", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--height", type=int, default=260)
    parser.add_argument("--maker", action="append", choices=MAKERS, help="repeatable; builtin if left out")
    args = parser.parse_args()
    rows = []
    for path, maker in product(args.portraits, args.maker or ["builtin"]):
        try:
            rows.append(row(path, args.height, maker))
        except FacepuppetError as error:
            print(f"{path.name}: {error}")
    width = max(r.shape[1] for r in rows)
    sheet = np.vstack([np.pad(r, ((0, 4), (0, width - r.shape[1]), (0, 0))) for r in rows])
    cv2.imwrite(str(args.out), sheet[..., ::-1])
    print(f"{args.out}: {len(rows)} rows; columns: portrait, {', '.join(MOMENTS)}")


if __name__ == "__main__":
    main()
