"""A statement of right to use a portrait with its maker's signature; SPEC.md tells the format."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from facepuppet.portrait.consent.claim import Claim
from facepuppet.portrait.consent.field_checks import check_keys, refused

FORMAT = "facepuppet-consent"
VERSION = 1
MAX_RECORD_BYTES = 16_384
N_ID_DIGITS = 7  # 28 bits: what the watermark has room for
_DOMAIN = b"facepuppet-consent-1\0"  # no other kind of message that a maker may sign begins like this
_HEX = re.compile(r"(?:[0-9a-f]{2}){1,64}")


@dataclass(frozen=True, slots=True)
class Consent:
    """A signed claim; one that exists is valid.

    The signature shows that nothing was changed since the maker signed. It does not show who the maker
    is, nor that the claim is true.

    Attributes:
        claim: what is said, and about which portrait.
        maker: 32 bytes, raw Ed25519 public key (RFC 8032).
        signature: 64 bytes over the claim and the maker.

    Raises:
        ConsentError: the signature is not the maker's, or not over this claim.
    """

    claim: Claim
    maker: bytes
    signature: bytes

    def __post_init__(self) -> None:
        try:
            key = Ed25519PublicKey.from_public_bytes(self.maker)
            key.verify(self.signature, _message(self.claim, self.maker))
        except (InvalidSignature, ValueError) as error:
            raise refused("a statement whose signature does not fit: it was changed after signing") from error

    @classmethod
    def sign(cls, claim: Claim, key: Ed25519PrivateKey) -> Consent:
        """Sign a claim with the maker's key."""
        maker = key.public_key().public_bytes_raw()
        return cls(claim, maker, key.sign(_message(claim, maker)))

    @classmethod
    def from_json(cls, data: bytes) -> Consent:
        """Read a record; nothing but the exact bytes of `to_json` passes.

        Raises:
            ConsentError: not a record, changed after signing, too large, or of another version.
        """
        if len(data) > MAX_RECORD_BYTES:
            raise refused(f"a consent record of {len(data)} bytes")
        try:
            parsed: Any = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise refused("a consent record that is no JSON") from error
        consent = _read(parsed)
        if consent.to_json() != data:  # two spellings of one record would have two ids
            raise refused("a consent record that is not in its canonical form")
        return consent

    def to_json(self) -> bytes:
        """Return the record as canonical JSON."""
        return _canonical({**_signed_fields(self.claim, self.maker), "signature": self.signature.hex()})

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.to_json()).hexdigest()

    @property
    def id(self) -> str:
        """The digest's first seven digits, which the watermark carries."""
        return self.digest[:N_ID_DIGITS]

    def check_portrait(self, source_sha256: str) -> None:
        """Check that this is about the portrait with that digest.

        Raises:
            ConsentError: it is about another.
        """
        if self.claim.portrait_sha256 != source_sha256:
            raise refused(f"a statement about another portrait ({self.claim.portrait_sha256[:12]}…)")

    def sentence(self) -> str:
        """Say in one line what is claimed."""
        claim = self.claim
        paper = claim.grant.document if claim.grant is not None else None
        shown = "" if paper is None else f", document '{paper.name}'"
        return f"Right to use ({claim.basis.value}): {claim.statement} [{claim.made_on}, id {self.id}{shown}]"


def _read(fields: Any) -> Consent:
    outer = {"format", "version", "maker", "signature"}
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise refused("a file that is no consent record")
    if fields.get("version") != VERSION:
        raise refused(f"a consent record of version {str(fields.get('version'))[:20]!r}")
    inner = {name: value for name, value in fields.items() if name not in outer}
    check_keys("consent record", {name: value for name, value in fields.items() if name in outer}, outer)
    return Consent(Claim.from_fields(inner), _bytes(fields["maker"]), _bytes(fields["signature"]))


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise refused(f"a consent record with a key or signature that is no hexadecimal ({text!r:.40})")
    return bytes.fromhex(text)


def _message(claim: Claim, maker: bytes) -> bytes:
    return _DOMAIN + _canonical(_signed_fields(claim, maker))


def _signed_fields(claim: Claim, maker: bytes) -> dict[str, Any]:
    return {"format": FORMAT, "version": VERSION, "maker": maker.hex(), **claim.to_fields()}


def _canonical(fields: dict[str, Any]) -> bytes:
    """Sorted keys, no spaces, ASCII."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
