"""What goes out in place of the puppet when its user wants nothing of it to be seen."""

from __future__ import annotations

import logging
import threading

import numpy as np

from facepuppet.core.i420 import to_i420
from facepuppet.core.types import U8, Composed, ComposedI420, Matte, Pixels
from facepuppet.watermark.mark import Marker
from facepuppet.watermark.marked import Marked

log = logging.getLogger(__name__)


class SafeCard:
    """A card, marked anew for each frame, so that the mark goes on in time.

    It needs no stage that makes puppets: it can be sent while they hang. Any thread may ask for it. Where a
    card cannot be marked (memory is full), the last one that could goes out again. Its matte says that
    nothing is background, so that all of it is shown wherever the puppet is cut out.

    Args:
        rgb: (H, W, 3) uint8 card of the marker's size.
        marker: this card's own.

    Attributes:
        pixels: what its frames are made as; canvases with an odd side are RGB all the same.
    """

    def __init__(self, rgb: U8, marker: Marker) -> None:
        self.pixels = Pixels.RGB
        self._rgb, self._marker = rgb, marker
        self._is_even = rgb.shape[0] % 2 == 0 and rgb.shape[1] % 2 == 0
        self._i420: U8 | None = None
        self._last: Marked | None = None
        self._marking = threading.Lock()

    def at(self, t_ns: int) -> Marked:
        """Return the marked card for a moment, monotonic."""
        with self._marking:
            try:
                self._last = self._marked(t_ns)
            except Exception as error:  # better a card that is old than none, or a puppet nobody wants seen
                if self._last is None:
                    raise
                log.debug("the last card goes out again", exc_info=error)
            return self._last

    def _marked(self, t_ns: int) -> Marked:
        if self.pixels is Pixels.RGB or not self._is_even:
            return self._marker.mark(Composed(self._rgb, 0, t_ns, self._matte(self._rgb)))
        if self._i420 is None:
            self._i420 = to_i420(self._rgb)
        return self._marker.mark_i420(ComposedI420(self._i420.copy(), 0, t_ns, self._matte(self._i420)))

    def _matte(self, card: U8) -> Matte:
        """Return that all of it hides what is behind; one byte for all pixels, so that it costs nothing."""
        return Matte(np.broadcast_to(np.uint8(255), self._rgb.shape[:2]), card)
