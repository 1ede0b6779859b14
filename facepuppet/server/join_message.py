"""What somebody says who wants to come in: read from JSON or an address, bounded, and checked in its form."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import Any

from facepuppet.core.errors import ConsentError, ServerError
from facepuppet.portrait.consent import Basis, Claim, Grant
from facepuppet.portrait.consent.field_checks import parse_day
from facepuppet.server.messages import DrivenBy, Picture
from facepuppet.server.signalling import MOST_OFFER_BYTES

MOST_MESSAGE_BYTES = 65_536
_MOST_WORD = 300
_SIDES_PX = range(160, 1281)
_FPS = (5.0, 30.0)
_KEYS = {"token", "avatar", "right", "driven_by", "offer", "sound", "picture", "back"}


@dataclass(frozen=True, slots=True)
class Right:
    """By what right somebody says they wear a portrait.

    Attributes:
        basis: the ground.
        grant: who agreed and when; with Basis.CONSENT.
    """

    basis: Basis
    grant: Grant | None = None

    def claim(self, portrait_sha256: str) -> Claim:
        """Return it as today's statement about a portrait.

        Raises:
            ConsentError: basis and grant contradict each other.
        """
        return Claim.make(self.basis, portrait_sha256, self.grant)


@dataclass(frozen=True, slots=True)
class Asked:
    """All of it.

    Attributes:
        token: secret.
        avatar: SHA-256 of the file, or its name.
        offer: SDP, not checked yet.
        right: stated; None where the portrait has a statement of its own.
        driven_by: who moves it.
        sound: whether the peer's sound is passed on.
        picture: wished for; None for the usual one.
        back: ticket of who was here a moment ago; empty for newcomers.
    """

    token: str
    avatar: str
    offer: str
    right: Right | None = None
    driven_by: DrivenBy = DrivenBy.CAMERA
    sound: bool = True
    picture: Picture | None = None
    back: str = ""


def read_asked(text: str | bytes) -> Asked:
    """Read a page's first message.

    Raises:
        ServerError: too long, no JSON object, or with something that is not of its kind.
        ConsentError: a right that contradicts itself, or a name or day that is none.
    """
    if len(text) > MOST_MESSAGE_BYTES:
        raise _wrong(f"a message of {len(text)} characters")
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong("a message that is no JSON") from error
    if not isinstance(said, dict) or not set(said) <= _KEYS:
        raise _wrong("a message with something unknown")
    sound = said.get("sound", True)
    if not isinstance(sound, bool):
        raise _wrong("a 'sound' that is neither true nor false")
    return Asked(
        _word(said, "token"),
        _word(said, "avatar"),
        _word(said, "offer", MOST_OFFER_BYTES),
        _right(said.get("right")),
        driven_by(said.get("driven_by", DrivenBy.CAMERA.value)),
        sound,
        _picture(said.get("picture")),
        _word(said, "back") if "back" in said else "",
    )


def driven_by(word: Any) -> DrivenBy:
    """Read who moves a puppet.

    Raises:
        ServerError: none of the words.
    """
    try:
        return DrivenBy(word)
    except ValueError as error:
        raise _wrong(f"'driven_by' {str(word)[:40]!a}") from error


def right_of(basis: Any, subject: Any = None, granted: Any = None) -> Right:
    """Read a right from its words.

    Raises:
        ConsentError: no such basis, or a name or day that is none.
    """
    if not isinstance(basis, str) or basis not in {one.value for one in Basis}:
        words = ", ".join(one.value for one in Basis)
        raise ConsentError(f"the right {str(basis)[:40]!a}", f"one of {words}", "Choose one of these.")
    if basis != Basis.CONSENT.value:
        return Right(Basis(basis))
    if not isinstance(subject, str) or not subject.strip() or not granted:
        raise ConsentError("an agreement without who and when", "both", "Say who agreed, and on what day.")
    return Right(Basis.CONSENT, Grant(unicodedata.normalize("NFC", subject.strip()), parse_day(granted)))


def _right(said: Any) -> Right | None:
    if said is None:
        return None
    if not isinstance(said, dict) or not set(said) <= {"basis", "subject", "granted"}:
        raise _wrong("a 'right' with something unknown")
    return right_of(said.get("basis"), said.get("subject"), said.get("granted"))


def _picture(said: Any) -> Picture | None:
    if said is None:
        return None
    if not isinstance(said, dict) or set(said) != {"width", "height", "fps"}:
        raise _wrong("a 'picture' without width, height and fps")
    width, height, fps = said["width"], said["height"], said["fps"]
    for side in (width, height):
        if type(side) is not int or side not in _SIDES_PX or side % 2:
            raise _wrong(f"a picture whose sides are not even and {_SIDES_PX[0]} to {_SIDES_PX[-1]} pixels")
    if type(fps) not in (int, float) or not _FPS[0] <= fps <= _FPS[1]:
        raise _wrong(f"a picture of other than {_FPS[0]:g} to {_FPS[1]:g} frames a second")
    return Picture((width, height), float(fps))


def _word(said: dict[str, Any], key: str, most: int = _MOST_WORD) -> str:
    value = said.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise _wrong(f"'{key}' that is no text of 1 to {most} characters")
    return value


def _wrong(got: str) -> ServerError:
    return ServerError(got, "what the page sends", "Load the page again.")
