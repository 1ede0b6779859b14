"""How many packets of sound aiortc holds back before it hands one over."""

from __future__ import annotations

from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import MAX_MISORDER, JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket
from aiortc.utils import uint16_add

USUALLY_HELD = 4  # packets, 20 ms each from browsers
_BUFFER = "_RTCRtpReceiver__jitter_buffer"


class AtOnce(JitterBuffer):
    """Hands each packet over when it comes; never one that comes after what follows it, or is empty.

    A packet of Opus is whole by itself. One of no bytes would end FFmpeg's decoder for good.
    """

    def __init__(self) -> None:
        super().__init__(capacity=1)
        self._newest: int | None = None

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Take a packet; return that no picture is missing, and what there is to decode."""
        number, data = packet.sequence_number, packet._data  # type: ignore[attr-defined]
        # A number that is far behind belongs to a sender that has begun anew.
        if not data or (self._newest is not None and uint16_add(self._newest, -number) < MAX_MISORDER):
            return False, None
        self._newest = number
        return False, JitterFrame(data, packet.timestamp)


def hold_less(receiver: RTCRtpReceiver | None) -> int:
    """Let a receiver of sound hold no packet back; return how many it holds.

    aiortc holds four, and after one that is lost fifteen for the rest of the connection: sound is then 0.3 s
    late, where pictures are held for one picture. `Passage` holds as much as sound needs, and no more. There
    is no public way to choose: where aiortc's inside has changed, four stay four.

    Args:
        receiver: of sound, before its first packet or later; None if it is not known.
    """
    if receiver is None or not isinstance(getattr(receiver, _BUFFER, None), JitterBuffer):
        return USUALLY_HELD
    setattr(receiver, _BUFFER, AtOnce())
    return 0
