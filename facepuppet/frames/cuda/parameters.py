"""What the GPU is told of one frame: a C struct, defined here for both sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from facepuppet.core.types import N_LANDMARKS
from facepuppet.face.flesh_model import N_COMPONENTS
from facepuppet.face.topology import FACE_OVAL
from facepuppet.frames.cpu.render.fold_sides import Crossing
from facepuppet.frames.cpu.render.lid_layer import N_CURVE
from facepuppet.frames.cpu.render.relief import COLUMNS
from facepuppet.portrait.views import MAX_VIEWS

N_CROPS = 4  # of painters: frame, mouth, image-left eye, image-right eye

N_FOLDS = 8192  # rows and columns that cross folds; of more, the farthest are left as they are

N_MOUTH_LAYERS = 4  # cavity, tongue, lower and upper teeth

N_VIEW_LAYERS = 4  # face, mouth, image-left lids, image-right lids
N_VIEWS_SHARING = 3

# Name, C type, shape. All members are 4 bytes wide, so there is no padding on either side. Affine maps
# are (2, 3) row by row; regions and boxes are x, y, width, height, and empty when the width is 0.
_FIELDS: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    # of the motion, for every stage
    ("landmarks_px", "float", (N_LANDMARKS, 3)),
    # flow
    ("head_rotation", "float", (3, 3)),  # times the head's scale
    ("head_shift_px", "float", (2,)),
    ("torso_linear", "float", (2, 2)),
    ("torso_shift_px", "float", (2,)),
    ("lid_unfolding", "float", (2,)),
    ("face_box_px", "int", (4,)),
    ("face_cells", "int", (2,)),
    ("oval_weight", "float", (len(FACE_OVAL),)),
    # folds, the farthest first; columns are those of `Crossing`
    ("fold_count", "int", ()),
    ("folds", "float", (N_FOLDS, len(Crossing))),
    # flesh
    ("flesh_driven", "int", ()),
    ("flesh_drive", "float", (N_COMPONENTS,)),
    # views: face, mouth and lids; number −1 is none
    ("view_number", "int", (N_VIEW_LAYERS, N_VIEWS_SHARING)),
    ("view_share", "float", (N_VIEW_LAYERS, N_VIEWS_SHARING)),
    ("view_interior", "float", (MAX_VIEWS,)),
    # mouth
    ("mouth_box_px", "int", (4,)),
    ("mouth_strength", "float", ()),
    ("columns_from_mouth_box", "float", (N_MOUTH_LAYERS, 2, 3)),
    ("mouth_columns", "float", (N_MOUTH_LAYERS, COLUMNS, 3)),
    # eyes and lids
    ("eye_box_px", "int", (2, 4)),
    ("eye_outline_px", "float", (2, 16, 2)),
    ("eye_fade", "float", (2,)),
    ("eye_closing", "float", (2,)),
    ("sclera_from_eye_box", "float", (2, 2, 3)),
    ("iris_from_eye_box", "float", (2, 2, 3)),
    ("lid_box_px", "int", (2, 2, 4)),  # of each eye: skin, lashes
    ("lid_frame_from_moved", "float", (2, 2, 3)),
    ("lid_curves", "float", (2, N_CURVE, 3)),  # columns are those of `PlacedLid.curves`
    ("lid_skin_share", "float", (2,)),
    ("lid_lash_share", "float", (2,)),
    # painters
    ("crop_from_picture", "float", (N_CROPS, 2, 3)),
    ("picture_from_crop", "float", (N_CROPS, 2, 3)),
    ("crop_share", "float", (N_CROPS,)),
    # composition and mark
    ("label_shown", "int", ()),
    ("carrier_turn", "float", (2,)),  # cosine and minus sine of the carrier's phase
    ("mark_number", "int", ()),  # which frame it is, for who takes the marked picture
)
_NUMPY = {"float": "<f4", "int": "<i4"}
DTYPE = np.dtype([(name, _NUMPY[kind], shape) for name, kind, shape in _FIELDS])

# One record (its dtype is DTYPE), written by name: p["landmarks_px"][...] = ...
Parameters = npt.NDArray[Any]


def c_struct() -> str:
    """Return the struct's definition in C."""
    members = [f"    {kind} {name}{''.join(f'[{n}]' for n in shape)};" for name, kind, shape in _FIELDS]
    return "\n".join(["struct Parameters {", *members, "};", ""])
