"""Pictures of what the sliders of the expression code do: a contact sheet, and curves before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from facepuppet.character import DIRECTIONS, INTENSITY, SCRIPTS, CodeStage, ExpressionCode
from facepuppet.core import F32, U8, Blendshapes, Expression, FacePose, HeadPose
from facepuppet.drivers import Performance
from facepuppet.face import ARKIT_INDEX, ARKIT_NAMES
from facepuppet.frames import Renderer
from facepuppet.portrait import load_avatar
from facepuppet.retarget import Retargeter

FPS = 30
_HEIGHT_PX = 320
_MARGIN = 0.15  # around the face, of its height
_WALL = 120.0  # grey behind it
_HALF_SMILE = {"mouthSmileLeft": 0.4, "mouthSmileRight": 0.4, "cheekSquintLeft": 0.2, "cheekSquintRight": 0.2}
_PLOT_PX = (900, 190)  # width and height of one direction's curves
_COLOURS = ((200, 60, 40), (40, 110, 200), (30, 150, 60), (170, 90, 190), (210, 150, 20), (80, 80, 80))


def face_of(weights: F32) -> FacePose:
    """Return a face before the camera, eyes open, straight ahead."""
    return FacePose(
        HeadPose(np.zeros(3, np.float32)),
        np.zeros((2, 2), np.float32),
        np.ones(2, np.float32),
        Blendshapes(weights),
    )


def shaped(sliders: Mapping[str, float], live: F32, seconds: float = 1.5) -> Expression:
    """Return what becomes of a face that is held, (52,), once sliders have come to rest."""
    stage, face = CodeStage(_code()), face_of(live)
    for name, amount in sliders.items():
        stage.set(name, amount)
    for i in range(round(seconds * FPS)):
        expression = stage.update(Expression(face, None, i, i * 1_000_000_000 // FPS))
    return expression


def settled(sliders: Mapping[str, float], live: F32) -> F32:
    """Return the weights (52,) of the same."""
    face = shaped(sliders, live).face
    assert face is not None and isinstance(face.deformation, Blendshapes)
    return face.deformation.weights


def draw_sheet(portrait: Path, out: Path) -> None:
    """Draw the portrait at rest and, of each slider, at .5 and 1; intensity on half a smile, also at −1."""
    avatar = load_avatar(portrait)
    renderer = Renderer(avatar)
    (left, top), (right, bottom) = avatar.landmarks_px[:, :2].min(0), avatar.landmarks_px[:, :2].max(0)
    margin = _MARGIN * (bottom - top)
    columns, rows_px = (
        slice(max(0, round(low - margin)), round(high + margin))
        for low, high in ((left, right), (top, bottom))
    )
    rest = np.zeros(len(ARKIT_NAMES), np.float32)
    smile = rest.copy()
    for shape, weight in _HALF_SMILE.items():
        smile[ARKIT_INDEX[shape]] = weight

    def cell(words: str, sliders: Mapping[str, float], live: F32) -> U8:
        retargeter = Retargeter(avatar)
        for i in range(2):  # the first is taken for the start
            expression = replace(shaped(sliders, live), captured_ns=i * 1_000_000_000)
            motion = retargeter.update(expression)
        face = renderer.render(motion).rgba[rows_px, columns].astype(np.float32)
        rgb = np.clip(face[..., :3] + _WALL * (1.0 - face[..., 3:] / 255.0), 0, 255).astype(np.uint8)
        width = _HEIGHT_PX * rgb.shape[1] // rgb.shape[0]
        rgb = cv2.resize(rgb, (width, _HEIGHT_PX), interpolation=cv2.INTER_AREA)
        cv2.putText(rgb, words, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 0), 1, cv2.LINE_AA)
        return rgb

    rows = [
        [cell("at rest", {}, rest)] + [cell(f"{name} {a:g}", {name: a}, rest) for a in (0.5, 1.0)]
        for name in DIRECTIONS
    ]
    rows.append(
        [cell(f"half a smile, intensity {a:g}", {INTENSITY: a} if a else {}, smile) for a in (-1.0, 0.0, 1.0)]
    )
    halves = [np.vstack([np.hstack(row) for row in part]) for part in (rows[:4], rows[4:])]
    _write(out, np.hstack(halves))


def draw_plots(out: Path) -> None:
    """Draw each direction's shapes through the built-in piece: thin as they come, thick as shaped."""
    piece, parts = Performance(), []
    frames = [piece.expression(i / FPS, i) for i in range(12 * FPS)]
    before = np.stack([_weights(one) for one in frames])
    for name in DIRECTIONS:
        stage = CodeStage(_code())
        after = []
        for i, expression in enumerate(frames):
            if i in (3 * FPS, 9 * FPS):
                stage.set(name, 1.0 if i == 3 * FPS else 0.0)
            after.append(_weights(stage.update(replace(expression, captured_ns=i * 1_000_000_000 // FPS))))
        parts.append(_curves(name, before, np.stack(after)))
    _write(out, np.vstack(parts))


@cache
def _code() -> ExpressionCode:
    """Load the network once; each stage begins it anew."""
    return ExpressionCode()


def _weights(expression: Expression) -> F32:
    assert expression.face is not None and isinstance(expression.face.deformation, Blendshapes)
    return expression.face.deformation.weights


def _curves(name: str, before: F32, after: F32) -> U8:
    width, height = _PLOT_PX
    picture = np.full((height, width, 3), 255, np.uint8)
    shapes = [i for i in np.flatnonzero(SCRIPTS[name]) if not ARKIT_NAMES[i].endswith("Right")]
    x = np.linspace(170, width - 10, len(before))
    cv2.putText(
        picture,
        f"{name}: 1 from 3 to 9 s",
        (8, 18),
        cv2.FONT_HERSHEY_SIMPLEX,
        0.42,
        (0, 0, 0),
        1,
        cv2.LINE_AA,
    )
    for row, shape in enumerate(shapes):
        colour = _COLOURS[row % len(_COLOURS)]
        at = (8, 42 + 20 * row)
        cv2.putText(picture, ARKIT_NAMES[shape], at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)
        for values, thickness in ((before, 1), (after, 2)):
            y = height - 12 - values[:, shape] * (height - 30)
            line = np.stack([x, y], axis=1).round().astype(np.int32)
            cv2.polylines(picture, [line], False, colour, thickness, cv2.LINE_AA)
    return picture


def _write(out: Path, rgb: U8) -> None:
    if not cv2.imwrite(str(out), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)):
        raise SystemExit(f"{out} cannot be written")
