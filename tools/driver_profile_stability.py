"""How well a driver profile made from a short clip agrees with the one made from a whole recording.

    python tools/driver_profile_stability.py RECORDING... [--seconds 25] [--every 5] [--json]

Each recording is cut into clips of so many seconds, one beginning every so many. Told for each, against the
profile of the whole recording:

    profile   Pearson correlation over rest, low and high of all channels, each over the channel's usual span
    reach     the same, of low and high less rest only: whether the clip holds what the whole recording holds
    shape     Pearson correlation of the resting faces' landmarks, each less the mean face's
    motion    Lin's concordance correlation, mean of the face's own channels (not the head's place), of all
              frames measured from either rest: 1 if a puppet driven with either profile did the same
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from calibrate.driver_profile import make_profile, resting_frames
from calibrate.watch import track_source
from facepuppet.core import FacepuppetError
from facepuppet.drivers import CHANNELS, COLUMN, DriverProfile, Tracking, rest_pose_from, values_of
from facepuppet.face import canonical_landmarks
from facepuppet.media import open_source

F64 = npt.NDArray[np.float64]
POSE = ("yaw", "pitch", "roll", "lean_x", "lean_y", "lean_near")  # channels of no expression
SPANS = np.array([[channel.span] for channel in CHANNELS.values()])


@dataclass(frozen=True, slots=True)
class Agreement:
    """One clip against its whole recording; see the module."""

    recording: str
    begin_s: float
    profile: float
    reach: float
    shape: float
    motion: float


def agreements(path: Path, seconds: float, every: float) -> tuple[list[Agreement], list[str]]:
    """Compare the clips of a recording with all of it; returns what was measured and what was refused."""
    with open_source(str(path)) as source:
        trackings = track_source(source, 3600.0)
    begin_ns = trackings[0].captured_ns
    times_s = np.array([(tracking.captured_ns - begin_ns) * 1e-9 for tracking in trackings])
    whole, found, refused = make_profile(trackings, path.stem), [], []
    for begin_s in np.arange(0.0, times_s[-1] - seconds + 0.1, every).tolist():
        inside = (times_s >= begin_s) & (times_s <= begin_s + seconds)
        clip = [tracking for tracking, take in zip(trackings, inside, strict=True) if take]
        try:
            profile = make_profile(clip, f"{path.stem} from {begin_s:.0f} s")
        except FacepuppetError as error:
            refused.append(str(error))
            continue
        found.append(_compare(path.stem, begin_s, profile, whole, trackings))
    return found, refused


def _compare(
    name: str,
    begin_s: float,
    profile: DriverProfile,
    whole: DriverProfile,
    trackings: list[Tracking],
) -> Agreement:
    a, b = _table(profile), _table(whole)
    mean = canonical_landmarks()
    shapes = [(p.neutral.landmarks_head - mean).ravel() for p in (profile, whole)]
    motions = [_motion(p, trackings) for p in (profile, whole)]
    return Agreement(
        name,
        begin_s,
        _pearson(a.ravel(), b.ravel()),
        _pearson((a - a[:, :1])[:, 1:].ravel(), (b - b[:, :1])[:, 1:].ravel()),
        _pearson(*shapes),
        float(np.mean([_concordance(x, y) for x, y in zip(motions[0].T, motions[1].T, strict=True)])),
    )


def _table(profile: DriverProfile) -> F64:
    """(C, 3) rest, low and high of every channel, over its usual span."""
    return np.array([[r.rest, r.low, r.high] for r in profile.ranges.values()]) / SPANS


def _motion(profile: DriverProfile, trackings: list[Tracking]) -> F64:
    """(N, K) expression channels of every face, less those of the profile's rest."""
    rest_pose = rest_pose_from(resting_frames(trackings, "a recording"), profile.neutral)
    faces = [tracking.face for tracking in trackings if tracking.face is not None]
    values = np.array([values_of(face, profile.neutral, rest_pose) for face in faces])
    rest = np.array([r.rest for r in profile.ranges.values()])
    return (values - rest)[:, [COLUMN[name] for name in CHANNELS if name not in POSE]]


def _pearson(a: F64, b: F64) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def _concordance(a: F64, b: F64) -> float:
    """L. I. Lin, "A concordance correlation coefficient to evaluate reproducibility", Biometrics 1989."""
    covariance = ((a - a.mean()) * (b - b.mean())).mean()
    return float(2 * covariance / (a.var() + b.var() + (a.mean() - b.mean()) ** 2 + 1e-12))


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("recordings", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=25.0)
    parser.add_argument("--every", type=float, default=5.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for path in options.recordings:
        found, refused = agreements(path, options.seconds, options.every)
        if options.json:
            print(json.dumps({"clips": [asdict(one) for one in found], "refused": refused}))
            continue
        for one in found:
            figures = (f"{key} {getattr(one, key):.3f}" for key in ("profile", "reach", "shape", "motion"))
            print(f"{one.recording} {one.begin_s:5.1f} s  {'  '.join(figures)}")
        print(*refused, sep="\n", end="\n" if refused else "")


if __name__ == "__main__":
    main()
