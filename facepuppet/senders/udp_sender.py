"""A face by packets to one address."""

from __future__ import annotations

import socket

from facepuppet.core.errors import SenderError
from facepuppet.senders.sender import Sender
from facepuppet.wires import Encoder, WireSample


class UdpSender(Sender):
    """Speaks one protocol to one address, whether or not anybody hears.

    Raises:
        SenderError: there is no such address.
    """

    def __init__(self, protocol: str, encoder: Encoder, host: str, port: int) -> None:
        self.description = f"{protocol} to {host}:{port}"
        self._encoder = encoder
        try:
            family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        except OSError as error:
            raise SenderError(
                f"{host!r}, which is no address ({error.strerror or error})",
                "the name or number of the machine that listens",
                "Check its spelling, and that it is in the same network.",
            ) from error
        self._address = address
        self._socket = socket.socket(family, kind)
        self._socket.setblocking(False)

    def send(self, sample: WireSample) -> None:
        """Send the packets of one moment."""
        for packet in self._encoder.encode(sample):
            # Not connected: a listener that comes later is heard of by nobody's refusal.
            self._socket.sendto(packet, self._address)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
