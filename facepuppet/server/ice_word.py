"""STUN and TURN servers, as an operator names them."""

from __future__ import annotations

import re
from urllib.parse import unquote

from facepuppet.core.errors import ServerError
from facepuppet.server.messages import IceServer

_WORD = re.compile(
    r"(?P<kind>stun|turns?):(?:(?P<user>[^:@\s]+):(?P<secret>[^@\s]+)@)?"
    r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?(?:\?transport=(?P<way>udp|tcp))?"
)


def ice_server(text: str) -> IceServer:
    """Read "stun:HOST:PORT" or "turn:USER:SECRET@HOST:PORT?transport=udp"; "%40" is an @ in the secret.

    Raises:
        ServerError: it is neither. The error does not quote it, as a secret may be in it.
    """
    found = _WORD.fullmatch(text)
    if found is None or (found["kind"] == "stun") != (found["user"] is None):
        raise ServerError(
            "an --ice-server that is none",
            "stun:HOST:PORT, or turn:USER:SECRET@HOST:PORT (and ?transport=udp or tcp)",
            "Write it so; a secret's @ as %40.",
        )
    port = f":{found['port']}" if found["port"] else ""
    way = f"?transport={found['way']}" if found["way"] else ""
    url = f"{found['kind']}:{found['host']}{port}{way}"
    return IceServer(url, unquote(found["user"] or ""), unquote(found["secret"] or ""))
