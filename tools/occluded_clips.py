"""People with something before their face, of whom it is known what they do: clips, with things laid over."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from occluders import Visit, draw_occluder, overlay

from facepuppet import Composer, Puppet
from facepuppet.core import F32, F64, NO_PARTS, U8, Expression, Frame, euler_from_rotation
from facepuppet.drivers import Performance, Tracker, Tracking
from facepuppet.face import EYES, LIPS, OUTER_CORNERS
from facepuppet.frames import Corner
from facepuppet.media import open_source
from facepuppet.portrait import load_avatar, sample_portrait_path
from facepuppet.vision import TrackingModels

LONGEST_PX = 720  # side of a picture; larger ones are made smaller
BEFORE_S, AFTER_S = 2.5, 0.8  # of a visit, that are tracked with it
MOUTH_DOWN = 0.95  # inter-ocular distances, from between the eyes
CHEEKS_AND_BROW = (50, 280, 205, 425, 151)  # where skin is taken from
COMES_FROM = {
    "hand": (0.2, 2.6),
    "mug": (0.4, 2.6),
    "microphone": (-0.5, 2.6),
    "hair": (0.0, -3.2),
    "paper": (2.8, 1.0),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A tracked frame, and how far the head is turned to the side."""

    tracking: Tracking
    yaw_rad: float | None

    @property
    def unguarded(self) -> Tracking:
        """The same tracking by a tracker that notices nothing."""
        return replace(self.tracking, hidden=NO_PARTS)

    @property
    def landmarks_px(self) -> F32 | None:
        """(478, 3), None without a face."""
        return None if self.tracking.face is None else self.tracking.face.landmarks_px


@dataclass(frozen=True, slots=True)
class Film:
    """A person, frame by frame, and what is tracked of them."""

    name: str
    fps: float
    pictures: list[U8]
    seen: list[Seen]


@dataclass(frozen=True, slots=True)
class Covered:
    """Frames with a thing in them, and (N,) how much of the mouth it covers."""

    pictures: list[U8]
    cover: F64


class _NoShoulders:
    """Stands in for the pose network, which none of this needs."""

    def find(self, rgb: U8) -> None:
        """See nobody's."""

    def close(self) -> None:
        """Hold nothing."""


def track_all(pictures: Sequence[U8], fps: float) -> list[Seen]:
    """Track (H, W, 3) uint8 pictures of one person."""
    found = []
    with Tracker(models=TrackingModels(shoulders=_NoShoulders)) as tracker:
        for n, rgb in enumerate(pictures):
            tracking = tracker.track(Frame(rgb, n, round(n / fps * 1e9)))
            face = tracking.face
            yaw = None if face is None else euler_from_rotation(face.image_from_head.rotation)[0]
            found.append(Seen(tracking, yaw))
    return found


def read_clip(path: Path) -> Film:
    """Read and track a clip."""
    with open_source(str(path)) as source:
        fps, frames = source.fps or 30.0, iter(source.read, None)
        pictures = [_limited(frame.rgb) for frame in frames if frame is not None]
    return Film(path.stem, fps, pictures, track_all(pictures, fps))


def rendered_driver(expressions: Sequence[Expression] | None = None, fps: float = 30.0) -> Film:
    """Let the sample portrait perform before the camera: the built-in piece, if nothing else is given."""
    avatar = load_avatar(sample_portrait_path())
    puppet = Puppet(avatar, Composer(avatar, None, label=Corner.OFF))
    piece = Performance()
    moments = expressions or [piece.expression(n / fps, n) for n in range(round(piece.duration_s * fps))]
    pictures = [puppet.show(moment).rgb.copy() for moment in moments]
    return Film("the sample portrait", fps, pictures, track_all(pictures, fps))


def visit_of(film: Film, thing: str, seed: int) -> tuple[Visit, int, int]:
    """Choose when a thing comes, and the frames from before that to a little after; the same every time."""
    rng = np.random.default_rng([seed, *thing.encode(), *film.name.encode()])
    length_s = len(film.pictures) / film.fps
    brief = length_s < BEFORE_S + AFTER_S + 1.5
    before_s, move_s = (0.9, 0.25) if brief else (BEFORE_S, rng.uniform(0.2, 0.5))
    stay_s = 0.7 if brief else float(rng.choice([0.5, 1.0, 2.0, 3.0]))
    stay_s = max(min(stay_s, length_s - before_s - 2 * move_s - AFTER_S), 0.5)
    visit = Visit(before_s, move_s, stay_s, COMES_FROM[thing], rng.uniform(-0.35, 0.35))
    begin = int(rng.uniform(0.0, max(length_s - visit.end_s - AFTER_S, 0.0)) * film.fps)
    while begin + 1 < len(film.seen) and film.seen[begin].tracking.face is None:
        begin += 1
    return visit, begin, min(begin + round((visit.end_s + AFTER_S) * film.fps), len(film.pictures))


