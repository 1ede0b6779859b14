"""Which landmarks the landmark network's finer parts answer for.

The mesh has 468 landmarks. Lips and eyes are read again from closer crops, in an order of their own, and the
irises only there. (MediaPipe, tensors_to_face_landmarks_with_attention.pbtxt, Apache-2.0.)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32, N_LANDMARKS
from facepuppet.face.topology import N_MESH

# Left and right as seen in the picture; the first 16 landmarks of each eye are its outline.
LIPS = np.array((
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409, 78, 95,
    88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415, 76, 77, 90, 180,
    85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408, 62, 96, 89, 179, 86, 15,
    316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
))  # fmt: skip
LEFT_EYE = np.array((
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173, 130, 25, 110, 24, 23,
    22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190, 226, 31, 228, 229, 230, 231, 232, 233, 244, 113,
    225, 224, 223, 222, 221, 189, 35, 124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120, 121, 128, 245,
    156, 70, 63, 105, 66, 107, 55, 193,
))  # fmt: skip
RIGHT_EYE = np.array((
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398, 359, 255, 339, 254,
    253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414, 446, 261, 448, 449, 450, 451, 452, 453,
    464, 342, 445, 444, 443, 442, 441, 413, 265, 353, 276, 283, 282, 295, 372, 340, 346, 347, 348, 349,
    350, 357, 465, 383, 300, 293, 334, 296, 336, 285, 417,
))  # fmt: skip
_OUTLINES = np.stack([LEFT_EYE[:16], RIGHT_EYE[:16]])
_LEFT_IRIS, _RIGHT_IRIS = slice(N_MESH, N_MESH + 5), slice(N_MESH + 5, N_LANDMARKS)


def _sources() -> npt.NDArray[np.intp]:
    """(478, 3) where each number of the landmarks is among all the answers' numbers, one after the other."""
    order = np.zeros((N_LANDMARKS, 3), np.intp)  # the depth of irises is in no answer
    order[:N_MESH] = np.arange(3 * N_MESH).reshape(N_MESH, 3)
    finer = np.concatenate([LIPS, LEFT_EYE, RIGHT_EYE, np.arange(N_MESH, N_LANDMARKS)])
    order[finer, :2] = 3 * N_MESH + np.arange(2 * len(finer)).reshape(len(finer), 2)
    return order


_SOURCES = _sources()


def refine(mesh: F32, lips: F32, eyes: tuple[F32, F32], irises: tuple[F32, F32]) -> F32:
    """Join the answers to 478 landmarks.

    Args:
        mesh: (468, 3), like the others in pixels of the crop.
        lips: (80, 2).
        eyes: (71, 2) each, left first.
        irises: (5, 2) each, left first.

    Returns:
        (478, 3) float32; the finer parts keep the mesh's depth, an iris has the mean depth of its eye's
        outline.
    """
    answers = (mesh, lips, *eyes, *irises)
    points: F32 = np.concatenate([answer.reshape(-1) for answer in answers]).take(_SOURCES)
    left, right = points[:, 2].take(_OUTLINES).tolist()
    points[_LEFT_IRIS, 2] = sum(left) / len(left)
    points[_RIGHT_IRIS, 2] = sum(right) / len(right)
    return points
