"""Still pictures as a source: one image, or a folder of them in natural order."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import ImageUnreadableError, MediaUnreadableError
from facepuppet.core.types import U8, Frame
from facepuppet.media.file_kinds import is_picture
from facepuppet.media.formats import IMAGE_SUFFIXES
from facepuppet.media.pictures import load_picture
from facepuppet.media.source import Source

_NAMED = 5  # files in a message

log = logging.getLogger(__name__)


class ImageSource(Source):
    """One image, or every image of a folder, shown at `fps`.

    Names sort naturally (frame2 before frame10). Images are 8-bit RGB and upright whatever they
    were; a damaged one in a folder is skipped.

    Raises:
        MediaUnreadableError: no readable image there.
    """

    def __init__(self, path: Path, fps: float = 30.0, clock: Clock | None = None) -> None:
        self.description = str(path)
        self.fps: float | None = fps
        self.live = False
        self._period_s = 1.0 / fps
        self._clock = clock or SystemClock()
        paths = images_in(path) if path.is_dir() else [path]
        self._pictures = readable(paths, load_picture)
        self._next_id = 0
        self._first = self._next()
        if self._first is None:
            raise nothing_readable(path)
        self.n_frames: int | None = len(paths)
        self.size_px = (self._first.shape[1], self._first.shape[0])

    def read(self) -> Frame | None:
        """Return the next readable image, or None after the last."""
        rgb, self._first = self._first if self._first is not None else self._next(), None
        if rgb is None:
            return None
        frame = Frame(rgb, self._next_id, self._clock.now_ns(), self._next_id * self._period_s)
        self._next_id += 1
        return frame

    def close(self) -> None:
        """Forget what is left."""
        self._first = None
        self._pictures = iter(())

    def _next(self) -> U8 | None:
        return next((picture for _, picture in self._pictures), None)


def images_in(folder: Path) -> list[Path]:
    """Return the image files of a folder in natural order; what else is there is told in the log."""
    there = sorted((path for path in folder.iterdir() if not path.name.startswith(".")), key=_natural)
    images = [path for path in there if is_picture(path)]
    others = [path.name for path in there if path not in set(images)]
    if images and others:
        some = ", ".join(others[:_NAMED]) + (", …" if len(others) > _NAMED else "")
        log.warning("%s: only pictures are used; left out: %s", folder, some)
    return images


def readable(paths: Sequence[Path], load: Callable[[Path], U8]) -> Iterator[tuple[int, U8]]:
    """Yield each picture that `load` can read, with its place in the list; others are told and skipped."""
    for place, path in enumerate(paths):
        try:
            picture = load(path)
        except ImageUnreadableError as error:
            log.warning("%s: skipped (%s)", path, error)
            continue
        yield place, picture


def nothing_readable(path: Path) -> MediaUnreadableError:
    """Return the error of a picture that is damaged, or of a folder without any that is not."""
    return MediaUnreadableError(
        f"{str(path)!r}, which holds no readable image",
        f"an image, or a folder of images ({', '.join(sorted(IMAGE_SUFFIXES))})",
        "Choose another file or folder.",
    )


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort key: digit runs compare as numbers."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
