"""Names for the 478 landmarks: rings, eyes, lips, rigid points and triangles.

Left and right are sides of the *image* of an unmirrored face: the image-left eye (33, 133, iris 468) is
the person's right one. Rings are closed implicitly (the first point is not repeated) and run clockwise
as seen on the picture, except that the two eyes mirror each other. Triangles are wound
counter-clockwise as seen on the picture, so that (b − a) × (c − a) points to the viewer (negative z)
wherever the surface faces the viewer.

Index sets are read-only int32 arrays, to be used directly as `landmarks[FACE_OVAL]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

I32: TypeAlias = npt.NDArray[np.int32]

N_MESH = 468  # points of the face surface; the irises follow


def _indices(*values: int) -> I32:
    array = np.array(values, dtype=np.int32)
    array.setflags(write=False)
    return array


def _frozen(array: npt.NDArray[np.integer[Any]]) -> I32:
    out = array.astype(np.int32)
    out.setflags(write=False)
    return out


@dataclass(frozen=True, slots=True, eq=False)
class EyeTopology:
    """Landmarks of one eye and its brow.

    Attributes:
        outer: the corner towards the temple.
        inner: the corner towards the nose.
        upper_lid: (9,) rim of the upper lid, outer to inner, both corners included.
        lower_lid: (9,) rim of the lower lid, outer to inner, both corners included; upper_lid[i] and
            lower_lid[i] meet when the eye shuts.
        upper_fold: (7,) skin above the upper lid, level with upper_lid[1:8].
        lower_fold: (7,) skin below the lower lid, level with lower_lid[1:8].
        iris_centre: centre of the iris.
        iris_ring: (4,) rim of the iris: image right, top, image left, bottom (in both eyes).
        brow_upper: (5,) upper edge of the brow, outer to inner.
        brow_lower: (5,) lower edge of the brow, outer to inner.
    """

    outer: int
    inner: int
    upper_lid: I32
    lower_lid: I32
    upper_fold: I32
    lower_fold: I32
    iris_centre: int
    iris_ring: I32
    brow_upper: I32
    brow_lower: I32

    @property
    def ring(self) -> I32:
        """(16,) rim of the opening: upper lid from the outer corner, back along the lower lid.

        Clockwise for the image-left eye, counter-clockwise for its mirror image.
        """
        return np.concatenate([self.upper_lid, self.lower_lid[-2:0:-1]])

    @property
    def iris(self) -> I32:
        """(5,) centre and rim of the iris."""
        return np.concatenate([[np.int32(self.iris_centre)], self.iris_ring])

    @property
    def brow(self) -> I32:
        """(10,) both edges of the brow."""
        return np.concatenate([self.brow_upper, self.brow_lower])


IMAGE_LEFT_EYE = EyeTopology(
    outer=33,
    inner=133,
    upper_lid=_indices(33, 246, 161, 160, 159, 158, 157, 173, 133),
    lower_lid=_indices(33, 7, 163, 144, 145, 153, 154, 155, 133),
    upper_fold=_indices(247, 30, 29, 27, 28, 56, 190),
    lower_fold=_indices(25, 110, 24, 23, 22, 26, 112),
    iris_centre=468,
    iris_ring=_indices(469, 470, 471, 472),
    brow_upper=_indices(70, 63, 105, 66, 107),
    brow_lower=_indices(46, 53, 52, 65, 55),
)

IMAGE_RIGHT_EYE = EyeTopology(
    outer=263,
    inner=362,
    upper_lid=_indices(263, 466, 388, 387, 386, 385, 384, 398, 362),
    lower_lid=_indices(263, 249, 390, 373, 374, 380, 381, 382, 362),
    upper_fold=_indices(467, 260, 259, 257, 258, 286, 414),
    lower_fold=_indices(255, 339, 254, 253, 252, 256, 341),
    iris_centre=473,
    iris_ring=_indices(474, 475, 476, 477),
    brow_upper=_indices(300, 293, 334, 296, 336),
    brow_lower=_indices(276, 283, 282, 295, 285),
)

EYES = (IMAGE_LEFT_EYE, IMAGE_RIGHT_EYE)
OUTER_CORNERS = _indices(IMAGE_LEFT_EYE.outer, IMAGE_RIGHT_EYE.outer)  # inter-ocular distance: between these
IRISES = _frozen(np.concatenate([eye.iris for eye in EYES]))

# Outline of the mesh from the middle of the forehead (10), past the image-right temple, the chin (152)
# and back.
# fmt: off
FACE_OVAL = _indices(
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
# fmt: on
FOREHEAD = 10
CHIN = 152
NOSE_TIP = 1

# Lips: every ring starts at the image-left corner and runs along the upper lip first.
MOUTH_CORNERS = _indices(61, 291)  # outer ring's, image-left first
INNER_MOUTH_CORNERS = _indices(78, 308)
LIPS_OUTER = _indices(
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146
)
LIPS_INNER = _indices(
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95
)
# The two edges of the mouth's opening, image-left to image-right, corners included: they meet pairwise
# when the mouth shuts.
UPPER_LIP_INNER = _frozen(LIPS_INNER[:11])
LOWER_LIP_INNER = _frozen(np.concatenate([LIPS_INNER[:1], LIPS_INNER[:9:-1]]))
LIPS = _frozen(np.unique(np.concatenate([LIPS_OUTER, LIPS_INNER])))

# fmt: off
# Points that move with the skull and hardly with the face's muscles: bridge and tip of the nose,
# hairline, temples, in front of the ears, eye corners, cheek bones. The head pose is fitted on these.
RIGID = _indices(
    10, 151, 168, 6, 197, 195, 5, 4, 1,
    109, 67, 103, 54, 21, 162, 127, 234, 33, 133, 143, 116, 111, 117, 118, 188, 122, 196,
    338, 297, 332, 284, 251, 389, 356, 454, 263, 362, 372, 345, 340, 346, 347, 412, 351, 419,
)
# fmt: on


def strip_triangles(one_side: I32, other_side: I32) -> I32:
    """Fill between two edges that share both end points, as a strip of (2K − 4, 3) triangles.

    Args:
        one_side: (K,) upper edge as seen, image-left to image-right.
        other_side: (K,) lower edge, the same way; its first and last points equal those of one_side.
    """
    rows = []
    for i in range(len(one_side) - 1):
        a, b = one_side[i], one_side[i + 1]
        c, d = other_side[i], other_side[i + 1]
        if a != c:
            rows.append((a, c, b))
        if b != d:
            rows.append((c, d, b))
    return np.array(rows, dtype=np.int32)


@cache
def face_triangles() -> I32:
    """(852, 3) read-only triangles of the skin and lips; the eyes and the mouth are left open.

    Together with `eye_interior_triangles` and `mouth_interior_triangles` they form a closed disc whose
    rim is FACE_OVAL. The table is made by tools/build_face_mesh.py.
    """
    with (files("facepuppet.face") / "data" / "face_mesh.npy").open("rb") as file:
        return _frozen(np.load(file, allow_pickle=False))


@cache
def eye_interior_triangles() -> tuple[I32, I32]:
    """Two (14, 3) read-only tables that fill the eyes' openings, image-left eye first."""
    left, right = EYES
    return (
        _frozen(strip_triangles(left.upper_lid, left.lower_lid)),
        _frozen(strip_triangles(right.upper_lid[::-1], right.lower_lid[::-1])),
    )


@cache
def mouth_interior_triangles() -> I32:
    """(18, 3) read-only triangles that fill the mouth's opening between the inner lips."""
    return _frozen(strip_triangles(UPPER_LIP_INNER, LOWER_LIP_INNER))