def laid_over(film: Film, thing: str, visit: Visit, begin: int, end: int, seed: int) -> Covered:
    """Lay a thing over frames of a film, before the mouth; it moves with the head."""
    rng = np.random.default_rng([seed, *thing.encode(), *film.name.encode(), 1])
    landmarks = film.seen[begin].landmarks_px
    assert landmarks is not None
    sprite = draw_occluder(thing, _skin(film.pictures[begin], landmarks), int(rng.integers(1_000_000)))
    beside = rng.normal(0.0, 0.12, 2)
    pictures, cover = [], []
    for n in range(begin, end):
        now = film.seen[n].landmarks_px
        landmarks = landmarks if now is None else now
        offset = visit.offset((n - begin) / film.fps)
        if offset is None:
            pictures.append(film.pictures[n])
            cover.append(0.0)
            continue
        eyes, unit_px = landmarks[OUTER_CORNERS, :2].mean(axis=0), _unit_px(landmarks)
        x, y = eyes + unit_px * (beside + offset + np.array([0.0, MOUTH_DOWN]))
        picture, hidden = overlay(film.pictures[n], sprite, (float(x), float(y)), unit_px, visit.tilt_rad)
        pictures.append(picture)
        cover.append(_sampled(hidden, landmarks[_AROUND_MOUTH]))
    return Covered(pictures, np.array(cover))


def glare_over(film: Film) -> Iterator[U8]:
    """Put spectacles on a person, with light that comes, wanders over them and goes."""
    for n, (rgb, seen) in enumerate(zip(film.pictures, film.seen, strict=True)):
        landmarks = seen.landmarks_px
        yield rgb if landmarks is None else _with_glare(rgb, landmarks, n / film.fps)


def _with_glare(rgb: U8, landmarks: F32, t_s: float) -> U8:
    unit_px, picture = _unit_px(landmarks), rgb.copy()
    roll = math.degrees(
        math.atan2(*(landmarks[OUTER_CORNERS[1], :2] - landmarks[OUTER_CORNERS[0], :2])[::-1])
    )
    light = np.zeros(rgb.shape[:2], np.uint8)
    axes = (round(0.27 * unit_px), round(0.21 * unit_px))
    for eye in EYES:
        x, y = landmarks[[eye.outer, eye.inner], :2].mean(axis=0)
        lens = np.zeros_like(light)
        cv2.ellipse(lens, (round(x), round(y)), axes, roll, 0, 360, 255, -1, cv2.LINE_AA)
        across = round(x + unit_px * 0.25 * math.sin(2.3 * t_s))
        streak = np.zeros_like(light)
        half, lean = 0.06 * unit_px, 0.12 * unit_px
        corners = [(across - half + lean, y - unit_px), (across + half + lean, y - unit_px)]
        corners += [(across + half - lean, y + unit_px), (across - half - lean, y + unit_px)]
        cv2.fillConvexPoly(streak, np.array(corners).round().astype(np.int32), 255, cv2.LINE_AA)
        light = np.maximum(light, np.minimum(lens, streak))
        cv2.ellipse(
            picture, (round(x), round(y)), axes, roll, 0, 360, (40, 35, 30), max(1, round(0.025 * unit_px))
        )
    strength = 0.6 * max(math.sin(1.7 * t_s), 0.0)
    share = (strength / 255.0) * light[..., None].astype(np.float32)
    return np.asarray((picture + share * (255.0 - picture)).round(), np.uint8)


def _limited(rgb: U8) -> U8:
    scale = LONGEST_PX / max(rgb.shape)
    if scale >= 1.0:
        return rgb
    return np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _unit_px(landmarks: F32) -> float:
    return float(np.linalg.norm(np.subtract(*landmarks[OUTER_CORNERS])))


def _skin(rgb: U8, landmarks: F32) -> F64:
    spots = [cv2.getRectSubPix(rgb, (3, 3), landmarks[i, :2].tolist()) for i in CHEEKS_AND_BROW]
    return np.asarray(np.median([spot.reshape(-1, 3).mean(axis=0) for spot in spots], axis=0), np.float64)


def _sampled(hidden: F32, points: F32) -> float:
    height, width = hidden.shape
    x, y = np.clip(points[:, :2].round().astype(int), 0, (width - 1, height - 1)).T
    return float(hidden[y, x].mean())


_AROUND_MOUTH = np.concatenate(
    [LIPS, [164, 18, 200, 57, 287, 92, 322, 43, 273, 106, 335, 167, 393, 182, 406]]
)
