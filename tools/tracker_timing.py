"""Times our runner of MediaPipe's networks and MediaPipe's package by turns, on one core."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import cv2
import numpy as np
from mediapipe_solutions import Solutions

from facepuppet.core import U8, Spread, describe_hardware
from facepuppet.vision import PersonSegmenter, face_box, tracking_models

MOST_RATIO = 0.7
BLOCK = 10  # calls of one before it is the other's turn
WARM_UP = 10
_SIZE = (1280, 720)
_FACE_PX = 260.0  # of the timed picture: somebody at a desk

Call = Callable[[], object]


def print_times(rgb: U8, seconds: float) -> bool:
    """Time everything on a picture of one face; returns whether it is within the bar."""
    machine = describe_hardware()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # threads started from here on, too
    cv2.setNumThreads(1)
    print(f"\n{machine.cpu}, {machine.system}, Python {machine.python}, load {os.getloadavg()[0]:.1f}")
    print(f"{'times':<28} MediaPipe median, p95    ours median, p95    ratio")
    good = True
    with Solutions() as solutions, PersonSegmenter() as segmenter:
        for name, theirs, ours in _contests(_at_a_desk(rgb), solutions, segmenter):
            a, b = by_turns(theirs, ours, seconds)
            ratio = b.median_ms / a.median_ms
            good &= ratio <= MOST_RATIO
            print(
                f"{name:<28} {a.median_ms:16.2f} {a.p95_ms:6.2f} {b.median_ms:15.2f} {b.p95_ms:6.2f}"
                f"  {ratio:7.2f}  {'pass' if ratio <= MOST_RATIO else 'FAIL'}"
            )
    print(f"bar: ratio {MOST_RATIO}")
    return good


def by_turns(theirs: Call, ours: Call, seconds: float) -> tuple[Spread, Spread]:
    """Time two functions in alternating blocks, so that what else the machine does troubles both."""
    durations_s: tuple[list[float], list[float]] = ([], [])
    for call in (theirs, ours):
        for _ in range(WARM_UP):
            call()
    end_s = time.perf_counter() + seconds
    while time.perf_counter() < end_s:
        for call, durations in zip((theirs, ours), durations_s, strict=True):
            for _ in range(BLOCK):
                begun_s = time.perf_counter()
                call()
                durations.append(time.perf_counter() - begun_s)
    a, b = (Spread.of(durations) for durations in durations_s)
    assert a is not None and b is not None
    return a, b


def _contests(rgb: U8, solutions: Solutions, segmenter: PersonSegmenter) -> list[tuple[str, Call, Call]]:
    theirs, ours = tracking_models("mediapipe"), tracking_models()
    mesh, our_mesh = theirs.landmarks(), ours.landmarks()
    faces, our_faces = theirs.faces(), ours.faces()
    pose, our_pose = theirs.shoulders(), ours.shoulders()
    box = face_box(our_mesh.find(rgb, our_faces.find(rgb)[0]))
    landmarks = lambda: our_mesh.find(rgb, box)  # noqa: E731
    return [
        ("landmarks, FaceMesh followed", lambda: solutions.followed_mesh(rgb), landmarks),
        ("landmarks, its graph alone", lambda: mesh.find(rgb, box), landmarks),
        ("faces", lambda: faces.find(rgb), lambda: our_faces.find(rgb)),
        ("pose", lambda: pose.find(rgb), lambda: our_pose.find(rgb)),
        ("segmentation", lambda: solutions.person(rgb), lambda: segmenter.coverage(rgb)),
    ]


def _at_a_desk(rgb: U8) -> U8:
    """The picture as a camera of _SIZE would show it, the face in its middle."""
    ours = tracking_models()
    box = face_box(ours.landmarks().find(rgb, ours.faces().find(rgb)[0]))
    scale = _FACE_PX / box.size_px
    shift = (_SIZE[0] / 2 - scale * box.x_px, _SIZE[1] * 0.4 - scale * box.y_px)
    place = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return cv2.warpAffine(rgb, place, _SIZE, borderMode=cv2.BORDER_REPLICATE)
