"""A clip made ready: one square crop of head and shoulders, tracked, with its most neutral frame found."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from engines.data.people import Split, read_people
from facepuppet.core import F32, N_LANDMARKS, U8, Frame, MediaUnreadableError, NoDriverFaceError
from facepuppet.drivers import FaceFollower, Tracker, Tracking, TrackingSmoother, most_neutral
from facepuppet.face import mirrored_back
from facepuppet.media import IMAGE_SUFFIXES, VIDEO_SUFFIXES, open_source
from facepuppet.vision import FaceBox, face_box

SIDE_PX = 512
DEFAULT_FPS = 30.0
_SURVEY_EVERY = 5  # frames, for placing the crop
_REACH = 2.4  # side of the crop in face sizes: head and shoulders
_BELOW = 0.2  # how far below the face's middle the crop's middle lies, in face sizes


@dataclass(frozen=True, slots=True)
class Take:
    """Consecutive frames of one person, all in one frame of coordinates.

    The crop is fixed and the avatar of a crop this small is the crop itself, so the image frame of the
    trackings, the portrait frame of an avatar made from `pictures[source]` and the pixels of the truth
    are one and the same.

    Attributes:
        name: the clip's file stem.
        pictures: (512, 512, 3) uint8 RGB each.
        tracked: what the tracker measured in each.
        smoothed: the same through the product's smoother, which is what the product retargets.
        fps: frames a second.
        source: index of the most neutral frame.
    """

    name: str
    pictures: tuple[U8, ...]
    tracked: tuple[Tracking, ...]
    smoothed: tuple[Tracking, ...]
    fps: float
    source: int

    @property
    def landmarks_px(self) -> F32:
        """(N, 478, 3) float32 measured landmarks, NaN where no face was seen."""
        return np.stack([_landmarks(tracking) for tracking in self.tracked])

    @property
    def portrait_rgb(self) -> U8:
        """The most neutral frame."""
        return self.pictures[self.source]


def record(path: Path, frames: int) -> Take:
    """Decode, crop and track the first `frames` frames of a clip.

    Raises:
        CaptureError: it cannot be decoded.
        NoDriverFaceError: no frame shows a face.
    """
    with open_source(path) as source:
        fps = source.fps or DEFAULT_FPS
        whole = [frame.rgb for frame in islice(iter(source.read, None), frames)]
    box = _place(whole, fps, path)
    pictures = tuple(_cut(rgb, box) for rgb in whole)
    smoother = TrackingSmoother()
    with closing(Tracker(torso_every=2)) as tracker:
        tracked = [tracker.track(Frame(rgb, n, _time_ns(n, fps))) for n, rgb in enumerate(pictures)]
    if all(tracking.face is None for tracking in tracked):
        raise _no_face(path)
    smoothed = [smoother.smooth(tracking) for tracking in tracked]
    return Take(path.stem, pictures, tuple(tracked), tuple(smoothed), fps, most_neutral(tracked))


def retrack(pictures: Sequence[U8], fps: float) -> F32:
    """Landmarks (N, 478, 3) of consecutive pictures by a tracker that starts afresh, NaN where unseen."""
    with closing(FaceFollower()) as follower:
        found = [follower.follow(rgb, _time_ns(n, fps)) for n, rgb in enumerate(pictures)]
    blank = np.full((N_LANDMARKS, 3), np.nan, np.float32)
    return np.stack([blank if landmarks is None else landmarks for landmarks in found])


def retrack_mirrored(pictures: Sequence[U8], fps: float) -> F32:
    """Landmarks (N, 478, 3) of the same pictures by way of their mirror images, NaN where unseen.

    A second opinion by the same tracker: what differs from the first is its error, not the face's motion.
    """
    mirrored = retrack([np.ascontiguousarray(rgb[:, ::-1]) for rgb in pictures], fps)
    return mirrored_back(mirrored, pictures[0].shape[1])


def find_clips(where: list[Path], people: Path | None = None) -> list[Path]:
    """List the clips that files and folders name, of a table of people only those set aside to validate.

    Raises:
        MediaUnreadableError: a path is missing, or there is no clip at all.
        TrainingDataError: the table cannot be read.
    """
    listed = _listed(where, VIDEO_SUFFIXES, "clips")
    if people is None:
        return listed
    table = read_people(people)
    strangers = [p for p in listed if p.stem in table and table[p.stem].split is Split.VALIDATION]
    if not strangers:
        raise MediaUnreadableError(
            f"{len(listed)} clips of which {people} sets none aside for validation",
            "at least one",
            "Enter their people in the table, or evaluate without it.",
        )
    return strangers


def find_portraits(where: list[Path], count: int) -> list[Path]:
    """List at most `count` portraits, spread evenly over what files and folders name.

    Raises:
        MediaUnreadableError: a path is missing, or there is no portrait at all.
    """
    listed = _listed(where, IMAGE_SUFFIXES, "portraits")
    chosen = np.unique(np.linspace(0, len(listed) - 1, min(count, len(listed))).round().astype(int))
    return [listed[index] for index in chosen]


def _listed(where: list[Path], suffixes: frozenset[str], what: str) -> list[Path]:
    listed: list[Path] = []
    for path in where:
        if not path.exists():
            raise MediaUnreadableError(f"{path}, which does not exist", f"{what}", "Check the path.")
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        listed += [p for p in inside if p.suffix.lower() in suffixes]
    if not listed:
        names = ", ".join(str(path) for path in where)
        raise MediaUnreadableError(
            f"no {what} in {names}", f"files ending in {', '.join(sorted(suffixes))}", "Name another folder."
        )
    return listed


def _place(whole: list[U8], fps: float, path: Path) -> tuple[int, int, int]:
    """Left, top and side of a square that holds head and shoulders in all pictures."""
    with closing(FaceFollower()) as follower:
        seen = [
            follower.follow(rgb, _time_ns(n * _SURVEY_EVERY, fps))
            for n, rgb in enumerate(whole[::_SURVEY_EVERY])
        ]
    boxes = [face_box(landmarks) for landmarks in seen if landmarks is not None]
    if not boxes:
        raise _no_face(path)
    return square_around(boxes, (whole[0].shape[1], whole[0].shape[0]))


def square_around(boxes: list[FaceBox], picture_px: tuple[int, int]) -> tuple[int, int, int]:
    """Left, top and side of the square around faces, inside a picture of (width, height)."""
    middles = np.array([(box.x_px, box.y_px) for box in boxes])
    size = float(np.median([box.size_px for box in boxes]))
    travel = float(np.ptp(middles, axis=0).max())
    side = min(round(_REACH * size + travel), *picture_px)
    centre = (middles.min(0) + middles.max(0)) / 2 + (0.0, _BELOW * size)
    left, top = (
        int(np.clip(round(c - side / 2), 0, p - side)) for c, p in zip(centre, picture_px, strict=True)
    )
    return left, top, side


def _cut(rgb: U8, box: tuple[int, int, int]) -> U8:
    left, top, side = box
    cut = rgb[top : top + side, left : left + side]
    how = cv2.INTER_AREA if side > SIDE_PX else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(cut, (SIDE_PX, SIDE_PX), interpolation=how))


def _landmarks(tracking: Tracking) -> F32:
    if tracking.face is None:
        return np.full((N_LANDMARKS, 3), np.nan, np.float32)
    return tracking.face.landmarks_px


def _time_ns(n: int, fps: float) -> int:
    return round(n * 1e9 / fps)


def _no_face(path: Path) -> NoDriverFaceError:
    return NoDriverFaceError(
        f"{path.name}, in which no frame shows a face", "a clip of one person's face", "Leave it out."
    )
