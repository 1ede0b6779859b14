"""Who can detect a mark: the published key by default, a private one for an organisation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from facepuppet.core.errors import WatermarkError

MIN_SECRET_BYTES = 16


@dataclass(frozen=True, slots=True)
class Key:
    """The secret that shapes the carrier.

    Attributes:
        name: what a detection reports; not secret and no part of the carrier.
        secret: at least 16 bytes; anyone who holds it can detect, forge and remove the mark.

    Raises:
        WatermarkError: the secret is too short or the name is empty.
    """

    name: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not self.name:
            raise WatermarkError("a key without a name", "a short name", "Name the key.")
        if len(self.secret) < MIN_SECRET_BYTES:
            raise WatermarkError(
                f"a secret of {len(self.secret)} bytes",
                f"at least {MIN_SECRET_BYTES}",
                "Make one with: head -c 32 /dev/urandom > my.key",
            )

    @classmethod
    def from_file(cls, path: Path) -> Key:
        """Read a private key: the whole file is the secret, its stem the name.

        Raises:
            WatermarkError: the file cannot be read or is too short.
        """
        try:
            secret = path.read_bytes()
        except OSError as error:
            raise WatermarkError(
                f"an unreadable key file {path} ({error.strerror})",
                "a file of random bytes",
                "Check the path.",
            ) from error
        return cls(path.stem, secret)

    def stream(self, label: str, n_bytes: int) -> bytes:
        """Return n_bytes of SHAKE-256(label ‖ 0x00 ‖ secret); every keyed choice is drawn from it."""
        return hashlib.shake_256(label.encode() + b"\0" + self.secret).digest(n_bytes)


PUBLIC_KEY = Key("facepuppet-public-1", b"facepuppet public watermark key, version 1")
