"""What an operator says of a reception."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from facepuppet.server.messages import IceServer, Picture
from facepuppet.server.token_file import Tokens


@dataclass(frozen=True, slots=True)
class ReceptionSettings:
    """All of it; can be pickled.

    Attributes:
        tokens: who may come in.
        avatars: folder with portraits and packs; None for the built-in ones.
        revoked: a revocation list besides this machine's own.
        consent_folder: with the key that signs what people state; the user's own if None.
        ice_servers: that pages and hosts are told of.
        picture: what sessions begin with.
        origins: of other sites whose pages may use the API, as "https://studio.example".
        most_waiting: in line, besides those for whom there is a place.
        watches_per_minute: of one session.
    """

    tokens: Tokens
    avatars: Path | None = None
    revoked: Path | None = None
    consent_folder: Path | None = None
    ice_servers: tuple[IceServer, ...] = ()
    picture: Picture = field(default_factory=Picture)
    origins: tuple[str, ...] = ()
    most_waiting: int = 100
    watches_per_minute: int = 60
