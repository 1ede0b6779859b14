"""Network addresses as people type them."""

from __future__ import annotations


def parted_address(word: str) -> tuple[str | None, int | None]:
    """Part HOST, PORT, HOST:PORT, IPv6 and [IPv6]:PORT; None for what is not said.

    Raises:
        ValueError: a port that is none.
    """
    host, port = _parted(word)
    if port is not None and not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f"{port!r} is no port from 1 to 65535")
    return host, None if port is None else int(port)


def _parted(word: str) -> tuple[str | None, str | None]:
    if word.startswith("["):
        host, _, port = word[1:].partition("]")
        return host, port.removeprefix(":") or None
    if word.count(":") > 1:
        return word, None
    host, colon, port = word.partition(":")
    if colon:
        return host or None, port
    return (None, word or None) if word.isdecimal() or not word else (word, None)
