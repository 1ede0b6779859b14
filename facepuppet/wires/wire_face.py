"""One face in one set of units, whatever protocol told of it.

    datagram → Decoder → Heard → Expression (drivers)        Expression → Told → Encoder → datagrams (senders)

Decoders and encoders know bytes, names, orders, signs and units of one protocol; from here on nobody does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from facepuppet.core.types import F32


class MalformedPacketError(ValueError):
    """A packet that is none of its protocol, was cut short, or holds what is no number."""


@dataclass(frozen=True, slots=True)
class WireFace:
    """A face.

    Attributes:
        weights: (52,) float32 in ARKit's order, each in [0, 1]; shapes that a protocol does not have are 0.
        head_rad: (3,) float32 yaw, pitch and roll, signs as in `facepuppet.core.types`.
        eyes_rad: (2, 2) float32 yaw and pitch of each eye against the head, image-left eye first; None where
            the eyeLook* among the weights tell.
        position_m: (3,) float32 of the head from wherever the sender counts, in metres to the image right,
            down and away from the viewer; None where it is not told.
    """

    weights: F32
    head_rad: F32
    eyes_rad: F32 | None = None
    position_m: F32 | None = None


@dataclass(frozen=True, slots=True)
class WireSample:
    """What a sender says of one moment.

    Attributes:
        face: None where the sender is there but sees nobody.
        sent_s: the moment by the sender's own clock, from wherever that counts; None where it is not told.
    """

    face: WireFace | None
    sent_s: float | None = None


class Decoder(Protocol):
    """Understands one sender; it may keep what earlier packets said."""

    def decode(self, packet: bytes) -> WireSample | None:
        """Return what a packet completes; None where it completes nothing (yet).

        Raises:
            MalformedPacketError: the packet is none of the protocol's. What was said before still counts.
        """


@runtime_checkable
class RestingDecoder(Decoder, Protocol):
    """One that takes a sender's first moments for rest, as that has not calibrated its face itself."""

    def recentre(self) -> None:
        """Take the next moments for rest."""


class Encoder(Protocol):
    """Speaks one protocol; it may keep what it has said before."""

    def encode(self, sample: WireSample) -> Sequence[bytes]:
        """Return the packets that say it, in order; none where the protocol has no words for nobody."""
