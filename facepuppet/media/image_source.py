"""Still pictures as a source: one image, or a folder of them in natural order."""

from __future__ import annotations

import io
import logging
import re
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import MediaUnreadableError
from facepuppet.core.types import U8, Frame
from facepuppet.media.source import Source

MAX_PIXELS = 64_000_000  # as for videos; what claims more is a trap or no picture of a face
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})

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
        self._paths = images_in(path) if path.is_dir() else [path]
        self._position = 0
        self._next_id = 0
        self._first = self._next_readable()
        if self._first is None:
            raise MediaUnreadableError(
                f"{str(path)!r}, which holds no readable image",
                f"an image, or a folder of images ({', '.join(sorted(SUFFIXES))})",
                "Choose another file or folder.",
            )
        self.n_frames: int | None = len(self._paths)
        self.size_px = (self._first.shape[1], self._first.shape[0])

    def read(self) -> Frame | None:
        """Return the next readable image, or None after the last."""
        rgb = self._first if self._first is not None else self._next_readable()
        self._first = None
        if rgb is None:
            return None
        frame = Frame(rgb, self._next_id, self._clock.now_ns(), self._next_id * self._period_s)
        self._next_id += 1
        return frame

    def close(self) -> None:
        """Forget what is left."""
        self._first = None
        self._position = len(self._paths)

    def _next_readable(self) -> U8 | None:
        while self._position < len(self._paths):
            path = self._paths[self._position]
            self._position += 1
            rgb = read_rgb(path)
            if rgb is not None:
                return rgb
            log.warning("%s: skipped, not a readable image", path)
        return None


def images_in(folder: Path) -> list[Path]:
    """Return the image files of a folder in natural order."""
    return sorted((path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES), key=_natural)


def read_rgb(path: Path) -> U8 | None:
    """Return an image as (H, W, 3) RGB uint8, EXIF rotation applied; None when it cannot be decoded."""
    try:
        # Not cv2.imread: on Windows it cannot open names outside the system's code page.
        data = np.fromfile(path, dtype=np.uint8)
        bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if _is_of_sane_size(data.tobytes()) else None
    except (OSError, cv2.error):
        return None
    return None if bgr is None else np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _is_of_sane_size(data: bytes) -> bool:
    """Judge by the header alone: decoding a picture of a few kilobytes may take gigabytes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as header:
                return bool(header.width * header.height <= MAX_PIXELS)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort key: digit runs compare as numbers."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
