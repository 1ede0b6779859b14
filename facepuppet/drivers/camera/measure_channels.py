"""What a driver's trackings say in the channels of a driver profile, and the range they cover."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facepuppet.core.geometry import euler_from_rotation, head_from_image
from facepuppet.core.types import F64
from facepuppet.drivers.camera.channels import CHANNELS, DEGREES, Range
from facepuppet.drivers.camera.profile import BLINK_RATIO, DriverNeutral, RestPose
from facepuppet.drivers.camera.tracking import Face
from facepuppet.face.gaze import eye_openings
from facepuppet.face.head_pose import fit_head
from facepuppet.face.irises import iris_position
from facepuppet.face.lips import mouth_gap, mouth_width
from facepuppet.face.topology import EYES

COLUMN = {name: column for column, name in enumerate(CHANNELS)}
LIDS = ("eye_left", "eye_right")
POSE = ("yaw", "pitch", "roll", "lean_x", "lean_y", "lean_near")

LOW_PERCENT, HIGH_PERCENT = 3.0, 97.0  # what lies outside is as often a slip of the tracker as a movement
MAX_TURN_RAD = 0.5  # in faces turned farther from rest, landmarks of the far side are guessed
MIN_FRONTAL = 10  # frames; with fewer, turned faces have to do
SHUT_PERCENT = 75.0  # so that three of four blinks, each as the tracker caught it, count as shut


def values_of(face: Face, neutral: DriverNeutral, rest_pose: RestPose) -> F64:
    """Return (C,) values of all channels, in their order and units.

    Args:
        face: one moment.
        neutral: that person's resting face.
        rest_pose: where that person rests before the camera.
    """
    image_from_head = fit_head(face.landmarks_px, neutral.landmarks_head)
    head = head_from_image(face.landmarks_px, image_from_head).astype(np.float32)
    rest = rest_pose.image_from_head
    corners = [corner for eye in EYES for corner in (eye.outer, eye.inner)]
    brows = np.concatenate([eye.brow for eye in EYES])
    shift = (image_from_head.translation - rest.translation) / rest.scale
    return np.array(
        [
            mouth_gap(head),
            mouth_width(head),
            *eye_openings(head),
            *iris_position(face.landmarks_px).mean(0),
            head[corners, 1].mean() - head[brows, 1].mean(),
            *np.degrees(euler_from_rotation(image_from_head.rotation)),
            shift[0],
            shift[1],
            image_from_head.scale / rest.scale,
        ]
    )


def measure_ranges(
    faces: Sequence[Face], at_rest: Sequence[Face], neutral: DriverNeutral, rest_pose: RestPose
) -> dict[str, Range]:
    """Measure rest, low and high of every channel.

    Args:
        faces: everything that was seen, in order.
        at_rest: those of them in which the driver was at rest.
        neutral: taken from at_rest.
        rest_pose: taken from at_rest.
    """
    values = np.array([values_of(face, neutral, rest_pose) for face in faces])
    rests = np.median([values_of(face, neutral, rest_pose) for face in at_rest], axis=0)
    frontal = _frontal(values, rests)
    ranges = {}
    for name, column in COLUMN.items():
        seen = values[:, column] if name in POSE else values[frontal, column]
        low, high = np.percentile(seen, [LOW_PERCENT, HIGH_PERCENT])
        rest = rests[column]
        if name in LIDS:
            rest = neutral.eye_opening[LIDS.index(name)]
            low = shut_aperture(seen, rest)
        least, most = CHANNELS[name].bounds
        low, rest, high = np.clip([min(low, rest), rest, max(high, rest)], least, most).tolist()
        ranges[name] = Range(rest, low, high)
    return ranges


def shut_aperture(apertures: F64, rest: float) -> float:
    """Aperture that counts as shut: upper quartile of the deepest points of the blinks.

    Percentiles of time would not do: they depend on how often a person blinks.

    Args:
        apertures: (N,) of one eye over time.
        rest: of the same eye, open and relaxed.

    Returns:
        The aperture; the least one seen where there was no blink.
    """
    shut = np.concatenate([[False], apertures < BLINK_RATIO * rest, [False]]).astype(np.int8)
    edges = np.diff(shut)
    blinks = zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True)
    deepest = [float(apertures[begin:end].min()) for begin, end in blinks]
    return float(np.percentile(deepest, SHUT_PERCENT)) if deepest else float(apertures.min())


def _frontal(values: F64, rests: F64) -> F64:
    """Mask (N,) of the faces that are not turned far, or of all where these are too few."""
    assert all(CHANNELS[name].unit == DEGREES for name in ("yaw", "pitch"))
    turned = np.hypot(*(values[:, COLUMN[name]] - rests[COLUMN[name]] for name in ("yaw", "pitch")))
    mask = turned <= np.degrees(MAX_TURN_RAD)
    return mask if mask.sum() >= MIN_FRONTAL else np.ones_like(mask)
