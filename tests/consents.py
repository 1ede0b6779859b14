"""Consent records for tests."""

from __future__ import annotations

from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from facepuppet.portrait.consent import Basis, Claim, Consent, Document, Grant

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PORTRAIT = "5" * 64
GRANT = Grant("Zoë Ångström", date(2026, 1, 5), Document("consent form.pdf", "d" * 64))


def agreed(portrait_sha256: str = PORTRAIT, grant: Grant = GRANT) -> Consent:
    """A record by which somebody agreed, always the same for the same arguments."""
    claim = Claim(Basis.CONSENT, portrait_sha256, "Zoë agreed.", date(2026, 2, 1), grant)
    return Consent.sign(claim, KEY)
