"""From a picture to an avatar that keeps the limits, or is forced past them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from calibrate.gate_lines import gate_lines
from calibrate.gates import admit, measure_gates
from calibrate.landmarks import fit_landmarks, read_points
from facepuppet.media import load_picture
from facepuppet.portrait import Avatar, analyse_file, load_avatar


def open_portrait(
    path: Path, *, force: bool = False, landmarks: Path | None = None, tell: Callable[[str], None]
) -> Avatar:
    """Analyse a portrait and judge it by the gates.

    Args:
        path: the picture.
        force: go on past every limit that is not a technical one.
        landmarks: a file of hand-placed landmarks. Who places them vouches for the face, so it forces too.
        tell: told a line for each gate.

    Raises:
        PortraitError: the picture will not do.
    """
    if landmarks is not None:
        height, width = load_picture(path).shape[:2]
        placed = fit_landmarks(read_points(landmarks, (width, height)))
        made = analyse_file(path, landmarks_px=placed)
    else:
        made = analyse_file(path, force=True) if force else load_avatar(path)
    gates = measure_gates(made)
    admit(gates, name=path.name, force=force or landmarks is not None)
    for line in gate_lines(gates):
        tell(line)
    return made
