"""Who is listened to, of all who send to one port."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from facepuppet.drivers.remote.inbox import Packet
from facepuppet.wires import Decoder, MalformedPacketError, RestingDecoder, WireSample

SILENCE_NS = 1_000_000_000  # after which somebody else may speak
MOST_SENDERS = 8  # remembered at once

log = logging.getLogger(__name__)


class SendersHeard:
    """Listens to the first sender that makes sense, until it falls silent.

    Two phones at once would tear a puppet apart, and noise must not break into what a sender says over
    several packets: each has a decoder of its own.

    Attributes:
        malformed: packets so far that were none of the protocol.
        replaced: samples that newer ones came with.
        ignored: packets that somebody else sent meanwhile.
    """

    def __init__(self, make_decoder: Callable[[], Decoder]) -> None:
        self.malformed = self.ignored = self.replaced = 0
        self._make = make_decoder
        self._decoders: dict[tuple[str, int], Decoder] = {}
        self._speaker: tuple[str, int] | None = None
        self._heard_ns = 0

    def listen(self, packets: Sequence[Packet], now_ns: int) -> WireSample | None:
        """Return the newest that the speaker says in these packets; None when that is nothing new."""
        newest = None
        for packet in packets:
            speaking = self._speaker is not None and now_ns - self._heard_ns < SILENCE_NS
            if speaking and packet.sender != self._speaker:
                self.ignored += 1  # unread: understanding a flood takes longer than it takes to come
                continue
            sample = self._decoded(packet)
            if sample is None:
                continue
            if packet.sender != self._speaker:
                self._speaker = packet.sender
                log.info("hearing %s:%d", *packet.sender)
            self._heard_ns = now_ns
            self.replaced += newest is not None
            newest = sample
        return newest

    def recentre(self) -> None:
        """Take the next moments of uncalibrated senders for rest; called by who listens."""
        for decoder in self._decoders.values():
            if isinstance(decoder, RestingDecoder):
                decoder.recentre()

    def _decoded(self, packet: Packet) -> WireSample | None:
        decoder = self._decoders.get(packet.sender)
        if decoder is None:
            decoder = self._make()
        try:
            sample = decoder.decode(packet.content)
        except MalformedPacketError as error:
            self.malformed += 1
            if self.malformed == 1:
                log.warning("a packet from %s:%d was not understood: %s", *packet.sender, error)
            return None
        if packet.sender not in self._decoders:
            others = [sender for sender in self._decoders if sender != self._speaker]
            if len(self._decoders) >= MOST_SENDERS:
                del self._decoders[others[0]]
            self._decoders[packet.sender] = decoder
        return sample
