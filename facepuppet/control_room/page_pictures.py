"""What the page shows in motion, made once for all who look."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import IntEnum

from facepuppet.control_room.mesh_points import mesh_bytes
from facepuppet.control_room.page_preview import PagePreview
from facepuppet.control_room.small_pictures import frame_jpeg
from facepuppet.core.clock import Clock
from facepuppet.core.types import Expression
from facepuppet.session.show import Felt, Show
from facepuppet.watermark.marked import Marked

WIDTHS_PX = (160, 320, 480, 640)  # a few, so that sixteen who look cost no sixteen pictures
_HEAD = struct.Struct("<BIH")
_MOOD = struct.Struct("<Bhh")  # 0 nobody, 1 a face, 2 a voice; valence and arousal in thousandths
_OF = ("nobody", "face", "voice")
_OLDEST_MS = 0xFFFF

log = logging.getLogger(__name__)


class Kind(IntEnum):
    """What a picture shows."""

    OUTPUT = 1
    MESH = 2
    CAMERA = 3
    MOOD = 4


@dataclass(frozen=True, slots=True)
class PagePicture:
    """One picture for the page.

    Attributes:
        kind: what it shows.
        captured_ns: when the driver did what it shows, monotonic.
        payload: as `Kind` says: a JPEG, points (see `mesh_bytes`), or a place on the map of moods.
    """

    kind: Kind
    captured_ns: int
    payload: bytes

    def message(self, number: int, now_ns: int) -> bytes:
        """Return it as it is sent.

        Args:
            number: counts what one socket sends, from 1.
            now_ns: of sending, monotonic.
        """
        age_ms = min(max(now_ns - self.captured_ns, 0) // 1_000_000, _OLDEST_MS)
        return _HEAD.pack(self.kind, number & 0xFFFFFFFF, age_ms) + self.payload


class PagePictures:
    """Makes pictures of what is newest; of one moment and size only one, whoever asks.

    Those of the output and the mesh are made at once, in the server's thread: half a millisecond each. A
    camera may hang, and so has a thread of its own.

    Args:
        show: the run.
        preview: keeps what goes out.
        worker: the thread that asks the camera.
        clock: tells when.
    """

    def __init__(self, show: Show, preview: PagePreview, worker: Executor, clock: Clock) -> None:
        self._show, self._preview, self._worker, self._clock = show, preview, worker, clock
        self._kept: dict[tuple[Kind, int], tuple[object, PagePicture | None]] = {}
        self._looking: dict[int, tuple[object, asyncio.Future[PagePicture | None]]] = {}
        self._failed = False

    async def newest(self, kind: Kind, width_px: int) -> PagePicture | None:
        """Return the newest picture; the same object for the same moment, None where there is none.

        Args:
            kind: what it shall show.
            width_px: how wide at most; the next smaller one of WIDTHS_PX is taken, but of a mesh.
        """
        width = fitting_width(width_px)
        match kind:
            case Kind.OUTPUT:
                frame = self._preview.newest
                return self._of(frame, (kind, width), lambda: _output(frame, width))
            case Kind.MESH:
                expression = self._show.expression
                return self._of(expression, (kind, 0), lambda: _mesh(expression))
            case Kind.MOOD:
                expression = self._show.expression
                return self._of(expression, (kind, 0), lambda: _mood(self._show.felt, expression))
            case Kind.CAMERA:
                return await self._seen(self._show.expression, width)

    def forget(self) -> None:
        """Keep nothing: nobody looks any more."""
        self._kept.clear()
        self._looking.clear()

    def _of(
        self, source: object, key: tuple[Kind, int], make: Callable[[], PagePicture | None]
    ) -> PagePicture | None:
        """Return the picture of a source, made once."""
        kept = self._kept.get(key)
        if kept is None or kept[0] is not source:
            kept = self._kept[key] = source, self._made(make)
        return kept[1]

    async def _seen(self, moment: object, width: int) -> PagePicture | None:
        """Return what the camera sees, looked at once a moment."""
        kept = self._looking.get(width)
        if kept is None or kept[0] is not moment:
            looking = asyncio.get_running_loop().run_in_executor(
                self._worker, self._made, lambda: self._camera(width)
            )
            kept = self._looking[width] = moment, looking
        return await asyncio.shield(kept[1])

    def _camera(self, width: int) -> PagePicture | None:
        seen = self._show.driver.look(width)
        return None if seen is None else PagePicture(Kind.CAMERA, self._clock.now_ns(), seen)

    def _made(self, make: Callable[[], PagePicture | None]) -> PagePicture | None:
        try:
            return make()
        except Exception as error:  # no picture on the page; what goes out is whole
            if not self._failed:
                log.exception("the control room has no picture: %s", error)
            self._failed = True
            return None


def _output(frame: Marked | None, width: int) -> PagePicture | None:
    if frame is None:
        return None
    return PagePicture(Kind.OUTPUT, frame.captured_ns, frame_jpeg(frame, width))


def _mesh(expression: Expression | None) -> PagePicture | None:
    if expression is None:
        return None
    return PagePicture(Kind.MESH, expression.captured_ns, mesh_bytes(expression))


def _mood(felt: Felt | None, expression: Expression | None) -> PagePicture | None:
    if expression is None:
        return None
    felt = felt or Felt(_OF[0], 0.0, 0.0)
    payload = _MOOD.pack(_OF.index(felt.of), round(1000 * felt.valence), round(1000 * felt.arousal))
    return PagePicture(Kind.MOOD, expression.captured_ns, payload)


def fitting_width(width_px: int) -> int:
    """Return the largest one of WIDTHS_PX that is no wider, or the smallest."""
    return max((width for width in WIDTHS_PX if width <= width_px), default=WIDTHS_PX[0])
