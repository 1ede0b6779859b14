"""Head pose: the similarity that carries a template of the face onto the landmarks seen."""

from __future__ import annotations

from facepuppet.core.geometry import Similarity, fit_similarity
from facepuppet.core.types import F32
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.topology import RIGID


def fit_head(landmarks_px: F32, template_head: F32 | None = None) -> Similarity:
    """Return image_from_head, fitted on the points that move with the skull.

    MediaPipe's landmarks are a weak-perspective model (z has the scale of x), so a 3-D similarity is
    the whole camera. Its rotation is camera_from_head; `geometry.head_from_image` uses it to express
    landmarks in the head frame.

    Args:
        landmarks_px: (478, 3) landmarks in the image frame, z in pixels.
        template_head: (478, 3) the person's own neutral face in the head frame; the mean face if None.
    """
    template = canonical_landmarks() if template_head is None else template_head
    return fit_similarity(template[RIGID], landmarks_px[RIGID])
