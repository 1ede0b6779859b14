"""Which words name a tracker on the network: known without loading what understands them."""

from __future__ import annotations

PROTOCOL_NAMES = frozenset(
    {
        *("livelink", "vmc", "openseeface", "vts"),
        *("ifacialmocap", "ifacialmocap-tcp", "facemotion3d", "facemotion3d-tcp"),
    }
)


def is_remote(word: str) -> bool:
    """Whether a word names a protocol."""
    return word.split(":", 1)[0] in PROTOCOL_NAMES and "://" not in word
