"""A user's own bits: recordings of a folder, made by `facepuppet record`, without the rest at either end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from facepuppet.character.bits import CARRIED, LONGEST_S, Bit, built_in_bits
from facepuppet.core.errors import RecordingError
from facepuppet.core.types import F32, Expression, FacePose
from facepuppet.drivers.plausible import implausible
from facepuppet.drivers.recording_reader import RecordingReader
from facepuppet.face.deformation import blendshape_weights

MOST_BITS = 50
_SHORTEST_S = 0.3
_FPS = 30.0  # cameras give moments unevenly; bits have them evenly
_MOST_FPS = 240.0
_LONGEST_READ_S = 60.0  # with the rest at both ends
_STILL_RAD, _STILL_WEIGHT = 0.03, 0.08  # from the first moment, up to which a face counts as still
_LEAD_S = 0.15  # of the rest that stays at both ends, for a bit to begin and end from
_KNOWN = "a recording of one face, at most 10 s of it in motion"


def load_bits(folder: Path) -> Mapping[str, Bit]:
    """Return the built-in bits and those of a folder, by name; an own one comes before a built-in one.

    Args:
        folder: with recordings (.npz); the name of each is its file's.

    Raises:
        RecordingError: no such folder, none or too many recordings in it, or one that is no bit.
    """
    files = sorted(folder.glob("*.npz")) if folder.is_dir() else []
    if not 0 < len(files) <= MOST_BITS:
        raise RecordingError(
            f"'{folder}' with {len(files)} recordings",
            f"a folder with 1 to {MOST_BITS} recordings (.npz)",
            "Make one: facepuppet record --output FOLDER/NAME.npz",
        )
    own = {path.stem: load_bit(path) for path in files}
    return {**own, **{name: bit for name, bit in built_in_bits().items() if name not in own}}


def load_bit(path: Path) -> Bit:
    """Read one bit.

    Raises:
        RecordingError: no recording, one that is damaged or too long, or that shows no face in motion.
    """
    reader = RecordingReader(path)
    try:
        if reader.n_frames > _LONGEST_READ_S * _MOST_FPS:
            raise _no_bit(path, f"has {reader.n_frames} moments")
        told = [(one.captured_ns * 1e-9, _face(path, one)) for one in reader]
    finally:
        reader.close()
    weights, turns = _even(path, [(t_s, face) for t_s, face in told if face is not None])
    begin, end = _in_motion(path, weights, turns)
    seconds = (end - begin) / _FPS
    if seconds > LONGEST_S:
        raise _no_bit(path, f"moves for {seconds:.0f} s")
    # Told against how it begins: where that person sat is no part of the bit.
    return Bit(path.stem, _FPS, weights[begin:end], (turns - turns[begin])[begin:end])


def _face(path: Path, expression: Expression) -> FacePose | None:
    wrong = implausible(expression)
    if wrong is not None:
        raise _no_bit(path, f"has {wrong}")
    return expression.face


def _even(path: Path, faces: list[tuple[float, FacePose]]) -> tuple[F32, F32]:
    """Weights (n, 52) and turns (n, 3) at even times."""
    times = np.array([t_s for t_s, _ in faces])
    if len(times) < 2 or times[-1] - times[0] < _SHORTEST_S:
        raise _no_bit(path, "shows a face for less than a third of a second")
    if times[-1] - times[0] > _LONGEST_READ_S or (np.diff(times) < 0).any():
        raise _no_bit(path, f"lasts {times[-1] - times[0]:.0f} s")
    known = np.array([[*(blendshape_weights(f.deformation) * CARRIED), *f.head.turn] for _, f in faces])
    even = np.arange(times[0], times[-1], 1.0 / _FPS)
    at = np.stack([np.interp(even, times, column) for column in known.T], axis=1).astype(np.float32)
    return at[:, : len(CARRIED)], at[:, len(CARRIED) :]


def _in_motion(path: Path, weights: F32, turns: F32) -> tuple[int, int]:
    """Where the motion begins and ends, with a little rest around it."""
    n = len(turns)
    begun = _moves(weights, turns, 0)
    if not begun.any():
        raise _no_bit(path, "keeps still")
    ended = _moves(weights, turns, n - 1)
    lead = round(_LEAD_S * _FPS)
    begin = max(int(np.argmax(begun)) - lead, 0)
    end = min(n - int(np.argmax(ended[::-1])) + lead, n)
    return (begin, end) if end - begin > 1 else (0, n)


def _moves(weights: F32, turns: F32, rest: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """(n,) bool: whether a moment is away from that one."""
    turned = np.linalg.norm(turns - turns[rest], axis=1) > _STILL_RAD
    return np.asarray(turned | (np.abs(weights - weights[rest]).max(axis=1) > _STILL_WEIGHT))


def _no_bit(path: Path, what: str) -> RecordingError:
    return RecordingError(f"'{path}', which {what}", _KNOWN, "Record it again, shorter; or take it away.")
