"""Make the README's picture: the built-in portrait, and what it does in the built-in piece.

    python tools/readme_picture.py [--out tools/readme/demo.jpg]

Only public-domain material is shown (US Navy photo of Grace Hopper).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from facepuppet.core import U8
from facepuppet.drivers import Performance
from facepuppet.portrait import load_avatar, sample_portrait_path
from facepuppet.session import Puppet, draw_expression

MOMENTS_S = (1.5, 2.8, 5.4, 8.5, 9.75)
CELL_PX = (380, 420)  # width, height
FPS = 30


def main() -> None:
    """Play the piece and keep the moments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "readme" / "demo.jpg")
    args = parser.parse_args()
    avatar = load_avatar(sample_portrait_path())
    puppet, piece = Puppet(avatar), Performance()
    wanted = [round(t * FPS) for t in MOMENTS_S]
    cells = [
        np.vstack([np.full((CELL_PX[1] // 2, CELL_PX[0], 3), 24, np.uint8), _middle(avatar.portrait_rgb)])
    ]
    for i in range(max(wanted) + 1):
        expression = piece.expression(i / FPS, i)
        picture = puppet.show(expression)
        if i in wanted:
            driver = draw_expression(expression, CELL_PX[0])
            cells.append(np.vstack([driver[: CELL_PX[1] // 2], _middle(picture.rgb)]))
    sheet = np.hstack(cells)
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
