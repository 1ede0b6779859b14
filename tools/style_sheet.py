"""Contact sheet: one portrait, one recording of a driver, a row for each style, moments across.

    python tools/style_sheet.py PORTRAIT --driver TAKE.npz --out sheet.png [--styles off,calm,me.toml]

Every row has seen every expression of the recording, in its time; the moments are those at which the driver
does most. Without --driver the built-in piece. Tells by how much the rows differ, as seen on the mesh.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from facepuppet.character import Character, load_style
from facepuppet.core import U8, Expression, FacepuppetError
from facepuppet.drivers import Driver, ScriptedDriver, open_driver
from facepuppet.face import landmark_offsets
from facepuppet.frames import Composer, Corner, Renderer
from facepuppet.portrait import Avatar, load_avatar
from facepuppet.retarget import Retargeter

_APART_S = 1.5  # moments from each other, so that a sheet is not eight pictures of one smile
_BAR_PX = 26


def performance(driver: Driver) -> list[Expression]:
    """Return all that a driver does."""
    expressions = []
    while (expression := driver.read()) is not None:
        expressions.append(expression)
    return expressions


def busiest(expressions: list[Expression], n: int) -> list[int]:
    """Return where most is done, in the order of time."""
    strengths = [_strength(expression) for expression in expressions]
    found: list[int] = []
    for at in np.argsort(strengths)[::-1].tolist():
        t_ns = expressions[at].captured_ns
        if all(abs(expressions[one].captured_ns - t_ns) > _APART_S * 1e9 for one in found):
            found.append(at)
        if len(found) == n:
            break
    return sorted(found)


def _strength(expression: Expression) -> float:
    face = expression.face
    if face is None:
        return 0.0
    shape = float(np.abs(landmark_offsets(face.deformation).offsets).mean())
    return shape / 0.02 + float(np.linalg.norm(face.head.turn)) / 0.3


def row(
    avatar: Avatar,
    renderer: Renderer,
    expressions: list[Expression],
    moments: list[int],
    word: str,
    height: int,
) -> tuple[U8, list[np.ndarray]]:
    """Return the pictures of one style at the moments, and the landmarks (478, 3) of each."""
    character, retargeter = Character(), Retargeter(avatar)
    composer = Composer(avatar, None, label=Corner.OFF)
    character.style = None if word == "off" else load_style(word)
    cells, places = [], []
    for at, expression in enumerate(expressions):
        motion = retargeter.update(character.update(expression))
        if at in moments:
            picture = composer.compose(renderer.render(motion)).rgb
            width = round(picture.shape[1] * height / picture.shape[0])
            cells.append(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
            places.append(motion.landmarks_px)
    return np.vstack([_bar(Path(word).stem, sum(cell.shape[1] for cell in cells)), np.hstack(cells)]), places


def _bar(text: str, width: int) -> U8:
    bar = np.full((_BAR_PX, width, 3), 32, np.uint8)
    cv2.putText(bar, text, (8, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (235, 235, 235), 1, cv2.LINE_AA)
    return bar


def main() -> None:
    """Parse arguments and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("portrait", type=Path)
    parser.add_argument("--driver", help="a recording or a video")
    parser.add_argument("--styles", default="off,deadpan,calm,theatrical", help="names and files, by commas")
    parser.add_argument("--moments", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30.0, help="of the performance, from its start")
    parser.add_argument("--height", type=int, default=220)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        avatar = load_avatar(arguments.portrait)
        with ScriptedDriver() if arguments.driver is None else open_driver(arguments.driver) as driver:
            expressions = performance(driver)
    except FacepuppetError as problem:
        parser.error(str(problem))
    expressions = [one for one in expressions if one.captured_ns <= arguments.seconds * 1e9]
    moments, renderer = busiest(expressions, arguments.moments), Renderer(avatar)
    rows, first = [], None
    for word in arguments.styles.split(","):
        picture, places = row(avatar, renderer, expressions, moments, word, arguments.height)
        rows.append(picture)
        first = first or places
        side = np.ptp(avatar.landmarks_px[:, 1])
        moved = [
            np.linalg.norm((a - b)[:, :2], axis=1).mean() / side for a, b in zip(places, first, strict=True)
        ]
        print(f"{word}: {100 * np.mean(moved):.2f} % of the face's height from the first row, in the mean")
    cv2.imwrite(str(arguments.out), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
