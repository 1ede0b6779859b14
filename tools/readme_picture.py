"""Make the README's picture: the built-in portraits, and what they do in the built-in piece, as in a call.

    python tools/readme_picture.py [--out tools/readme/demo.jpg]

Only public-domain material is shown (the US Navy's photo of Grace Hopper, NASA's of Eileen Collins).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from facepuppet.core import U8
from facepuppet.drivers import Performance
from facepuppet.media import load_picture
from facepuppet.portrait import load_avatar, sample_portrait_paths
from facepuppet.session import Puppet, draw_expression

MOMENTS_S = (1.5, 2.8, 5.4, 8.25, 9.75)
CELL_PX = (360, 340)  # width, height
DRIVER_PX = 245  # height of the row with the driver
FPS = 30


def main() -> None:
    """Play the piece and keep the moments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "readme" / "demo.jpg")
    args = parser.parse_args()
    piece, wanted = Performance(), [round(t * FPS) for t in MOMENTS_S]
    drivers = [draw_expression(piece.expression(i / FPS, i), CELL_PX[0])[:DRIVER_PX] for i in wanted]
    rows = [[np.full((DRIVER_PX, CELL_PX[0], 3), 24, np.uint8), *drivers]]
    for path in sample_portrait_paths():
        puppet = Puppet(load_avatar(path))
        shown = [puppet.show(piece.expression(i / FPS, i)) for i in range(max(wanted) + 1)]
        rows.append([_middle(load_picture(path)), *(_middle(shown[i].rgb) for i in wanted)])
    sheet = np.vstack([np.hstack(row) for row in rows])
    args.out.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(args.out), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    print(f"{args.out}: {sheet.shape[1]}x{sheet.shape[0]}")


def _middle(rgb: U8) -> U8:
    """Scale to the cell's height and cut its width out of the middle."""
    width = round(rgb.shape[1] * CELL_PX[1] / rgb.shape[0])
    scaled = cv2.resize(rgb, (width, CELL_PX[1]), interpolation=cv2.INTER_AREA)
    pad = max(0, CELL_PX[0] - width)
    scaled = cv2.copyMakeBorder(
        scaled, 0, 0, pad // 2, pad - pad // 2, cv2.BORDER_CONSTANT, value=(24, 24, 24)
    )
    left = (scaled.shape[1] - CELL_PX[0]) // 2
    return np.asarray(scaled[:, left : left + CELL_PX[0]])


if __name__ == "__main__":
    main()
