"""Offers of strangers: bounded, checked and cleaned before a host reads them; and answers that start sharp.

A browser names its own addresses by mDNS (RFC 8828): looking those up takes a host seconds and a multicast,
and it finds the peer without, by the checks that the peer sends (RFC 8445, 7.3.1.3). So they are left out.
"""

from __future__ import annotations

import ipaddress
import re
from enum import Enum

from aiortc.sdp import MediaDescription, SessionDescription

from facepuppet.core.errors import ServerError

MOST_OFFER_BYTES = 40_000  # Chromium's with picture, sound and data have some 7,000
_MOST_LINES = 800
_MOST_SECTIONS = 3
_MOST_CANDIDATES = 64  # that are read: a machine with many networks has some 20 for each section
_LINE = re.compile(r"[a-z]=[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")
_START_KBPS = {640 * 360: 1500, 1280 * 720: 2500}
_VP8 = re.compile(r"a=rtpmap:(\d+) VP8/90000", re.IGNORECASE)
_UNREADABLE = (ValueError, AssertionError, AttributeError, IndexError, KeyError, StopIteration, TypeError)


class Part(Enum):
    """What an offer is for."""

    CAMERA = "camera"  # sends a picture
    VOICE = "voice"  # sends sound, or opens a data channel
    TEXT = "text"  # opens a data channel
    WATCH = "watch"  # takes a picture


def checked_offer(offer: str, part: Part) -> str:
    """Return an offer as a host may read it: what is in it is unchanged, but for the candidates.

    Args:
        offer: SDP (RFC 8866) from a stranger.
        part: what it is for.

    Raises:
        ServerError: too large, no SDP that aiortc reads, without keys, or without what its part needs.
    """
    lines = _lines(offer)
    try:
        sections = SessionDescription.parse("\r\n".join(lines) + "\r\n").media
    except _UNREADABLE as error:
        raise _refused("an offer that is no SDP") from error
    _check_sections(sections)
    _check_part(sections, part)
    return "\r\n".join(line for line in lines if _is_kept(line)) + "\r\n"


def sharp_answer(answer: str, size_px: tuple[int, int]) -> str:
    """Return an answer in which Chromium reads at what rate its VP8 may start; all else is as it was.

    Left to itself it starts at 300 kbps and, as aiortc sends no transport-wide feedback, takes half a minute
    to find out that more would do.

    Args:
        answer: SDP.
        size_px: of the picture that the peer is asked for.
    """
    fitting = [kbps for pixels, kbps in _START_KBPS.items() if pixels >= size_px[0] * size_px[1]]
    word = f"x-google-start-bitrate={fitting[0] if fitting else max(_START_KBPS.values())}"
    first, *sections = re.split(r"(?m)^(?=m=)", answer)
    return first + "".join(_sharp(one, word) if one.startswith("m=video") else one for one in sections)


def _sharp(section: str, word: str) -> str:
    lines = section.splitlines(keepends=True)
    types = {found[1] for line in lines if (found := _VP8.match(line))}
    with_fmtp: set[str] = set()
    for i, line in enumerate(lines):
        kind = re.match(r"a=fmtp:(\d+) ", line)
        if kind and kind[1] in types:
            bare = line.rstrip("\r\n")
            lines[i] = f"{bare};{word}{line[len(bare) :]}"
            with_fmtp.add(kind[1])
    for i, line in enumerate(lines):
        if (found := _VP8.match(line)) and found[1] not in with_fmtp:
            lines[i] = f"{line}a=fmtp:{found[1]} {word}{line[len(line.rstrip()) :]}"
    return "".join(lines)


def _lines(offer: str) -> list[str]:
    n_bytes = len(offer.encode("utf-8", "surrogatepass"))
    if n_bytes > MOST_OFFER_BYTES:
        raise _refused(f"an offer of {n_bytes} bytes")
    lines = offer.replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) > _MOST_LINES:
        raise _refused(f"an offer of {len(lines)} lines")
    if not lines[0].startswith("v=0") or not all(map(_LINE.fullmatch, lines)):
        raise _refused("an offer that is no SDP")
    n_candidates = sum(line.startswith("a=candidate:") for line in lines)
    if n_candidates > _MOST_CANDIDATES:
        raise _refused(f"an offer with {n_candidates} candidates")
    return lines


def _check_sections(sections: list[MediaDescription]) -> None:
    kinds = [section.kind for section in sections]
    if not 0 < len(sections) <= _MOST_SECTIONS or len(set(kinds)) < len(kinds):
        raise _refused(f"an offer of {len(sections)} sections, or several of a kind")
    if not set(kinds) <= {"audio", "video", "application"}:
        raise _refused("an offer of something besides picture, sound and data")
    for section in sections:
        ice, dtls = section.ice, section.dtls
        if not dtls or not dtls.fingerprints or not (ice and ice.usernameFragment and ice.password):
            raise _refused("an offer without the keys of an encrypted connection")
        if not section.rtp.muxId:
            raise _refused("an offer whose sections have no names")


def _check_part(sections: list[MediaDescription], part: Part) -> None:
    directions = {section.kind: section.direction or "sendrecv" for section in sections}
    sends = {kind for kind, way in directions.items() if way in ("sendonly", "sendrecv")}
    takes = {kind for kind, way in directions.items() if way in ("recvonly", "sendrecv")}
    fits = {
        Part.CAMERA: "video" in sends,
        Part.VOICE: "video" in takes and ("audio" in sends or "application" in directions),
        Part.TEXT: "video" in takes and "application" in directions,
        Part.WATCH: "video" in takes and "application" not in directions,
    }
    if not fits[part]:
        raise _refused(f"an offer without what '{part.value}' needs")


def _is_kept(line: str) -> bool:
    """Say whether a line stays: all but candidates that are of no use, and the word that there are no more.

    After that word a host without candidates would give up at once, and would not wait for the peer's checks.
    """
    if line.startswith("a=end-of-candidates"):
        return False
    if not line.startswith("a=candidate:"):
        return True
    fields = line.split()
    component, protocol, host, port = fields[1], fields[2].lower(), fields[4], int(fields[5])
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    strange = address.is_multicast or address.is_unspecified or address.is_loopback
    return component == "1" and protocol == "udp" and 0 < port < 65536 and not strange


def _refused(got: str) -> ServerError:
    return ServerError(
        got,
        f"an SDP offer of at most {MOST_OFFER_BYTES} bytes with one picture, at most one sound and one data "
        "section, by DTLS and ICE",
        "Load the page again, or use another browser.",
    )
