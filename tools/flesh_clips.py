"""What expressions do to light and shade in clips: unwrapped frames against the clip's own middle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engines.data.clips import FaceClip
from facepuppet.core import F32, F64, head_from_image, vector_from_rotation
from facepuppet.face import ARKIT_NAMES, BlendshapeFitter, QuickWeights, fit_head
from facepuppet.frames import complexion_of, log_luma, skin_of, unwrapped

MOST_TURN = 0.35  # radians from the neutral frames: beyond, one half of the face is seen too thinly
MOST_RATIO = 0.5  # of logarithms; more is hair, a hand or a landmark astray
NEUTRAL_SHARE = 12  # one frame in so many is taken as neutral
# Shapes of eyes and tongue do nothing to the skin that other shapes do not, or are drawn elsewhere.
NO_FLESH = ("eyeLook", "eyeBlink", "eyeWide", "tongue")
SHAPES = np.array([number for number, name in enumerate(ARKIT_NAMES) if not name.startswith(NO_FLESH)])


@dataclass(frozen=True, slots=True)
class Observed:
    """One clip, with what the head's pose and the camera's exposure explain taken out.

    Attributes:
        person: who.
        weights: (N, F) ARKit's weights, of SHAPES.
        ratios: (N, S, S) logarithms of the luma.
        bare: (S, S) where the skin is seen in most frames.
        light: (4,) as in `Complexion`.
    """

    person: str
    weights: F64
    ratios: F32
    bare: npt.NDArray[np.bool_]
    light: F64


def observe(clip: FaceClip, person: str, normals: F32, skin: F32) -> Observed:
    """Unwrap a clip's frames and compare them."""
    side = len(skin)
    heads, turns, sizes = _poses(clip.landmarks_px)
    neutral = _neutral_frames(heads, turns)
    still = np.linalg.norm(turns - turns[neutral].mean(0), axis=1) < MOST_TURN
    quick, calm = QuickWeights(), heads[neutral].mean(0)
    weights = np.array([quick.of((head - calm).astype(np.float32)) for head in heads[still]])[:, SHAPES]
    kept = np.flatnonzero(still).tolist()
    flat = [unwrapped(clip.frames[n], clip.landmarks_px[n], side) for n in kept]
    logs = np.array([log_luma(rgb) for rgb in flat])
    middle = np.median(flat, axis=0).astype(np.uint8)
    light = complexion_of(middle, normals, skin, skin > 0).light
    seen = np.percentile([skin_of(rgb) for rgb in flat[::4]], 15, axis=0)
    bare = cv2.erode(((seen > 0.8) & (skin > 0.9)).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    ratios = np.clip(logs - np.median(logs, axis=0), -MOST_RATIO, MOST_RATIO)
    ratios -= np.median(ratios[:, bare], axis=1)[:, None, None]
    rest = _rest_of(turns[still], sizes[still])
    return Observed(
        person,
        rest @ weights,
        np.tensordot(rest, ratios, 1).astype(np.float32),
        bare,
        light,
    )


def _poses(landmarks_px: Sequence[F32]) -> tuple[F64, F64, F64]:
    poses = [fit_head(points) for points in landmarks_px]
    heads = [head_from_image(points, pose) for points, pose in zip(landmarks_px, poses, strict=True)]
    turns = [vector_from_rotation(pose.rotation) for pose in poses]
    return np.array(heads), np.array(turns), np.log([pose.scale for pose in poses])


def _neutral_frames(heads: F64, turns: F64) -> npt.NDArray[np.intp]:
    """The frames with the least expression, looking where the clip mostly looks."""
    fitter = BlendshapeFitter()
    shown = np.array([fitter.fit(head.astype(np.float32))[SHAPES].sum() for head in heads])
    aside = np.linalg.norm(turns - np.median(turns, axis=0), axis=1)
    return np.argsort(shown + 2.0 * aside)[: max(3, len(heads) // NEUTRAL_SHARE)]


def _rest_of(turns: F64, sizes: F64) -> F64:
    """(N, N) what is left of a series when pose, nearness and the mean are regressed out."""
    known = np.column_stack([np.ones(len(turns)), turns, sizes, (turns - turns.mean(0))[:, :2] ** 2])
    rest: F64 = np.eye(len(known)) - known @ np.linalg.pinv(known)
    return rest
