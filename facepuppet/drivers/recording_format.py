"""A performance on disk: every expression of a run, to the bit.

A recording is a .npz file (NumPy opens it, too): a ZIP archive of `about.json`, which names the format,
of `frames_000000.npy` and so on with up to 256 expressions each, as a structured array of FRAME, and of
`end.json` with their number, without which it was cut off. It holds no picture of anybody, but how a
person moves; personal all the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facepuppet.core.types import (
    N_BLENDSHAPES,
    N_LANDMARKS,
    Blendshapes,
    Expression,
    FacePose,
    HeadPose,
    LandmarkOffsets,
    Part,
    TorsoPose,
)

RECORDING_SUFFIX = ".npz"
TAKE_SUFFIX = ".csv"  # of Live Link Face
SCHEMA = 2
FRAME = np.dtype(
    [
        ("frame_id", "<i8"),
        ("captured_ns", "<i8"),
        ("face", "u1"),  # 0 not seen, 1 told by landmarks, 2 by blendshapes
        ("turn", "<f4", 3),  # from here on as `facepuppet.core.types.Expression`; 0 where not told
        ("shift", "<f8", 2),
        ("log_scale", "<f8"),
        ("gaze", "<f8", (2, 2)),
        ("eye_opening", "<f4", 2),
        ("offsets", "<f4", (N_LANDMARKS, 3)),
        ("mouth_width", "<f8"),
        ("blendshapes", "<f4", N_BLENDSHAPES),
        ("torso", "u1"),  # 1 seen
        ("torso_lean", "<f8", 2),
        ("torso_roll_rad", "<f8"),
        ("torso_log_scale", "<f8"),
        ("hidden", "u1"),  # one bit for each of `Part`, in its order
    ]
)
# Of each format that is read: the first told of nothing that hides a face.
FRAMES = {1: np.dtype([(name, FRAME[name]) for name in FRAME.names or () if name != "hidden"]), SCHEMA: FRAME}
CHUNK = 256  # frames: no more is ever in memory
_UNSEEN, _BY_LANDMARKS, _BY_BLENDSHAPES = 0, 1, 2
ABOUT, END = "about.json", "end.json"
MOST_BYTES = FRAME.itemsize * CHUNK + 4096  # of a member, its header included

Row = Any  # one entry of a structured array: NumPy's types do not tell its fields


def is_recording(spec: str | Path) -> bool:
    """Whether a word means a recording on this machine: by its ending, and no address."""
    return _is_local(spec, RECORDING_SUFFIX)


def is_take(spec: str | Path) -> bool:
    """Whether a word means a table of Live Link Face on this machine, the same way."""
    return _is_local(spec, TAKE_SUFFIX)


def _is_local(spec: str | Path, suffix: str) -> bool:
    return "://" not in str(spec) and str(spec).lower().endswith(suffix)


def member_name(number: int) -> str:
    """Name the n-th member with frames."""
    return f"frames_{number:06d}.npy"


def row_of(expression: Expression) -> Row:
    """Return an expression as one entry of FRAME."""
    rows = np.zeros(1, FRAME)
    row = rows[0]
    row["frame_id"], row["captured_ns"] = expression.frame_id, expression.captured_ns
    face, torso = expression.face, expression.torso
    if face is not None:
        row["turn"], row["shift"], row["log_scale"] = face.head.turn, face.head.shift, face.head.log_scale
        row["gaze"], row["eye_opening"] = face.gaze, face.eye_opening
        if isinstance(face.deformation, LandmarkOffsets):
            row["face"] = _BY_LANDMARKS
            row["offsets"], row["mouth_width"] = face.deformation.offsets, face.deformation.mouth_width
        else:
            row["face"], row["blendshapes"] = _BY_BLENDSHAPES, face.deformation.weights
    if torso is not None:
        row["torso"] = 1
        row["torso_lean"], row["torso_roll_rad"] = torso.lean, torso.roll_rad
        row["torso_log_scale"] = torso.log_scale
    row["hidden"] = sum(1 << bit for bit, part in enumerate(Part) if part in expression.hidden)
    return row


def expression_of(row: Row) -> Expression:
    """Return the expression that an entry holds; its arrays are its own."""
    face: FacePose | None = None
    if row["face"] != _UNSEEN:
        head = HeadPose(row["turn"].copy(), _pair(row["shift"]), float(row["log_scale"]))
        deformation = (
            LandmarkOffsets(row["offsets"].copy(), float(row["mouth_width"]))
            if row["face"] == _BY_LANDMARKS
            else Blendshapes(row["blendshapes"].copy())
        )
        face = FacePose(head, row["gaze"].copy(), row["eye_opening"].copy(), deformation)
    torso = (
        TorsoPose(_pair(row["torso_lean"]), float(row["torso_roll_rad"]), float(row["torso_log_scale"]))
        if row["torso"]
        else None
    )
    bits = int(row["hidden"]) if "hidden" in row.dtype.names else 0
    hidden = frozenset(part for bit, part in enumerate(Part) if bits >> bit & 1)
    return Expression(face, torso, int(row["frame_id"]), int(row["captured_ns"]), hidden)


def _pair(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    return float(values[0]), float(values[1])
