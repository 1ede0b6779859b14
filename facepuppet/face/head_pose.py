"""Head pose: the similarity that carries a template of the face onto the landmarks seen."""

from __future__ import annotations

from functools import cache

from facepuppet.core.geometry import Similarity, SimilarityFit
from facepuppet.core.types import F32, Floats
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.topology import RIGID


class HeadFit:
    """Fits poses of heads to one template, frame after frame; `fit_head` tells of the frames and units.

    Args:
        template_head: (478, 3) neutral face in the head frame.
    """

    def __init__(self, template_head: Floats) -> None:
        self._fit = SimilarityFit(template_head.take(RIGID, axis=0))

    def of(self, landmarks_px: Floats) -> Similarity:
        """Return image_from_head of (478, 3) landmarks in the image frame."""
        return self._fit.to(landmarks_px.take(RIGID, axis=0))


def fit_head(landmarks_px: F32, template_head: F32 | None = None) -> Similarity:
    """Return image_from_head, fitted on the points that move with the skull.

    MediaPipe's landmarks are a weak-perspective model (z has the scale of x), so a 3-D similarity is
    the whole camera. Its rotation is camera_from_head; `geometry.head_from_image` uses it to express
    landmarks in the head frame.

    Args:
        landmarks_px: (478, 3) landmarks in the image frame, z in pixels.
        template_head: (478, 3) the person's own neutral face in the head frame; the mean face if None.
    """
    return (_mean_face() if template_head is None else HeadFit(template_head)).of(landmarks_px)


@cache
def _mean_face() -> HeadFit:
    return HeadFit(canonical_landmarks())
