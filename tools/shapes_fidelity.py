"""How much of a clip's motion survives being told as 52 shapes, head and eyes.

    python tools/shapes_fidelity.py CLIP_OR_FOLDER ... [--people engines/people.toml] [--frames 300]

One puppet follows the driver of the clip, another the same driver by way of what trackers send
(`facepuppet.wires`); the landmarks of both, where the renderer would put them, are measured anew. Printed is
the correlation of each channel, per clip, then of all clips pooled about their own means: a channel that
hardly moves in a clip is the tracker's noise there, and pooled it counts for little. Irises count where both
puppets' eyes are open: under a lid they do not show. Exit status 1 where the pooled mean is under LEAST_MEAN.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from reenactment import motion_series, takes

from facepuppet.core import F64, Expression
from facepuppet.drivers import Driver, open_driver
from facepuppet.portrait import Avatar, load_avatar, sample_portrait_path
from facepuppet.retarget import Retargeter
from facepuppet.wires import WireFace, face_of_wire, sample_of_expression

LEAST_MEAN = 0.97
CHANNELS = motion_series.CHANNELS
HEAD = f"{'':14}{'mean':>7}" + "".join(f"{channel:>12}" for channel in CHANNELS)
_GAZE = ("gaze_x", "gaze_y")
_AHEAD = WireFace(np.zeros(52, np.float32), np.zeros(3, np.float32), None, np.zeros(3, np.float32))

Series = Mapping[str, F64]


def by_shapes(expression: Expression) -> Expression:
    """Return an expression as it arrives after having been told as shapes."""
    face = sample_of_expression(expression).face
    told = None if face is None else face_of_wire(face, _AHEAD)
    return Expression(told, None, expression.frame_id, expression.captured_ns)


def followed(avatar: Avatar, expressions: Iterable[Expression]) -> Series:
    """Series of every channel of a puppet that follows; NaN where nobody is seen."""
    retargeter, landmarks = Retargeter(avatar), []
    for expression in expressions:
        points = retargeter.update(expression).landmarks_px
        landmarks.append(points if expression.face is not None else np.full_like(points, np.nan))
    return motion_series.channels_of(np.stack(landmarks))


def both(
    avatar: Avatar,
    expressions: Sequence[Expression],
    told: Callable[[Expression], Expression] = by_shapes,
) -> tuple[Series, Series]:
    """Series of two puppets: one that follows the driver, and one that follows what is told of it."""
    direct, remote = followed(avatar, expressions), followed(avatar, map(told, expressions))
    open_ = motion_series.both_open(direct, remote)
    seen = {name: np.where(open_, direct[name], np.nan) for name in _GAZE}
    return {**direct, **seen}, dict(remote)


def correlations(direct: Series, remote: Series) -> dict[str, float]:
    """Correlation of every channel."""
    return {name: motion_series.correlation(direct[name], remote[name]) for name in CHANNELS}


def gains(direct: Series, remote: Series) -> dict[str, float]:
    """How much of each channel's motion comes out: 1 is all of it."""
    return {name: motion_series.gain(direct[name], remote[name]) for name in CHANNELS}


def pooled(series: Sequence[Series]) -> Series:
    """All clips one after the other, each about its own means."""
    return {name: np.concatenate([motion_series.centred(one[name]) for one in series]) for name in CHANNELS}


def mean(figures: Mapping[str, float]) -> float:
    """Mean of the channels that move."""
    return float(np.nanmean(list(figures.values())))


def read_all(driver: Driver, frames: int) -> list[Expression]:
    """The first expressions of a driver; closes it."""
    with driver:
        return list(islice(_expressions(driver), frames))


def _expressions(driver: Driver) -> Iterator[Expression]:
    while (expression := driver.read()) is not None:
        yield expression


def row(name: str, figures: Mapping[str, float]) -> str:
    """One line under HEAD."""
    cells = [f"{figures[channel]:12.3f}" for channel in CHANNELS]
    return f"{name:14}{mean(figures):7.3f}" + "".join(cells)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; 1 where it falls short."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="+", type=Path, help="clips, or folders of them")
    parser.add_argument("--people", type=Path, help="table: only people set aside for validation")
    parser.add_argument("--frames", type=int, default=300, help="of each clip")
    parser.add_argument("--avatar", type=Path, help="portrait; the sample one if none")
    options = parser.parse_args(argv)
    avatar = load_avatar(options.avatar or sample_portrait_path(), cache=False)
    print(HEAD)
    pairs = []
    for path in takes.find_clips(options.clips, options.people):
        pairs.append(both(avatar, read_all(open_driver(path), options.frames)))
        print(row(path.stem, correlations(*pairs[-1])), flush=True)
    direct, remote = (pooled(one) for one in zip(*pairs, strict=True))
    figures = correlations(direct, remote)
    print(row("pooled", figures), row("gain", gains(direct, remote)), sep="\n")
    return int(not mean(figures) >= LEAST_MEAN)


if __name__ == "__main__":
    sys.exit(main())
