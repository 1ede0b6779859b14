"""How a video file is written, by the ending of its name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from facepuppet.core.errors import OutputUnwritableError

CHOOSE = "Choose another output."


@dataclass(frozen=True, slots=True)
class Format:
    """How a file name ending is written."""

    container: str
    codec: str
    options: dict[str, str]
    container_options: dict[str, str] = field(default_factory=dict)


H264 = {"crf": "18", "preset": "veryfast"}
VP9 = {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}
FASTSTART = {"movflags": "+faststart"}  # plays while it still downloads
FORMATS = {
    ".mp4": Format("mp4", "libx264", H264, FASTSTART),
    ".mov": Format("mov", "libx264", H264, FASTSTART),
    ".mkv": Format("matroska", "libx264", H264),
    ".webm": Format("webm", "libvpx-vp9", VP9),
}


def format_of(path: Path) -> Format:
    """Return how a file is written, by its ending.

    Raises:
        OutputUnwritableError: an unknown ending.
    """
    style = FORMATS.get(path.suffix.lower())
    if style is None:
        raise OutputUnwritableError(
            f"{str(path)!r}",
            f"a name that ends in {', '.join(FORMATS)}",
            "Rename the output.",
        )
    return style
