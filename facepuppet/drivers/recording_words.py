"""From a file's name to what records into it, and what plays it: .npz, or .csv as Live Link Face has it."""

from __future__ import annotations

from pathlib import Path

from facepuppet.core.errors import OutputUnwritableError
from facepuppet.drivers.base import Driver
from facepuppet.drivers.expression_writer import ExpressionWriter
from facepuppet.drivers.recorded import RecordedDriver
from facepuppet.drivers.recording_format import RECORDING_SUFFIX, TAKE_SUFFIX, is_recording, is_take


def is_playable(spec: str | Path) -> bool:
    """Whether a word means a performance on this machine: by its ending, and no address."""
    return is_recording(spec) or is_take(spec)


def open_playable(spec: str | Path) -> Driver:
    """Open a performance.

    Raises:
        RecordingError: it cannot be read.
    """
    path = Path(spec).expanduser()
    if not is_take(spec):
        return RecordedDriver(path)
    from facepuppet.drivers.livelink_take import LiveLinkTakeDriver  # and all that reads tables

    return LiveLinkTakeDriver(path)


def open_writer(path: Path, description: str = "", fps: float | None = None) -> ExpressionWriter:
    """Open what records into a file.

    Args:
        path: .npz keeps all to the bit; .csv keeps ARKit's shapes and angles.
        description: who the driver is.
        fps: nominal expressions a second, None when unknown.

    Raises:
        OutputUnwritableError: another ending, no such folder, read-only, or disk full.
    """
    # Writers ask for the program's version, which takes longer than a start without one should.
    if is_take(path):
        from facepuppet.drivers.livelink_take_writer import LiveLinkTakeWriter

        return LiveLinkTakeWriter(path)
    if not is_recording(path):
        expected = f"a name that ends in {RECORDING_SUFFIX} or {TAKE_SUFFIX}"
        raise OutputUnwritableError(f"'{path}'", expected, "Rename the recording.")
    from facepuppet.drivers.recording_writer import RecordingWriter

    return RecordingWriter(path, description, fps)
