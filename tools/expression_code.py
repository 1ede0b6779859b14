"""What the expression code does: figures, plots before and after, and a sheet of one portrait.

    python tools/expression_code.py --out DIR [--portrait FILE] [--take TAKE.npz ...] [--heads FILE.npz]

sheet.png     one portrait with each direction at .5 and 1, and intensity on a half smile
plots.png     of each direction, the shapes of a piece before and after the slider goes to 1

Printed: how far takes (`engines.voice.take`) come back from their codes; what each direction moves, wanted or
not; what a frame costs on this machine; and, with ICT-FaceKit's heads, how often a classifier that was taught
emotions on made people names the direction that one slider alone was moved along, on people it never saw.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from expression_sheet import draw_plots, draw_sheet, settled
from ict_emotions import named_right
from threadpoolctl import threadpool_limits

from engines.voice.take import load_take
from facepuppet.character import CODED, DIRECTIONS, SCRIPTS, CodeStage, ExpressionCode
from facepuppet.core import Blendshapes, Expression, LandmarkOffsets, describe_hardware
from facepuppet.drivers import Performance
from facepuppet.face import landmark_offsets
from facepuppet.portrait import sample_portrait_path

FPS = 30
_CODED = list(CODED)


def fidelity(takes: list[Path]) -> None:
    """Print how far takes come back from 16 numbers."""
    for path in takes:
        code, weights = ExpressionCode(), load_take(path).weights
        given = np.stack([code.feed(row).plain for row in weights])[:, _CODED]
        wanted = weights[:, _CODED]
        tremble = np.abs(np.diff(given, 2, axis=0)).mean() / np.abs(np.diff(wanted, 2, axis=0)).mean()
        print(f"{path.stem}: error {np.abs(given - wanted).mean():.4f}, tremble × {tremble:.2f}")


def reach() -> None:
    """Print what a slider at 1 moves on a face at rest, in its script and beside it."""
    rest = np.zeros(52, np.float32)
    for name in DIRECTIONS:
        shift = np.array([float(name == one) for one in DIRECTIONS], np.float32)
        code, script = ExpressionCode(), SCRIPTS[name]
        for _ in range(20):
            coded = code.feed(rest, shift)
        change, own = coded.moved - coded.plain, script > 0
        print(
            f"{name}: own shapes {change[own].mean():.2f} of {script[own].mean():.2f}, "
            f"others in the network at most {np.abs(change[~own]).max():.3f}, "
            f"as shown {np.abs((settled({name: 1.0}, rest) - rest)[~own]).max():.3f}"
        )


def cost(frames: int) -> None:
    """Print the time of a frame, for a driver that tells shapes and for a camera."""
    piece, stages = Performance(), (CodeStage(), CodeStage())
    times_ms = np.empty((2, frames))
    for stage in stages:
        stage.set("smile", 0.5)
    for i in range(frames):
        shapes = piece.expression(i / FPS % 12.0, i)
        for kind, expression in enumerate((_at(shapes, i), _at(_as_camera(shapes), i))):
            begun_s = time.thread_time()
            stages[kind].update(expression)
            times_ms[kind, i] = (time.thread_time() - begun_s) * 1e3
    for kind, name in enumerate(("driver of shapes", "camera")):
        median, p95 = np.percentile(times_ms[kind], [50, 95])
        print(f"{name}: median {median:.3f} ms, p95 {p95:.3f} ms of {frames} frames (at most 0.2)")


def _at(expression: Expression, i: int) -> Expression:
    return replace(expression, captured_ns=i * 1_000_000_000 // FPS)


def _as_camera(expression: Expression) -> Expression:
    face = expression.face
    assert face is not None
    shape = landmark_offsets(face.deformation)
    assert isinstance(face.deformation, Blendshapes) and isinstance(shape, LandmarkOffsets)
    return replace(expression, face=replace(face, deformation=shape))


def main() -> None:
    """Print, plot and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--portrait", type=Path, default=sample_portrait_path())
    parser.add_argument("--take", type=Path, nargs="*", default=[])
    parser.add_argument("--heads", type=Path)
    parser.add_argument("--frames", type=int, default=1500)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    machine = describe_hardware()
    print(f"{machine.cpu}, {machine.cores} cores, load {os.getloadavg()[0]:.1f} before")
    with threadpool_limits(1):
        cost(options.frames)
        reach()
        fidelity(options.take)
        if options.heads is not None:
            right, table = named_right(options.heads)
            print(f"a classifier of made people names {right:.1%} of single directions\n{table}")
        draw_sheet(options.portrait, options.out / "sheet.png")
        draw_plots(options.out / "plots.png")


if __name__ == "__main__":
    main()
