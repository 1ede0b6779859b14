"""The right to use a portrait: the signed record, who remembers it, and how it is taken back."""

from facepuppet.portrait.consent.claim import Basis, Claim, Document, Grant
from facepuppet.portrait.consent.consent_record import Consent

__all__ = ["Basis", "Claim", "Consent", "Document", "Grant"]
