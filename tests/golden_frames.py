"""Moments of the built-in piece, as small pictures; run this file to renew the references.

    python tests/golden_frames.py

Look at the new pictures before you commit them.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from avatars import hopper

from facepuppet.core.types import U8
from facepuppet.drivers.scripted import Performance
from facepuppet.frames.cpu.compose import Composer, Corner
from facepuppet.frames.cpu.render import Renderer
from facepuppet.frames.cpu.render.cutout import Surroundings
from facepuppet.retarget import Retargeter

FOLDER = Path(__file__).parent / "golden"
MOMENTS_S = {
    "rest": 0.0,
    "turn": 1.5,
    "nod": 3.85,
    "glance": 5.4,
    "blink": 3.45,
    "speech": 8.25,
    "smile": 9.75,
}
HEIGHT_PX = 150


def frames() -> dict[str, U8]:
    """Render every moment, (150, 128, 3) RGB."""
    avatar = hopper()
    renderer, composer = Renderer(avatar), Composer(avatar, None, label=Corner.OFF)
    renderer.stand_before(Surroundings(own=True))
    retargeter, piece = Retargeter(avatar), Performance()
    names = {round(t * 30): name for name, t in MOMENTS_S.items()}
    out = {}
    for i in range(max(names) + 1):
        motion = retargeter.update(piece.expression(i / 30, i))
        if i in names:
            picture = composer.compose(renderer.render(motion)).rgb
            width = round(picture.shape[1] * HEIGHT_PX / picture.shape[0])
            small = cv2.resize(picture, (width, HEIGHT_PX), interpolation=cv2.INTER_AREA)
            out[names[i]] = np.asarray(small)
    return out


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, picture in frames().items():
        cv2.imwrite(str(FOLDER / f"{name}.png"), picture[..., ::-1])
        print(FOLDER / f"{name}.png")
