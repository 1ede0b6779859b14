"""Our runner of MediaPipe's networks beside MediaPipe's package: on the same pictures, in the same boxes.

    python tools/tracker_parity.py [PICTURE_OR_CLIP ...] [--frames 100] [--seconds 6] 2>/dev/null

Looks at the sample portrait, at scikit-image's astronaut where it is installed, and at what is named: of a
clip at so many frames from its beginning. Needs the extra `mediapipe`, whose chatter goes to stderr. Exits
with 1 where a bar is missed. Lengths are as of a face of 200 px. Three tables:

    pictures   landmarks in the boxes that MediaPipe's own leave: mean, 99th percentile, largest; means of
               lips, irises and depth; faces that both found, of those that either did; farthest corner of
               their boxes; farthest shoulder of a first look; least shared part (IoU) of either mask
    followed   whole runs of the tracker on each clip: in how many frames MediaPipe's and ours had the face;
               landmarks; the median of the farther shoulder; jitter of MediaPipe's and ours, the median
               second difference from frame to frame, of landmarks and of shoulders
    times      in milliseconds on one core, in blocks by turns, on a picture of 1280 x 720
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from mediapipe_solutions import Solutions
from tracker_references import portraits
from tracker_runs import FACE_PX, apart, print_row, print_runs
from tracker_timing import print_times

from facepuppet.core import F32, U8, FacepuppetError
from facepuppet.face import LIPS
from facepuppet.media import open_source
from facepuppet.vision import (
    FaceBox,
    FaceDetector,
    FaceMesh,
    PersonSegmenter,
    face_box,
    tracking_models,
    view_body,
)

IRISES = slice(468, 478)
MOST_MEAN_PX, MOST_P99_PX, LEAST_IOU = 0.15, 0.6, 0.995
STILLS = 8  # frames of a clip that are looked at as pictures
LOOKS = 4  # until landmarks stay where the box is


@dataclass
class Found:
    """How far apart the trackers are on one picture or clip; lengths as of a face of FACE_PX.

    Attributes:
        landmarks: (478, 2) of each frame: in the picture, in depth.
        faces: number of faces that either found, and that both found.
        boxes, shoulders: farthest corner of each face, farther shoulder of each body.
        persons, bodies: IoU of each mask.
    """

    landmarks: list[F32] = field(default_factory=list)
    faces: list[tuple[int, int]] = field(default_factory=list)
    boxes: list[float] = field(default_factory=list)
    shoulders: list[float] = field(default_factory=list)
    persons: list[float] = field(default_factory=list)
    bodies: list[float] = field(default_factory=list)


class Judge:
    """Holds both trackers open."""

    def __init__(self, solutions: Solutions, segmenter: PersonSegmenter) -> None:
        self._solutions, self._segmenter = solutions, segmenter
        self._theirs = tracking_models("mediapipe")
        self._mesh, self._detector = self._theirs.landmarks(), self._theirs.faces()
        self._our_mesh, self._our_detector = FaceMesh(), FaceDetector()

    def look(self, frames: list[U8]) -> Found:
        """Compare the trackers on pictures that follow each other."""
        found, box = Found(), None
        stills = {round(i) for i in np.linspace(0, len(frames) - 1, STILLS)}
        for number, rgb in enumerate(frames):
            box = self._settle(rgb, box)
            if box is None:
                continue
            theirs, ours = self._mesh.find(rgb, box), self._our_mesh.find(rgb, box)
            if theirs is not None and ours is not None:
                found.landmarks.append(apart(ours, theirs))
            if number in stills:
                self._compare_stills(rgb, FACE_PX / box.size_px, found)
        return found

    def _settle(self, rgb: U8, box: FaceBox | None) -> FaceBox | None:
        """Where MediaPipe's landmarks are in this picture; None without a face."""
        if box is None or self._mesh.find(rgb, box) is None:
            boxes = self._detector.find(rgb)
            box = max(boxes, key=lambda each: each.size_px) if boxes else None
            for _ in range(LOOKS):
                landmarks = None if box is None else self._mesh.find(rgb, box)
                box = None if landmarks is None else face_box(landmarks)
            return box
        return face_box(self._mesh.find(rgb, box))

    def _compare_stills(self, rgb: U8, scale: float, found: Found) -> None:
        theirs, ours = self._detector.find(rgb), self._our_detector.find(rgb)
        pairs = [(a, b) for a in theirs for b in ours if a.resembles(b, 0.5)]
        found.faces.append((max(len(theirs), len(ours)), len(pairs)))
        found.boxes += [scale * _corner_distance(a, b) for a, b in pairs]
        found.persons.append(iou(self._solutions.person(rgb), self._segmenter.coverage(rgb)))
        body, our_body = self._solutions.body(rgb), view_body(rgb)
        if body is not None and our_body is not None:
            shoulders = body[0][np.argsort(body[0][:, 0])]
            distances = np.linalg.norm(shoulders - our_body.shoulders_px, axis=1)
            found.shoulders.append(scale * float(distances.max()))
            found.bodies.append(iou(body[2], our_body.coverage))


