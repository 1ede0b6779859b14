"""One clip of a person who speaks: the sound, and what the lips did, by the product's own tracker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np

from facepuppet.core import F32, F64
from facepuppet.drivers import CameraDriver, Rest, Tracking
from facepuppet.face import BlendshapeFitter, canonical_landmarks, landmark_offsets, mouth_gap, mouth_width
from facepuppet.media import open_source
from facepuppet.voice import RATE_HZ

FORMAT = 2
TREMBLE_S = 0.03  # of a Gaussian, less than the time between two frames


@dataclass(frozen=True, slots=True)
class Take:
    """What somebody said, and what the face did.

    Attributes:
        name: of the clip.
        sound: (n,) float32 mono at 16 kHz, full scale ±1; begins at time 0 of the video.
        t_s: (k,) when each frame with a face was.
        gap: (k,) the lips' opening at their middle beyond that at rest, in inter-ocular distances of the
            mean face.
        width: (k,) the mouth's width beyond that at rest, likewise.
        weights: (k, 52) ARKit's weights of the expression.
        pose: (k, 7) rotation vector of the head, lids' opening (2) and mean gaze (2).
    """

    name: str
    sound: F32
    t_s: F64
    gap: F32
    width: F32
    weights: F32
    pose: F32


def read_sound(path: Path) -> F32:
    """Return a file's first sound track, (n,) at 16 kHz, from the file's time 0 on; of none, nothing."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return np.zeros(0, np.float32)
        start_s = (container.start_time or 0) / av.time_base
        resampler = av.AudioResampler("flt", "mono", RATE_HZ)
        blocks: list[F32] = []
        for frame in container.decode(audio=0):
            if not blocks and frame.time is not None:
                blocks.append(np.zeros(max(0, round((frame.time - start_s) * RATE_HZ)), np.float32))
            frame.pts = None
            blocks += _flat(resampler.resample(frame))
        blocks += _flat(resampler.resample(None))
    return np.concatenate(blocks).astype(np.float32)


def _flat(pieces: list[av.AudioFrame]) -> list[F32]:
    return [piece.to_ndarray().ravel().astype(np.float32) for piece in pieces]


def watch(path: Path) -> Take:
    """Track a clip, without smoothing, against its calmest frames.

    Raises:
        ValueError: no frame shows a face.
    """
    with CameraDriver(open_source(path)) as driver:
        driver.set_smoothing(0.0)
        trackings: list[Tracking] = []
        while (tracking := driver.read_tracking()) is not None:
            trackings.append(tracking)
    rest, fitter, mean = Rest.at_the_calmest(trackings), BlendshapeFitter(), canonical_landmarks()
    rows: list[tuple[float, float, float, F32, F32]] = []
    for tracking in trackings:
        expression = rest.express(tracking)
        if expression.face is None:
            continue
        shape = landmark_offsets(expression.face.deformation)
        seen = mean + shape.offsets * (mouth_width(mean) / shape.mouth_width)
        face = expression.face
        pose = np.array([*face.head.turn, *face.eye_opening, *face.gaze.mean(0)], np.float32)
        rows.append(
            (
                tracking.captured_ns * 1e-9,
                mouth_gap(seen) - mouth_gap(mean),
                mouth_width(seen) - mouth_width(mean),
                fitter.fit((mean + shape.offsets).astype(np.float32), mean),
                pose,
            )
        )
    t_s, *measured = zip(*rows, strict=True)
    floats = [np.array(values, np.float32) for values in measured]
    return _calmed(Take(path.stem, read_sound(path), np.array(t_s), *floats))


def _calmed(take: Take) -> Take:
    """Take out what trembles faster than lips move."""
    from scipy.ndimage import gaussian_filter1d

    sigma = TREMBLE_S / float(np.median(np.diff(take.t_s)))
    calm = [gaussian_filter1d(row, sigma, axis=0) for row in (take.gap, take.width, take.weights)]
    return replace(take, gap=calm[0], width=calm[1], weights=calm[2])


def save_take(take: Take, path: Path) -> None:
    """Write a take down."""
    arrays = {name: getattr(take, name) for name in ("sound", "t_s", "gap", "width", "weights", "pose")}
    np.savez_compressed(path, format=FORMAT, **arrays)


def load_take(path: Path) -> Take:
    """Read a take."""
    with np.load(path) as data:
        return Take(path.stem, *(data[name] for name in ("sound", "t_s", "gap", "width", "weights", "pose")))
