"""What a run knows of its user before the first frame, camera by camera, and what it learns on the way."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import numpy as np

from facepuppet.core.geometry import Similarity, geodesic_angle, rotation_from_vector, vector_from_rotation
from facepuppet.drivers.camera.channels import Range
from facepuppet.drivers.camera.measure_channels import measure_ranges
from facepuppet.drivers.camera.profile import (
    DriverNeutral,
    RestPose,
    neutral_from,
    rest_pose_from,
    restlessness,
    with_ranges,
)
from facepuppet.drivers.camera.settle import CALM, unrest_told
from facepuppet.drivers.camera.tracking import Face, Tracking

LOOK_NS = 500_000_000  # from one frame that is remembered to the next
_MOST = 240  # frames that are remembered: of a long run a fair sample
_ENOUGH = 20  # calm ones; with fewer a run teaches nothing
_CALM_PERCENT = 10.0  # of frames that are surely calm, whoever it is
MOST_RUNS = 5  # that count: what is newer counts a fifth at least
# A face farther from the usual seat than this sits elsewhere today, or the camera does.
_ELSEWHERE_RAD, _ELSEWHERE_IOD, _ELSEWHERE_LOG = 0.5, 1.5, 0.5
_WEBCAM = re.compile(r"camera \d+ \((.+)\)")


@dataclass(frozen=True, slots=True)
class UsualSeat:
    """Where somebody rests before a camera, whatever the size of its pictures.

    Attributes:
        turn: (3,) rotation vector of the head.
        size: inter-ocular distance over the picture's width.
        centre: (3,) of the head frame's origin, over the picture's width.
        shoulders: (2, 2) over the picture's width, image-left first; None where they were not seen.
        aspect: width over height of the picture.
    """

    turn: tuple[float, float, float]
    size: float
    centre: tuple[float, float, float]
    shoulders: tuple[tuple[float, float], tuple[float, float]] | None
    aspect: float

    @classmethod
    def of(cls, pose: RestPose, size_px: tuple[int, int]) -> UsualSeat:
        """Tell a rest pose in pictures of that width and height."""
        width, height = size_px
        x, y, z = vector_from_rotation(pose.image_from_head.rotation).tolist()
        right, down, away = (pose.image_from_head.translation / width).tolist()
        shoulders = None
        if pose.shoulders_px is not None:
            (a, b), (c, d) = (pose.shoulders_px / width).tolist()
            shoulders = (a, b), (c, d)
        size = pose.image_from_head.scale / width
        return cls((x, y, z), size, (right, down, away), shoulders, width / height)

    def pose(self, size_px: tuple[int, int]) -> RestPose | None:
        """Return the rest pose in pictures of that size; None where they are of another shape."""
        width, height = size_px
        if abs(width / height / self.aspect - 1.0) > 0.02:
            return None
        shoulders = None if self.shoulders is None else (np.array(self.shoulders) * width).astype(np.float32)
        rotation = rotation_from_vector(np.array(self.turn))
        return RestPose(
            Similarity(rotation, self.size * width, width * np.array(self.centre, np.float64)), shoulders
        )


@dataclass(frozen=True, slots=True)
class KnownDriver:
    """What is remembered of one person before one camera.

    Attributes:
        neutral: the relaxed face.
        ranges: of all channels.
        seat: where they usually sit.
        light: usual mean brightness of the face, 0 to 1.
        runs: in how many runs that was learned.
    """

    neutral: DriverNeutral
    ranges: Mapping[str, Range]
    seat: UsualSeat
    light: float
    runs: int = 1

    def after(self, newer: KnownDriver) -> KnownDriver:
        """Return what is remembered after one more run; the newest seat and light count most."""
        share = 1.0 / min(self.runs + 1, MOST_RUNS)
        landmarks, opening = (
            (mine + np.float32(share) * (new - mine)).astype(np.float32)
            for mine, new in (
                (self.neutral.landmarks_head, newer.neutral.landmarks_head),
                (self.neutral.eye_opening, newer.neutral.eye_opening),
            )
        )
        ranges = {name: _between(one, newer.ranges[name], share) for name, one in self.ranges.items()}
        neutral = with_ranges(replace(newer.neutral, landmarks_head=landmarks, eye_opening=opening), ranges)
        light = self.light + 0.5 * (newer.light - self.light)
        return KnownDriver(neutral.neutral, ranges, newer.seat, light, self.runs + 1)


class Learner:
    """Remembers a fair sample of a run's frames, and tells in the end what they teach; costs next to nothing.

    Args:
        seed: of the sample.
    """

    def __init__(self, seed: int = 0) -> None:
        self._chance = random.Random(seed)
        self._sample: list[tuple[Tracking, float]] = []
        self._n, self._next_ns = 0, 0

    def wants(self, tracking: Tracking) -> bool:
        """Whether this frame is one to look at: a whole face, and not so soon after the last."""
        return tracking.face is not None and not tracking.hidden and tracking.captured_ns >= self._next_ns

    def look(self, tracking: Tracking, light: float) -> None:
        """Look at a frame with a face, and how bright that is."""
        self._next_ns = tracking.captured_ns + LOOK_NS
        self._n += 1
        place = len(self._sample) if self._n <= _MOST else self._chance.randrange(self._n)
        self._sample[place : place + 1] = [(tracking, light)] if place < _MOST else []

    def learned(self) -> KnownDriver | None:
        """Return what the calm frames show; None where there are too few."""
        sample = tuple(self._sample)
        if len(sample) < _ENOUGH:
            return None
        size_px = sample[-1][0].image_size_px
        trackings = [one for one, _ in sample if one.image_size_px == size_px]
        unrest = restlessness(trackings)
        most = np.percentile(unrest, _CALM_PERCENT) + CALM
        calm = [one for one, u in zip(trackings, unrest, strict=True) if u <= most]
        if len(calm) < _ENOUGH or unrest_told(calm) is not None:
            return None
        neutral = neutral_from(calm)
        pose = rest_pose_from(calm, neutral)
        ranges = measure_ranges(_faces(trackings), _faces(calm), neutral, pose)
        light = float(np.median([light for _, light in sample]))
        known = with_ranges(neutral, ranges)
        return KnownDriver(known.neutral, ranges, UsualSeat.of(pose, size_px), light)


class Acquaintance:
    """One user in one run; cameras may come and go.

    Args:
        known: what is remembered, by the camera's name.
    """

    def __init__(self, known: Mapping[str, KnownDriver] | None = None) -> None:
        self._known = dict(known or {})
        self._learners: dict[str, Learner] = {}

    def known(self, camera: str) -> KnownDriver | None:
        """Return what is remembered of them before a camera."""
        return self._known.get(camera)

    def learner(self, camera: str) -> Learner:
        """Return who learns before a camera; the same one if it comes again."""
        return self._learners.setdefault(camera, Learner())

    def learned(self) -> dict[str, KnownDriver]:
        """Return what this run taught, by the camera's name."""
        return {camera: new for camera, one in self._learners.items() if (new := one.learned()) is not None}


def camera_named(description: str) -> str:
    """Return what a camera is called, whatever its number is today, of how its source describes it."""
    if webcam := _WEBCAM.fullmatch(description):
        return webcam[1]
    if "://" in description:
        address = urlsplit(description)
        return f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path}"
    return description


def is_elsewhere(pose: RestPose, image_from_head: Similarity) -> bool:
    """Whether a head is too far from where it usually rests to be at rest there."""
    usual = pose.image_from_head
    moved = float(np.linalg.norm((image_from_head.translation - usual.translation)[:2])) / usual.scale
    return bool(
        geodesic_angle(usual.rotation, image_from_head.rotation) > _ELSEWHERE_RAD
        or moved > _ELSEWHERE_IOD
        or abs(np.log(image_from_head.scale / usual.scale)) > _ELSEWHERE_LOG
    )


def _between(one: Range, other: Range, share: float) -> Range:
    rest, low, high = (
        mine + share * (new - mine)
        for mine, new in ((one.rest, other.rest), (one.low, other.low), (one.high, other.high))
    )
    return Range(rest, low, high)


def _faces(trackings: Sequence[Tracking]) -> list[Face]:
    return [one.face for one in trackings if one.face is not None]
