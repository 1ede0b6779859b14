"""The record of the demo's portrait, made by the project and shipped with it."""

from __future__ import annotations

from importlib.resources import files

from facepuppet.portrait.consent.consent_record import Consent


def sample_consent() -> Consent:
    """Return the record of `facepuppet.sample_portrait_path()`: a US Navy picture, public domain."""
    return Consent.from_json((files("facepuppet.portrait.consent") / "sample.json").read_bytes())
