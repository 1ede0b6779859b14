"""The machine's key, its memory, and the decision."""

from __future__ import annotations

import os
import stat
import sys
from datetime import date
from pathlib import Path

import pytest
from consents import GRANT, PORTRAIT, agreed

from facepuppet.core.errors import ConsentError, ConsentMissingError, ConsentRevokedError
from facepuppet.portrait.consent import Basis, Claim, Grant
from facepuppet.portrait.consent.clearance import clear_pack, clear_portrait, clear_sample
from facepuppet.portrait.consent.revocation import Revocations
from facepuppet.portrait.consent.sample import sample_consents
from facepuppet.portrait.consent.store import ConsentStore
from facepuppet.portrait.load import portrait_sha256, sample_portrait_paths

SELF = Claim.make(Basis.SELF, PORTRAIT)
NOTHING = Revocations()


@pytest.fixture
def store(tmp_path: Path) -> ConsentStore:
    return ConsentStore(tmp_path / "consent")


def never() -> Claim:
    raise AssertionError("asked")


def test_one_key_signs_everything_on_a_machine(store: ConsentStore, tmp_path: Path) -> None:
    first, again = store.sign(SELF), ConsentStore(tmp_path / "consent").sign(SELF)
    assert first == again, "Ed25519 signs the same in the same way"
    assert ConsentStore(tmp_path / "elsewhere").sign(SELF).maker != first.maker


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_what_is_kept_is_the_owners_alone(store: ConsentStore, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store.remember(store.sign(SELF))
    finally:
        os.umask(before)
    kept = list((tmp_path / "consent").iterdir())
    assert {path.name for path in kept} == {"maker.pem", f"{PORTRAIT}.json"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert stat.S_IMODE((tmp_path / "consent").stat().st_mode) == 0o700


def test_a_memory_that_does_not_hold_counts_as_none(
    store: ConsentStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert store.recall(PORTRAIT) is None
    assert not caplog.records
    store.remember(agreed())
    assert store.recall(PORTRAIT) == agreed()
    for content in (b"", agreed("6" * 64).to_json(), agreed().to_json()[:-1]):
        (tmp_path / "consent" / f"{PORTRAIT}.json").write_bytes(content)
        assert store.recall(PORTRAIT) is None
        assert "does not hold" in caplog.text


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_damaged_key_is_told_and_not_replaced(content: bytes, store: ConsentStore, tmp_path: Path) -> None:
    (tmp_path / "consent").mkdir()
    path = tmp_path / "consent" / "maker.pem"
    path.write_bytes(content)
    with pytest.raises(ConsentError, match=r"maker\.pem"):
        store.sign(SELF)
    assert path.read_bytes() == content


def test_where_nothing_can_be_kept_the_call_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    store = ConsentStore(tmp_path / "file" / "consent")
    consent = clear_portrait(PORTRAIT, SELF, never, NOTHING, store)
    assert consent.claim == SELF
    assert "not remembered" in caplog.text and "not kept" in caplog.text


def test_asked_once_and_remembered(store: ConsentStore) -> None:
    asked: list[Claim] = []

    def ask() -> Claim:
        asked.append(SELF)
        return SELF

    first = clear_portrait(PORTRAIT, None, ask, NOTHING, store)
    assert clear_portrait(PORTRAIT, None, ask, NOTHING, store) == first
    assert asked == [SELF]
    assert clear_portrait("6" * 64, Claim.make(Basis.SELF, "6" * 64), never, NOTHING, store) != first


def test_saying_the_same_again_keeps_the_record_and_saying_else_replaces_it(store: ConsentStore) -> None:
    yesterday = Claim(Basis.SELF, PORTRAIT, "That is me.", date(2026, 1, 1))
    first = clear_portrait(PORTRAIT, yesterday, never, NOTHING, store)
    assert clear_portrait(PORTRAIT, SELF, never, NOTHING, store) == first
    other = clear_portrait(PORTRAIT, Claim.make(Basis.CONSENT, PORTRAIT, GRANT), never, NOTHING, store)
    assert other.claim.basis is Basis.CONSENT
    assert clear_portrait(PORTRAIT, None, never, NOTHING, store) == other


def test_nothing_is_remembered_when_the_asking_ends_without_answer(
    store: ConsentStore, tmp_path: Path
) -> None:
    def ask() -> Claim:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        clear_portrait(PORTRAIT, None, ask, NOTHING, store)
    assert not (tmp_path / "consent").exists()


def test_a_claim_about_another_portrait_is_refused_and_not_kept(store: ConsentStore) -> None:
    with pytest.raises(ConsentError, match="another portrait"):
        clear_portrait("6" * 64, SELF, never, NOTHING, store)
    assert store.recall("6" * 64) is store.recall(PORTRAIT) is None


def test_a_revoked_portrait_is_refused_before_anybody_is_asked(store: ConsentStore) -> None:
    with pytest.raises(ConsentRevokedError):
        clear_portrait(PORTRAIT, None, never, Revocations(frozenset({PORTRAIT})), store)


def test_a_revoked_answer_stays_revoked_until_somebody_agrees_anew(store: ConsentStore) -> None:
    old = clear_portrait(PORTRAIT, Claim.make(Basis.CONSENT, PORTRAIT, GRANT), never, NOTHING, store)
    revoked = Revocations(frozenset({old.id}))
    for stated in (None, Claim.make(Basis.CONSENT, PORTRAIT, GRANT)):
        with pytest.raises(ConsentRevokedError, match=old.id):
            clear_portrait(PORTRAIT, stated, never, revoked, store)
    anew = Claim.make(Basis.CONSENT, PORTRAIT, Grant(GRANT.subject, date(2026, 3, 1)))
    assert clear_portrait(PORTRAIT, anew, never, revoked, store).claim == anew


def test_a_pack_needs_a_record_of_its_own_portrait() -> None:
    assert clear_pack(agreed().to_json(), PORTRAIT, NOTHING) == agreed()
    with pytest.raises(ConsentMissingError, match="facepuppet-calibrate avatar PHOTO"):
        clear_pack(None, PORTRAIT, NOTHING)
    with pytest.raises(ConsentError, match="another portrait"):
        clear_pack(agreed().to_json(), "6" * 64, NOTHING)
    with pytest.raises(ConsentError, match="canonical"):
        clear_pack(agreed().to_json() + b" ", PORTRAIT, NOTHING)
    with pytest.raises(ConsentRevokedError):
        clear_pack(agreed().to_json(), PORTRAIT, Revocations(frozenset({agreed().id})))


@pytest.mark.parametrize("number", [0, 1])
def test_the_samples_record_is_built_in(store: ConsentStore, tmp_path: Path, number: int) -> None:
    sha256, record = portrait_sha256(sample_portrait_paths()[number]), sample_consents()[number]
    assert clear_sample(sha256, NOTHING) == clear_portrait(sha256, None, never, NOTHING, store) == record
    assert record.claim.basis is Basis.PUBLIC_DOMAIN
    assert not (tmp_path / "consent").exists(), "nothing to remember"
    with pytest.raises(ConsentRevokedError):
        clear_sample(sha256, Revocations(frozenset({record.id})))
    with pytest.raises(ConsentError, match="another portrait"):
        clear_sample(PORTRAIT, NOTHING)
