"""Pictures handed over when their last packet is here, in place of when the next picture begins."""

from __future__ import annotations

from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket

_BUFFER = "_RTCRtpReceiver__jitter_buffer"  # as in `packets_held`: there is no public way
_PAYLOAD = "_data"  # of a packet, once its descriptor is taken off


def hand_over_at_once(receiver: RTCRtpReceiver | None) -> bool:
    """Let a receiver of pictures wait no longer than it must; return whether it could be told.

    aiortc takes a picture for complete when a packet of another one comes, which makes each late by one
    picture's time: 33 ms at 30 a second, and a second at one a second
    (findings/aiortc_shows_a_picture_when_the_next_one_comes.sh). RTP marks a picture's last packet
    (RFC 3551, 4.1). Where aiortc's inside has changed, pictures come as it hands them over.

    Args:
        receiver: of pictures, before its first packet; None if it is not known.
    """
    held = getattr(receiver, _BUFFER, None)
    if not isinstance(held, JitterBuffer) or not hasattr(held, "_remove_frame"):
        return False
    setattr(receiver, _BUFFER, MarkedEndBuffer(capacity=held.capacity, is_video=True))
    return True


class MarkedEndBuffer(JitterBuffer):
    """Knows a picture's end by its mark, too."""

    def _remove_frame(self, sequence_number: int) -> JitterFrame | None:
        frame = super()._remove_frame(sequence_number)
        if frame is not None or self._origin is None:
            return frame
        packets: list[RtpPacket] = []
        for count in range(self.capacity):
            packet = self._packets[(self._origin + count) % self.capacity]
            if packet is None or (packets and packet.timestamp != packets[0].timestamp):
                return None
            packets.append(packet)
            if packet.marker:
                self.remove(len(packets))
                return JitterFrame(b"".join(getattr(one, _PAYLOAD) for one in packets), packet.timestamp)
        return None
