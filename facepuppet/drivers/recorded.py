"""A performance on disk: every tracking of a run, as plain arrays."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facepuppet.core.files import write_whole
from facepuppet.core.types import F32, N_BLENDSHAPES, N_LANDMARKS, Tracking

_FACE_SHAPES = {
    "landmarks_px": (N_LANDMARKS, 3),
    "camera_from_head": (3, 3),
    "gaze_rad": (2,),
    "eye_opening": (2,),
    "blendshapes": (N_BLENDSHAPES,),
}


class TrackingRecorder:
    """Collects trackings and writes them as one .npz file.

    The file holds, for N frames: `pts_s` (N,), `image_size_px` (N, 2), the arrays of
    `facepuppet.core.types.Face` by their names with a leading N, `shoulders_px` (N, 2, 2) and
    `shoulders_confidence` (N,). What was not seen is NaN.
    """

    def __init__(self) -> None:
        self._trackings: list[Tracking] = []
        self._pts_s: list[float] = []

    def add(self, tracking: Tracking, pts_s: float) -> None:
        """Append one frame."""
        self._trackings.append(tracking)
        self._pts_s.append(pts_s)

    def save(self, path: Path) -> None:
        """Write the file, under exactly this name.

        Raises:
            OutputUnwritableError: it cannot be written.
        """
        content = io.BytesIO()
        np.savez_compressed(content, **_arrays(self._trackings, self._pts_s))
        write_whole(path, content.getvalue())


def _arrays(trackings: Sequence[Tracking], pts_s: Sequence[float]) -> dict[str, npt.NDArray[Any]]:
    n = len(trackings)
    arrays: dict[str, npt.NDArray[Any]] = {
        "pts_s": np.asarray(pts_s, dtype=np.float64),
        "image_size_px": np.array([t.image_size_px for t in trackings], dtype=np.int32).reshape(n, 2),
        "shoulders_px": _nans(n, 2, 2),
        "shoulders_confidence": _nans(n),
        **{name: _nans(n, *shape) for name, shape in _FACE_SHAPES.items()},
    }
    for i, tracking in enumerate(trackings):
        if tracking.face is not None:
            for name in _FACE_SHAPES:
                arrays[name][i] = getattr(tracking.face, name)
        if tracking.torso is not None:
            arrays["shoulders_px"][i] = tracking.torso.shoulders_px
            arrays["shoulders_confidence"][i] = tracking.torso.confidence
    return arrays


def _nans(*shape: int) -> F32:
    return np.full(shape, np.nan, dtype=np.float32)
