"""facepuppet/portrait/consent/SPEC.md is enough to write and check a record."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

import facepuppet.portrait.consent
from facepuppet.portrait.consent import Consent
from facepuppet.portrait.consent.claim import MAX_NAME, MAX_STATEMENT, Basis
from facepuppet.portrait.consent.consent_record import MAX_RECORD_BYTES
from facepuppet.portrait.consent.sample import sample_consent, sample_consents

SPEC = (Path(facepuppet.portrait.consent.__file__).parent / "SPEC.md").read_text(encoding="utf-8")


def canonical(fields: dict[str, object]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode("ascii")


def test_a_record_written_by_the_page_alone_is_read() -> None:
    key = Ed25519PrivateKey.generate()
    fields: dict[str, object] = {
        "format": "facepuppet-consent",
        "version": 1,
        "basis": "consent",
        "portrait_sha256": "ab" * 32,
        "statement": "Zoë agreed.",
        "made_on": "2026-02-01",
        "grant": {
            "subject": "Zoë",
            "granted_on": "2026-02-01",
            "document": {"name": "form.pdf", "sha256": "cd" * 32},
        },
        "maker": key.public_key().public_bytes_raw().hex(),
    }
    fields["signature"] = key.sign(b"facepuppet-consent-1\0" + canonical(fields)).hex()
    consent = Consent.from_json(canonical(fields))
    assert consent.digest == hashlib.sha256(canonical(fields)).hexdigest()
    assert consent.id == consent.digest[:7]


@pytest.mark.parametrize("record", sample_consents(), ids=lambda record: record.id)
def test_a_shipped_record_is_checked_by_the_page_alone(record: Consent) -> None:
    fields = json.loads(record.to_json())
    signature = bytes.fromhex(fields.pop("signature"))
    maker = Ed25519PublicKey.from_public_bytes(bytes.fromhex(fields["maker"]))
    maker.verify(signature, b"facepuppet-consent-1\0" + canonical(fields))


def test_the_page_names_every_field_ground_and_bound() -> None:
    fields = json.loads(sample_consent().to_json())
    for word in [*fields, *(basis.value for basis in Basis), "maker.pem", "revoked.txt", "--revoked"]:
        assert word in SPEC
    for bound in (f"{MAX_RECORD_BYTES:,}", str(MAX_STATEMENT), str(MAX_NAME)):
        assert bound in SPEC
