"""What was answered on this machine, portrait by portrait, and the key that signs the answers."""

from __future__ import annotations

import logging
from pathlib import Path

import platformdirs
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from facepuppet.core.errors import ConsentError, OutputUnwritableError
from facepuppet.core.files import write_whole
from facepuppet.portrait.consent.claim import Claim
from facepuppet.portrait.consent.consent_record import MAX_RECORD_BYTES, Consent

log = logging.getLogger(__name__)

_ABSENT = (FileNotFoundError, NotADirectoryError)


class ConsentStore:
    """A folder with the maker's key, `maker.pem`, and a record `SHA256.json` for each portrait.

    Everything in it is private to its owner: records may name people.

    Args:
        folder: the user's data folder if None; made when something is first kept.
    """

    def __init__(self, folder: Path | None = None) -> None:
        data = Path(platformdirs.user_data_dir("facepuppet", appauthor=False))
        self._folder = folder or data / "consent"

    def recall(self, portrait_sha256: str) -> Consent | None:
        """Return what was remembered of a portrait; a damaged record counts as none."""
        path = self._path(portrait_sha256)
        try:
            with path.open("rb") as file:
                consent = Consent.from_json(file.read(MAX_RECORD_BYTES + 1))
            consent.check_portrait(portrait_sha256)
        except _ABSENT:
            return None
        except (OSError, ConsentError) as error:
            log.warning("ignoring '%s', which does not hold: %s", path, error)
            return None
        return consent

    def remember(self, consent: Consent) -> None:
        """Keep a record; where that fails, say so in the log and go on (it will be asked again)."""
        try:
            self._keep(self._path(consent.claim.portrait_sha256), consent.to_json())
        except OutputUnwritableError as error:
            log.warning("the answer is not remembered: %s", error)

    def sign(self, claim: Claim) -> Consent:
        """Sign a claim with this machine's key, made on first use.

        Raises:
            ConsentError: there is a key file, but it holds no usable key.
        """
        return Consent.sign(claim, self._key())

    def _key(self) -> Ed25519PrivateKey:
        path = self._folder / "maker.pem"
        try:
            return _read_key(path)
        except _ABSENT:
            made = Ed25519PrivateKey.generate()
        try:
            self._keep(path, _pem(made))
        except OutputUnwritableError as error:  # a read-only home must not stop a call
            log.warning("the signing key is not kept: %s", error)
        return made

    def _keep(self, path: Path, content: bytes) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise OutputUnwritableError(
                f"{self._folder} ({error.strerror})", "a folder that can be written", "Check its permissions."
            ) from error
        write_whole(path, content, private=True)

    def _path(self, portrait_sha256: str) -> Path:
        return self._folder / f"{portrait_sha256}.json"


def _read_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except _ABSENT:
        raise
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _bad_key(path, str(error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _bad_key(path, "another kind of key")
    return key


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _bad_key(path: Path, why: str) -> ConsentError:
    return ConsentError(
        f"signing key '{path}', which cannot be used ({why[:120]})",
        "an unencrypted Ed25519 key as PEM",
        "Restore it from a backup; or move it away, and a new one is made.",
    )
