"""May this portrait be shown: the one place that decides."""

from __future__ import annotations

from collections.abc import Callable

from facepuppet.core.errors import ConsentMissingError
from facepuppet.portrait.consent.claim import Claim
from facepuppet.portrait.consent.consent_record import Consent
from facepuppet.portrait.consent.revocation import Revocations
from facepuppet.portrait.consent.sample import sample_consents
from facepuppet.portrait.consent.store import ConsentStore


def clear_pack(record: bytes | None, source_sha256: str, revoked: Revocations) -> Consent:
    """Return the statement that a pack carries.

    Args:
        record: the pack's own, as JSON.
        source_sha256: digest of the pack's portrait.
        revoked: rights taken back.

    Raises:
        ConsentMissingError: there is none.
        ConsentError: it is malformed, forged, or about another portrait.
        ConsentRevokedError: it was taken back.
    """
    if record is None:
        raise ConsentMissingError(
            "a pack that does not say by what right its portrait is used",
            "a pack with a signed statement",
            "Make it again, with RIGHT as self, consent, public-domain or fictional: "
            "facepuppet-calibrate avatar PHOTO --out NAME.puppet --right RIGHT",
        )
    consent = Consent.from_json(record)
    consent.check_portrait(source_sha256)
    revoked.check(consent)
    return consent


def clear_portrait(
    source_sha256: str,
    stated: Claim | None,
    ask: Callable[[], Claim],
    revoked: Revocations,
    store: ConsentStore | None = None,
) -> Consent:
    """Return the statement about a picture that carries none, and remember it.

    Args:
        source_sha256: digest of the portrait file.
        stated: what the user says unasked; None takes what is known, and asks if nothing is.
        ask: asks the user; not called when something is known or stated.
        revoked: rights taken back.
        store: where answers are kept; the user's own if None.

    Raises:
        ConsentError: the claim is about another portrait, or what `ask` raises.
        ConsentRevokedError: the right was taken back.
    """
    revoked.check_portrait(source_sha256)  # before anybody is asked in vain
    store = store or ConsentStore()
    known = _known(source_sha256, store)
    if known is None or not (stated is None or _same(stated, known.claim)):
        known = store.sign(ask() if stated is None else stated)
        known.check_portrait(source_sha256)
        store.remember(known)
    revoked.check(known)
    return known


def clear_sample(source_sha256: str, revoked: Revocations) -> Consent:
    """Return the statement about one of the demo's portraits.

    Raises:
        ConsentError: the portrait is another one.
        ConsentRevokedError: the right was taken back.
    """
    consent = _of_sample(source_sha256) or sample_consents()[0]
    consent.check_portrait(source_sha256)
    revoked.check(consent)
    return consent


def clear_visitor(
    source_sha256: str, stated: Claim | None, revoked: Revocations, store: ConsentStore
) -> Consent:
    """Return a visitor's statement about a picture that carries none; the next visitor is asked again.

    Args:
        source_sha256: digest of the portrait file.
        stated: what the visitor says; None will do for the demo's portraits alone.
        revoked: rights taken back.
        store: whose key signs; it remembers nothing of this.

    Raises:
        ConsentMissingError: nothing is stated or known.
        ConsentError: the claim is about another portrait.
        ConsentRevokedError: the right was taken back.
    """
    revoked.check_portrait(source_sha256)
    consent = _of_sample(source_sha256)
    if stated is not None and (consent is None or not _same(stated, consent.claim)):
        consent = store.sign(stated)
    if consent is None:
        raise ConsentMissingError(
            "a portrait of which nobody said by what right it is used",
            "a right: self, consent, public-domain or fictional",
            "Say by what right you use it.",
        )
    consent.check_portrait(source_sha256)
    revoked.check(consent)
    return consent


def own_statement(record: bytes | None, source_sha256: str) -> Consent | None:
    """Return what a pack, or one of the demo's portraits, says by itself; None where it says nothing.

    Raises:
        ConsentError: it is malformed, forged, or about another portrait.
    """
    if record is None:
        return _of_sample(source_sha256)
    consent = Consent.from_json(record)
    consent.check_portrait(source_sha256)
    return consent


def _known(source_sha256: str, store: ConsentStore) -> Consent | None:
    return _of_sample(source_sha256) or store.recall(source_sha256)


def _of_sample(source_sha256: str) -> Consent | None:
    return next((one for one in sample_consents() if one.claim.portrait_sha256 == source_sha256), None)


def _same(stated: Claim, known: Claim) -> bool:
    """Whether nothing new is said; the day and the wording do not count, so that an id stays."""
    return (stated.basis, stated.grant) == (known.basis, known.grant)
