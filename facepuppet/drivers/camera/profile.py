"""The driver at rest: what all motion is measured against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from facepuppet.core.geometry import Similarity, geodesic_angle, head_from_image
from facepuppet.core.types import F32, F64
from facepuppet.drivers.camera.channels import Range
from facepuppet.drivers.camera.tracking import Tracking
from facepuppet.face.gaze import eye_openings, gaze_angles
from facepuppet.face.head_pose import fit_head
from facepuppet.face.lips import mouth_gap, mouth_width

MIN_EYE_OPENING = 0.2  # aperture over width; less at rest means that the sample caught a blink
LEAST_EYE_OPENING = 0.06  # of an eye that is narrow at rest beside an open one
SHUT_RATIO = 0.30  # trackers still report this share of the open aperture on shut lids
# Blinks fall between frames and never look quite shut; a ratio beyond is no blink but a look down.
SHUT_RATIO_RANGE = (0.10, 0.45)
BLINK_RATIO = 0.55  # an aperture that never came below this share shows no blink


@dataclass(frozen=True, slots=True)
class RestPose:
    """Where the driver sits before the camera; changes from session to session.

    Attributes:
        image_from_head: similarity of the resting head, in 3-D pixels.
        shoulders_px: (2, 2) float32 in the image frame, image-left first, or None when unseen.
    """

    image_from_head: Similarity
    shoulders_px: F32 | None


@dataclass(frozen=True, slots=True)
class DriverNeutral:
    """The driver's relaxed face; belongs to the person, not to the session.

    Attributes:
        landmarks_head: (478, 3) float32 in the head frame.
        eye_opening: (2,) float32 lid aperture over eye width of relaxed open eyes, image-left first.
        eye_shut: (2,) float32 what the tracker reports of shut eyes, less than eye_opening.
    """

    landmarks_head: F32
    eye_opening: F32
    eye_shut: F32


@dataclass(frozen=True, slots=True)
class DriverProfile:
    """What is known of a person beforehand.

    Attributes:
        neutral: the relaxed face.
        ranges: by the names of `channels.CHANNELS`, all of them; empty in profiles of schema 1.
    """

    neutral: DriverNeutral
    ranges: Mapping[str, Range]


def neutral_from(samples: Sequence[Tracking]) -> DriverNeutral:
    """Take the median face of frames in which the driver was at rest.

    Raises:
        ValueError: no sample shows a face.
    """
    heads = []
    for tracking in samples:
        if tracking.face is not None:
            landmarks = tracking.face.landmarks_px
            heads.append(head_from_image(landmarks, fit_head(landmarks)))
    if not heads:
        raise ValueError("got no tracking with a face, expected at least one")
    stack = np.stack(heads)
    opening = np.percentile([eye_openings(head) for head in stack], 70, axis=0)
    # People blink with both eyes: one that is narrow beside an open one is so at rest.
    least = MIN_EYE_OPENING if opening.max() < MIN_EYE_OPENING else LEAST_EYE_OPENING
    opening = np.maximum(opening, least).astype(np.float32)
    return DriverNeutral(np.median(stack, axis=0).astype(np.float32), opening, usual_shut(opening))


def usual_shut(eye_opening: F32) -> F32:
    """Aperture (2,) that trackers report of shut eyes, of people whose blinks were not measured."""
    return np.asarray(SHUT_RATIO * eye_opening, dtype=np.float32)


def with_ranges(neutral: DriverNeutral, ranges: Mapping[str, Range]) -> DriverProfile:
    """Complete a profile: lids that were seen to blink are known by their own shut aperture.

    Args:
        neutral: the relaxed face.
        ranges: all channels, or none.
    """
    if not ranges:
        return DriverProfile(neutral, ranges)
    low = np.array([ranges["eye_left"].low, ranges["eye_right"].low])
    share = low / neutral.eye_opening
    blinked = share < BLINK_RATIO
    ratio = np.clip(share, *SHUT_RATIO_RANGE)
    other = ratio[blinked].mean() if blinked.any() else SHUT_RATIO  # both eyes of a person are alike
    shut = np.where(blinked, ratio, other) * neutral.eye_opening
    return DriverProfile(replace(neutral, eye_shut=shut.astype(np.float32)), ranges)


def rest_pose_from(samples: Sequence[Tracking], neutral: DriverNeutral) -> RestPose:
    """Take the median place of the head and shoulders over frames at rest.

    Raises:
        ValueError: no sample shows a face.
    """
    faces = [t.face.landmarks_px for t in samples if t.face is not None]
    if not faces:
        raise ValueError("got no tracking with a face, expected at least one")
    image_from_head = fit_head(np.median(faces, axis=0), neutral.landmarks_head)
    shoulders = [t.torso.shoulders_px for t in samples if t.torso is not None]
    middle = np.median(shoulders, axis=0).astype(np.float32) if shoulders else None
    return RestPose(image_from_head, middle)


def most_neutral(trackings: Sequence[Tracking]) -> int:
    """Index of the frame nearest to rest: frontal, mouth shut, eyes open.

    Raises:
        ValueError: no frame shows a face.
    """
    seen = [index for index, tracking in enumerate(trackings) if tracking.face is not None]
    if not seen:
        raise ValueError("got no tracking with a face, expected at least one")
    return seen[int(np.argmin(restlessness([trackings[index] for index in seen])))]


def restlessness(trackings: Sequence[Tracking]) -> F64:
    """How far each face of one person is from rest; 0 is frontal, mouth shut, eyes open and ahead.

    Head turn (rad), mouth gap, missing eye opening, averted gaze and lips wider or narrower than this
    person's usual, added up: about 0.5 and more is plainly something else.

    Args:
        trackings: all with a face.
    """
    landmarks = [t.face.landmarks_px for t in trackings if t.face is not None]
    poses = [fit_head(points) for points in landmarks]
    heads = [
        head_from_image(points, pose).astype(np.float32)
        for pose, points in zip(poses, landmarks, strict=True)
    ]
    turn = np.array([geodesic_angle(pose.rotation, np.eye(3)) for pose in poses])
    gap = np.array([mouth_gap(head) for head in heads])
    openings = np.array([eye_openings(head) for head in heads])
    # Wide eyes at 0.27 are half shut already: their own usual aperture is what counts.
    wanted = np.maximum(0.27, 0.9 * np.percentile(openings, 70, axis=0))
    shut = np.maximum(wanted - openings, 0).sum(1)
    gaze = [gaze_angles(h, p.rotation.astype(np.float32)) for h, p in zip(heads, poses, strict=True)]
    width = np.array([mouth_width(head) for head in heads])
    pursed = np.abs(width - np.median(width))
    return np.asarray(turn + 4.0 * gap + 3.0 * shut + 0.5 * np.abs(gaze).sum(1) + 3.0 * pursed)
