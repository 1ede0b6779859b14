"""The records of the demo's portraits, made by the project and shipped with it."""

from __future__ import annotations

from importlib.resources import files

from facepuppet.portrait.consent.consent_record import Consent

_RECORDS = ("sample.json", "sample_collins.json")


def sample_consent() -> Consent:
    """Return the record of `facepuppet.sample_portrait_path()`: a US Navy picture, public domain."""
    return sample_consents()[0]


def sample_consents() -> tuple[Consent, ...]:
    """Return the records of `facepuppet.portrait.sample_portrait_paths()`, one each."""
    folder = files("facepuppet.portrait.consent")
    return tuple(Consent.from_json((folder / name).read_bytes()) for name in _RECORDS)
