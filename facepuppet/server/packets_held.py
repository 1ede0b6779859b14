"""How many packets of sound aiortc holds back before it hands one over."""

from __future__ import annotations

from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterBuffer

USUALLY_HELD = 4  # packets, 20 ms each from browsers
_BUFFER = "_RTCRtpReceiver__jitter_buffer"
_ROOM = 2  # packets; one that is lost is passed over when the second after it comes


def hold_less(receiver: RTCRtpReceiver | None) -> int:
    """Let a receiver of sound hold one packet and no more; return how many it holds.

    aiortc holds four, and after one that is lost fifteen for the rest of the connection: sound is then 0.3 s
    late, where pictures are held for one picture. `Passage` holds as much as sound needs, and no more. There
    is no public way to choose: where aiortc's inside has changed, four stay four.

    Args:
        receiver: of sound, before its first packet or later; None if it is not known.
    """
    if receiver is None or not isinstance(getattr(receiver, _BUFFER, None), JitterBuffer):
        return USUALLY_HELD
    setattr(receiver, _BUFFER, JitterBuffer(capacity=_ROOM))
    return 1