def iou(a: F32, b: F32) -> float:
    """Shared part of two masks; 1 where both are empty."""
    either = np.logical_or(a > 0.5, b > 0.5).sum()
    return float(np.logical_and(a > 0.5, b > 0.5).sum() / either) if either else 1.0


def _corner_distance(a: FaceBox, b: FaceBox) -> float:
    grown = abs(a.size_px - b.size_px) / 2
    return float(np.hypot(a.x_px - b.x_px, a.y_px - b.y_px) + grown * np.sqrt(2))


def frames_of(path: Path, most: int) -> list[U8]:
    """Read a picture, or the first frames of a clip."""
    with open_source(str(path)) as source:
        return [frame.rgb for frame in islice(iter(source.read, None), most)]


def print_pictures(found: dict[str, Found]) -> bool:
    """Print the table of pictures; returns whether all of it is within the bars."""
    print_row(
        "pictures", "frames", "mean", "p99", "max", "lips", "irises", "depth", "faces", "boxes", "shoulders",
        "person", "body",
    )  # fmt: skip
    good = True
    for name, one in found.items():
        off = np.array(one.landmarks)
        distances = off[..., 0]
        mean, p99 = distances.mean(), np.percentile(distances, 99)
        parts = [distances[:, LIPS].mean(), distances[:, IRISES].mean(), off[..., 1].mean()]
        either, both = np.sum(one.faces, axis=0)
        least = [min(masks, default=np.nan) for masks in (one.persons, one.bodies)]
        right = (
            mean <= MOST_MEAN_PX and p99 <= MOST_P99_PX and np.nanmin(least) >= LEAST_IOU and either == both
        )
        good &= bool(right)
        farthest = [max(lengths, default=np.nan) for lengths in (one.boxes, one.shoulders)]
        print_row(
            name, len(off), mean, p99, distances.max(), *parts, f"{both}/{either}", *farthest, *least,
            "pass" if right else "FAIL",
        )  # fmt: skip
    print(f"bars: mean {MOST_MEAN_PX} px, p99 {MOST_P99_PX} px, masks {LEAST_IOU}, the same faces")
    return good


def main() -> None:
    """Print all tables; exits with 1 if anything is beyond its bar."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("inputs", nargs="*", type=Path, metavar="PICTURE_OR_CLIP")
    parser.add_argument("--frames", type=int, default=100, help="of each clip")
    parser.add_argument(
        "--seconds", type=float, default=6.0, help="of timing each network; 0 leaves times out"
    )
    options = parser.parse_args()
    try:
        tracking_models("mediapipe")
        pictures = {path.stem: frames_of(path, options.frames) for path in options.inputs}
    except FacepuppetError as error:
        sys.exit(f"tracker_parity: {error}")
    pictures = {name: [rgb] for name, rgb in portraits().items()} | pictures
    with Solutions() as solutions, PersonSegmenter() as segmenter:
        judge = Judge(solutions, segmenter)
        good = print_pictures({name: judge.look(frames) for name, frames in pictures.items()})
    clips = {name: frames for name, frames in pictures.items() if len(frames) > 1}
    if clips:
        print_runs(clips)
    if options.seconds:
        good &= print_times(portraits()["hopper"], options.seconds)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
