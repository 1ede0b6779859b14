"""What stands side by side: a portrait, its driver, what builds make of them, what a peer made."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import numpy as np

from facepuppet.core import F32, N_LANDMARKS, U8, FacepuppetError
from facepuppet.drivers import FaceFollower
from facepuppet.media import load_picture, open_source

_RENDER = "import sys; from facepuppet.cli import main; sys.argv[0] = 'facepuppet'; main()"
DEFAULT_FPS = 30.0


@dataclass(frozen=True, slots=True)
class Column:
    """Pictures of one face, tracked by themselves.

    Attributes:
        name: for people.
        pictures: (H, W, 3) uint8 each; a portrait has one.
        landmarks_px: (N, 478, 3), NaN where no face was seen.
    """

    name: str
    pictures: Sequence[U8]
    landmarks_px: F32

    def at(self, frame: int) -> tuple[U8, F32]:
        """The picture of a frame, and the landmarks of the nearest frame in which a face was seen."""
        frame = min(frame, len(self.pictures) - 1)
        seen = np.flatnonzero(np.isfinite(self.landmarks_px[:, 0, 0]))
        nearest = seen[np.abs(seen - frame).argmin()]
        return self.pictures[frame], self.landmarks_px[nearest]

    @property
    def has_face(self) -> bool:
        """Whether any picture shows one."""
        return bool(np.isfinite(self.landmarks_px[:, 0, 0]).any())


def tracked(name: str, pictures: Sequence[U8], fps: float = DEFAULT_FPS) -> Column:
    """Track pictures by themselves."""
    blank = np.full((N_LANDMARKS, 3), np.nan, np.float32)
    with closing(FaceFollower()) as follower:
        found = [follower.follow(rgb, round(n * 1e9 / fps)) for n, rgb in enumerate(pictures)]
    return Column(name, pictures, np.stack([blank if one is None else one for one in found]))


def portrait_column(path: Path) -> Column:
    """A portrait's picture."""
    return tracked("portrait", [load_picture(path)])


def video_column(name: str, path: Path, most: int | None = None) -> Column:
    """The pictures of a video, at most so many.

    Raises:
        CaptureError: it cannot be read.
    """
    with open_source(path) as source:
        fps = source.fps or DEFAULT_FPS
        pictures = [frame.rgb for frame in islice(iter(source.read, None), most)]
    return tracked(name, pictures, fps)


def shortened(video: Path, seconds: float, folder: Path) -> Path:
    """Copy the beginning of a video, packet by packet, without coding it anew."""
    short = folder / f"{video.stem}.mkv"
    with av.open(str(video)) as source, av.open(str(short), "w") as target:
        stream = source.streams.video[0]
        copied = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is None:
                continue
            if packet.pts is not None and float(packet.pts * packet.time_base) > seconds:
                break
            packet.stream = copied
            target.mux(packet)
    return short


def performed(checkout: Path, portrait: Path, driver: Path, output: Path) -> Path:
    """Let a build render a performance, in a process of its own.

    Args:
        checkout: of the build; what it finds there is what runs, in this interpreter's environment.
        portrait: a picture.
        driver: a video.
        output: the video to write.

    Raises:
        FacepuppetError: it could not.
    """
    words = ["render", "--avatar", portrait, "--input", driver, "--output", output]
    words += ["--canvas", "portrait", "--no-label", "--right", "public-domain"]
    # Statements made for a look leave no trace among the user's own.
    aside = {key: str(output.parent) for key in ("XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", _RENDER, *map(str, words)],
        env={**os.environ, **aside, "PYTHONPATH": str(checkout.resolve())},
        cwd=output.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise FacepuppetError(
            f"{checkout} that renders nothing: {done.stderr.strip()[-400:]}", "a build that works", "Run it."
        )
    return output
