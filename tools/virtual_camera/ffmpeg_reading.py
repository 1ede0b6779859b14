"""ffmpeg as the program that reads the camera."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 60.0


@dataclass(frozen=True)
class FFmpegRead:
    """What it saw; nothing of the size where it was refused."""

    size_px: tuple[int, int] | None
    frames: int
    distinct: int
    refusal: str

    def __str__(self) -> str:
        """Return it as a few words."""
        if self.size_px is None:
            return f"refused: {self.refusal}"
        return f"{self.size_px[0]}x{self.size_px[1]}, {self.frames} frames, {self.distinct} distinct"


def ffmpeg_reads(node: str, seconds: float) -> FFmpegRead:
    """Read for so long, and count the frames and those that differ."""
    command = _command(node, seconds, "-f", "framecrc", "-")
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S + seconds, check=False)
    size = re.search(r"Video: rawvideo.*?, (\d+)x(\d+)", done.stderr)
    sums = [line.rpartition(",")[2] for line in done.stdout.splitlines() if line[:1].isdigit()]
    refusal = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""
    size_px = (int(size[1]), int(size[2])) if size and sums else None
    return FFmpegRead(size_px, len(sums), len(set(sums)), refusal)


def ffmpeg_records(node: str, seconds: float, output: Path) -> None:
    """Record the camera as a video; raises CalledProcessError."""
    encoder = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", str(output))
    subprocess.run(
        _command(node, seconds, *encoder), capture_output=True, timeout=PATIENCE_S + seconds, check=True
    )


def _command(node: str, seconds: float, *output: str) -> list[str]:
    start = ["ffmpeg", "-hide_banner", "-nostats", "-nostdin", "-y", "-f", "v4l2", "-i", node]
    return [*start, "-t", f"{seconds:g}", "-fps_mode", "passthrough", *output]
