"""What a peer sends is decoded as far as a host can afford it, and no further once the peer is gone.

aiortc 1.16 bounds neither what waits for its decoder, which may hold up the event loop that sessions share,
nor how many streams of a peer it keeps an account of. There is no public way to bound these: where its inside
has changed, they stay as they are.
"""

from __future__ import annotations

import queue
import struct
import threading
from collections.abc import Callable
from typing import Any

from aiortc import RTCRtpReceiver

MOST_WAITING = 15  # pictures, half a second; or blocks of sound
MOST_STREAMS = 16  # a browser sends one of each kind, and what repeats its packets
_VP8_KEY = b"\x9d\x01\x2a"  # RFC 6386, 9.1
_INSIDE = "_RTCRtpReceiver__"


def bound_decoding(
    receiver: RTCRtpReceiver | None, most_px: int = 0, on_large: Callable[[], None] = lambda: None
) -> bool:
    """Bound what a receiver decodes and keeps; return whether it could be told.

    Args:
        receiver: before its first packet; None if it is not known.
        most_px: width times height of the largest picture in VP8 that is decoded; 0 for any.
        on_large: called in the event loop for each that is not.
    """
    failed = getattr(receiver, f"{_INSIDE}decoder_error", None)
    if not isinstance(failed, threading.Event):
        return False
    setattr(receiver, f"{_INSIDE}decoder_queue", FewToDecode(failed, most_px, on_large))
    router = getattr(getattr(receiver, "transport", None), "_rtp_router", None)
    for whose, name in (
        (receiver, f"{_INSIDE}remote_streams"),
        (receiver, f"{_INSIDE}active_ssrc"),
        (router, "ssrc_table"),
    ):
        known = getattr(whose, name, None)
        if isinstance(known, dict) and not isinstance(known, Few):
            setattr(whose, name, Few(known))
    return True


class FewToDecode(queue.Queue[Any]):
    """Encoded pictures on their way to a decoder: where it cannot keep up, those that wait are forgotten.

    Args:
        failed: set where some were forgotten, so that the peer is asked for a whole picture.
        most_px: see `bound_decoding`.
        on_large: likewise.
    """

    def __init__(self, failed: threading.Event, most_px: int, on_large: Callable[[], None]) -> None:
        super().__init__()
        self._failed, self._most_px, self._on_large = failed, most_px, on_large

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Take a picture with its codec; None, after which there are no more, comes before all others."""
        if item is None or self.qsize() >= MOST_WAITING:
            self._forget()
            self._failed.set()
        if item is not None and 0 < self._most_px < _vp8_px(*item):
            self._on_large()
            return
        super().put(item, block, timeout)

    def _forget(self) -> None:
        try:
            while True:
                self.get_nowait()
        except queue.Empty:
            return


class Few(dict[int, Any]):
    """Forgets the oldest of its keys where there would be more than `MOST_STREAMS`."""

    def __setitem__(self, key: int, value: Any) -> None:
        if key not in self and len(self) >= MOST_STREAMS:
            del self[next(iter(self))]
        super().__setitem__(key, value)


def _vp8_px(codec: Any, frame: Any) -> int:
    """Return what a key frame says of its width times height: memory is taken before it is decoded."""
    data: bytes = frame.data[:10]
    if codec.mimeType.lower() != "video/vp8" or len(data) < 10 or data[0] & 1 or data[3:6] != _VP8_KEY:
        return 0
    width, height = struct.unpack("<HH", data[6:])
    return int(width & 0x3FFF) * int(height & 0x3FFF)
