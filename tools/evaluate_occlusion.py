"""What a puppet does while something is before its driver's face.

    python tools/evaluate_occlusion.py [--clips DIR] [--json]

Each clip of people is played as it is, and again with things laid over it (`occluders`): a hand, a mug, a
microphone, a lock of hair, a sheet of paper, which come, stay and go. What is tracked without them is the
truth. Without clips the sample portrait plays a driver. Told are

    false alarms   share of a clip's frames in which a part is taken for hidden, as it is
    turned         the same, of frames with the head turned by more than 25 degrees
    glare          the same, with light that wanders over spectacles
    delay          frames from 30 % of the mouth covered until it is told
    told           share of the frames with more than 45 % of it covered in which it is told
    opening, width of the inner lips: mean error over frames with more than 30 % covered, in inter-ocular
                   distances: as tracked, as the puppet shows it, and of the best mouth that does not move
    turn, lids     how far head and lids are from the truth meanwhile, as tracked and as shown
    still          the same, of visits during which the true mouth hardly moves, as people's behind a cup
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from occluded_clips import Film, Seen, glare_over, laid_over, read_clip, rendered_driver, track_all, visit_of
from occluders import OCCLUDERS

from facepuppet.core import NO_PARTS, Part
from facepuppet.drivers import Rest, TrackingSmoother
from facepuppet.retarget import Deltas, HiddenParts, deltas_of

F64 = npt.NDArray[np.float64]
NEAR_STILL = 0.02  # mean distance of the true opening from its median
TURNED_RAD = np.radians(25.0)
_LIPS = ((13, 14), (78, 308))


@dataclass(frozen=True, slots=True)
class Visited:
    """One thing before one face; see the module. Errors: opening and width; as tracked, shown, at best."""

    clip: str
    thing: str
    delay: int | None
    told: float
    opening: tuple[float, float, float]
    width: tuple[float, float, float]
    turn_rad: tuple[float, float]
    lids: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Alarms:
    """Frames of a clip, and of those in how many a part is taken for hidden."""

    clip: str
    frames: int
    plain: dict[str, int]
    turned_frames: int
    turned: int
    glare: dict[str, int]


def shown(seen: Sequence[Seen], rest: Rest, *, guarded: bool) -> list[Deltas | None]:
    """Return what a puppet is given, frame by frame; with hidden parts held, or as tracked."""
    smoother, parts, given = TrackingSmoother(), HiddenParts(), []
    for one in seen:
        tracking = one.tracking if guarded else one.unguarded
        expression = rest.express(smoother.smooth(tracking))
        if expression.face is None:
            given.append(None)
            continue
        hidden = expression.hidden if guarded else NO_PARTS
        given.append(parts.update(deltas_of(expression.face, None), hidden, expression.captured_ns))
    return given


def mouth_of(deltas: Deltas) -> F64:
    """(2,) opening and width of the inner lips, from rest."""
    (upper, lower), (left, right) = (deltas.offsets[list(pair)] for pair in _LIPS)
    return np.array([lower[1] - upper[1], right[0] - left[0]], np.float64)


def visited(film: Film, thing: str, seed: int, rest: Callable[[], Rest]) -> Visited | None:
    """Lay a thing over a part of a film and measure; None where it does not get before the mouth."""
    visit, begin, end = visit_of(film, thing, seed)
    over = laid_over(film, thing, visit, begin, end, seed)
    found, truth = track_all(over.pictures, film.fps), film.seen[begin:end]
    runs = [shown(truth, rest(), guarded=False), *(shown(found, rest(), guarded=g) for g in (False, True))]
    both = [all(run[i] is not None for run in runs) for i in range(len(found))]
    where = np.flatnonzero((over.cover > 0.3) & both)
    if len(where) < 3:
        return None
    true, raw, held = ([run[i] for i in where] for run in runs)
    mouths = [np.array([mouth_of(d) for d in run if d is not None]) for run in (true, raw, held)]
    still = np.median(mouths[0], axis=0)
    errors = [np.abs(mouth - mouths[0]).mean(axis=0) for mouth in (mouths[1], mouths[2], still)]
    told = np.array([Part.MOUTH in one.tracking.hidden for one in found])
    first = np.flatnonzero(told & (np.arange(len(told)) >= np.flatnonzero(over.cover > 0)[0]))
    much = over.cover > 0.45
    return Visited(
        film.name,
        thing,
        int(first[0] - np.flatnonzero(over.cover > 0.3)[0]) if len(first) else None,
        float(told[much].mean()) if much.any() else 1.0,
        tuple(float(error[0]) for error in errors),  # type: ignore[arg-type]
        tuple(float(error[1]) for error in errors),  # type: ignore[arg-type]
        _apart(true, (raw, held), lambda d: d.turn),
        _apart(true, (raw, held), lambda d: d.eye_opening),
    )


def _apart(
    true: Sequence[Deltas | None],
    runs: tuple[Sequence[Deltas | None], ...],
    of: Callable[[Deltas], npt.NDArray[np.float32]],
) -> tuple[float, float]:
    """Mean distance of something from the truth, in two runs."""
    raw, held = (
        float(np.mean([np.linalg.norm(of(a) - of(b)) for a, b in zip(true, run, strict=True) if a and b]))
        for run in runs
    )
    return raw, held


def alarms(film: Film) -> Alarms:
    """Count in how many frames of a film a part is taken for hidden that is not."""
    turned = [one for one in film.seen if one.yaw_rad is not None and abs(one.yaw_rad) > TURNED_RAD]
    glare = track_all(glare_over(film), film.fps)
    return Alarms(
        film.name,
        len(film.seen),
        _count(film.seen),
        len(turned),
        sum(bool(one.tracking.hidden) for one in turned),
        _count(glare),
    )


def _count(seen: Sequence[Seen]) -> dict[str, int]:
    return {part.value: sum(part in one.tracking.hidden for one in seen) for part in Part}


def evaluate(films: Sequence[Film], visits: int) -> tuple[list[Alarms], list[Visited]]:
    """Measure all films; the things come `visits` times in each."""
    counted, measured = [], []
    for film in films:
        rest = partial(Rest.at_the_calmest, [one.tracking for one in film.seen])
        counted.append(alarms(film))
        for seed in range(visits):
            for thing in OCCLUDERS:
                one = visited(film, thing, seed, rest)
                if one is not None:
                    measured.append(one)
    return counted, measured


def tell(counted: Sequence[Alarms], measured: Sequence[Visited]) -> None:
    """Print tables."""
    frames = sum(one.frames for one in counted)
    for kind in ("plain", "glare"):
        shares = {p.value: sum(getattr(one, kind)[p.value] for one in counted) / frames for p in Part}
        print(f"{kind}: " + ", ".join(f"{part} {share:.2%}" for part, share in shares.items()))
    n_turned = sum(one.turned_frames for one in counted)
    print(f"turned by more than 25°: {sum(one.turned for one in counted)} of {n_turned} frames\n")
    print("thing       visits  missed  delay (median, p90)  told    opening              width")
    rows = {thing: [one for one in measured if one.thing == thing] for thing in OCCLUDERS}
    rows |= {"all": list(measured), "still": [one for one in measured if one.opening[2] < NEAR_STILL]}
    for name, group in rows.items():
        if group:
            _tell_row(name, group)


def _tell_row(name: str, group: Sequence[Visited]) -> None:
    delays = [one.delay for one in group if one.delay is not None]
    opening, width = (np.mean([getattr(one, what) for one in group], axis=0) for what in ("opening", "width"))
    late = f"{np.median(delays):.0f}, {np.percentile(delays, 90):.0f}" if delays else "-"
    print(
        f"{name:11s} {len(group):6d} {len(group) - len(delays):7d}  {late:19s}"
        f"  {np.mean([one.told for one in group]):.3f}   "
        + "   ".join(" ".join(f"{error:.3f}" for error in errors) for errors in (opening, width))
        + "   turn {:.3f} {:.3f} rad".format(*np.mean([one.turn_rad for one in group], axis=0))
        + "   lids {:.3f} {:.3f}".format(*np.mean([one.lids for one in group], axis=0))
    )


def main() -> None:
    """Evaluate, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clips", type=Path, default=Path("../shared/clips"))
    parser.add_argument("--only", nargs="*", help="file stems of clips")
    parser.add_argument("--visits", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    paths = sorted(options.clips.glob("*.mp4")) if options.clips.is_dir() else []
    paths = [path for path in paths if not options.only or path.stem in options.only]
    films = (read_clip(path) for path in paths) if paths else iter([rendered_driver()])
    counted, measured = [], []
    for film in films:  # one at a time: a film's pictures fill memory
        some = evaluate([film], options.visits)
        counted += some[0]
        measured += some[1]
    if options.json:
        print(json.dumps({"alarms": [asdict(a) for a in counted], "visits": [asdict(v) for v in measured]}))
    else:
        tell(counted, measured)


if __name__ == "__main__":
    main()
