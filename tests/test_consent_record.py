"""The signed record: what goes in comes out, and nothing else passes."""

from __future__ import annotations

import dataclasses
import json
import unicodedata
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from consents import GRANT, KEY, PORTRAIT, agreed
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facepuppet.core.errors import ConsentError
from facepuppet.portrait.consent import Basis, Claim, Consent, Document, Grant
from facepuppet.portrait.consent.consent_record import MAX_RECORD_BYTES

UNHURRIED = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # a busy machine fails nothing
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
DAYS = st.dates(date(1900, 1, 1), date(2100, 1, 1))
VISIBLE = st.characters(categories=("L", "N", "P", "S"), exclude_characters="/\\")
LINES = st.text(VISIBLE, min_size=1, max_size=60).map(lambda text: unicodedata.normalize("NFC", text))


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    basis = draw(st.sampled_from(Basis))
    made_on = draw(DAYS)
    grant = None
    if basis is Basis.CONSENT:
        paper = draw(st.none() | st.builds(Document, LINES, DIGESTS))
        grant = Grant(draw(LINES), draw(st.dates(date(1800, 1, 1), made_on)), paper)
    return Claim(basis, draw(DIGESTS), draw(LINES), made_on, grant)


@UNHURRIED
@given(claims(), st.binary(min_size=32, max_size=32))
def test_a_record_survives_its_json(claim: Claim, seed: bytes) -> None:
    consent = Consent.sign(claim, Ed25519PrivateKey.from_private_bytes(seed))
    data = consent.to_json()
    assert Consent.from_json(data) == consent
    assert consent.to_json() == data and data.isascii() and b"\n" not in data
    assert consent.id == consent.digest[:7]


def places(fields: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every key of a record, nested ones by their whole path."""
    found = []
    for key, value in fields.items():
        found.append((*path, key))
        if isinstance(value, dict):
            found += places(value, (*path, key))
    return found


FIELDS = json.loads(agreed().to_json())
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    DIGESTS,
    DAYS.map(str),
    st.sampled_from([basis.value for basis in Basis]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


@UNHURRIED
@given(st.sampled_from(places(FIELDS)), VALUES)
def test_no_field_can_be_changed(path: tuple[str, ...], value: object) -> None:
    fields = json.loads(agreed().to_json())
    inner = fields
    for key in path[:-1]:
        inner = inner[key]
    if inner[path[-1]] == value and type(inner[path[-1]]) is type(value):
        return
    inner[path[-1]] = value
    with pytest.raises(ConsentError):
        Consent.from_json(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode())


@pytest.mark.parametrize("path", places(FIELDS), ids=".".join)
def test_no_field_can_be_left_out_or_added_beside(path: tuple[str, ...]) -> None:
    for change in ("out", "beside"):
        fields = json.loads(agreed().to_json())
        inner = fields
        for key in path[:-1]:
            inner = inner[key]
        inner["x"] = inner.pop(path[-1]) if change == "out" else 1
        if change == "out":
            del inner["x"]
        with pytest.raises(ConsentError):
            Consent.from_json(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode())


@UNHURRIED
@given(st.integers(0, len(agreed().to_json()) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(at: int, flip: int) -> None:
    data = bytearray(agreed().to_json())
    data[at] ^= flip
    with pytest.raises(ConsentError):
        Consent.from_json(bytes(data))


@UNHURRIED
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(ConsentError):
        Consent.from_json(data)


GOOD = agreed().to_json()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no JSON"),
        (b"[" * 10_000, "no JSON"),
        (b"[]", "no consent record"),
        (b"{}", "no consent record"),
        (b" " * (MAX_RECORD_BYTES + 1), "16385 bytes"),
        (GOOD + b"\n", "canonical"),
        (GOOD.replace(b":", b": "), "canonical"),
        (GOOD.replace(b'"version":1', b'"version":1.0'), "canonical"),
        (GOOD.replace(b'"version":1', b'"version":1,"version":1'), "canonical"),
        (GOOD.replace(b'"version":1', b'"version":2'), "version '2'"),
        (GOOD.replace(b'"basis":"consent"', b'"basis":"theft"'), "basis 'theft'"),
        (GOOD.replace(b'"basis":"consent"', b'"basis":"self"'), "with who agreed"),
        (GOOD.replace(b"Zo\\u00eb agreed", b"Zo\\u00eb\\u001b[2J agreed"), "printable"),
        (GOOD.replace(b"Zo\\u00eb agreed", b"\\u202eagreed"), "printable"),
        (GOOD.replace(b"Zo\\u00eb agreed", b"Zoe\\u0308 agreed"), "printable"),
        (GOOD.replace(b"Zo\\u00eb agreed", b"\\ud800"), "printable"),
        (GOOD.replace(b"2026-02-01", b"2026-02-31"), "date '2026-02-31'"),
        (GOOD.replace(b"2026-02-01", b"20260201"), "date '20260201'"),
        (GOOD.replace(b"2026-01-05", b"2026-03-01"), "later than"),
        (GOOD.replace(b"5" * 64, b"6" * 64), "changed after signing"),
        (GOOD.replace(b"agreed", b"refused"), "changed after signing"),
        (GOOD.replace(b"consent form", b"../consent form"), "folder"),
    ],
)
def test_hostile_records_are_refused_by_name(data: bytes, said: str) -> None:
    assert data != GOOD
    with pytest.raises(ConsentError, match=said):
        Consent.from_json(data)


def test_another_portrait_is_refused() -> None:
    agreed().check_portrait(PORTRAIT)
    with pytest.raises(ConsentError, match="another portrait"):
        agreed().check_portrait("6" * 64)


@pytest.mark.parametrize("field", ["claim", "maker", "signature"])
def test_a_record_in_memory_cannot_be_altered_either(field: str) -> None:
    other = Consent.sign(Claim.make(Basis.SELF, "6" * 64), Ed25519PrivateKey.generate())
    with pytest.raises(ConsentError, match="signature"):
        dataclasses.replace(agreed(), **{field: getattr(other, field)})


def test_claims_must_make_sense() -> None:
    with pytest.raises(ConsentError, match="without who agreed"):
        Claim.make(Basis.CONSENT, PORTRAIT)
    with pytest.raises(ConsentError, match="with who agreed"):
        Claim.make(Basis.FICTIONAL, PORTRAIT, GRANT)
    with pytest.raises(ConsentError, match="later than"):
        Claim.make(Basis.CONSENT, PORTRAIT, Grant("Zoë", date.today() + timedelta(days=1)))
    with pytest.raises(ConsentError, match="SHA-256"):
        Claim.make(Basis.SELF, "ABC")
    for name in ("", " ", "a\nb", " Zoë", "x" * 201):
        with pytest.raises(ConsentError, match="subject"):
            Grant(name, date(2026, 1, 1))
    assert Claim.make(Basis.CONSENT, PORTRAIT, Grant("x" * 200, date(2026, 1, 1))).grant


def test_a_document_is_kept_as_name_and_digest(tmp_path: Path) -> None:
    paper = tmp_path / "form.pdf"
    paper.write_bytes(b"abc")
    assert Document.of_file(paper) == Document(
        "form.pdf", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    paper.write_bytes(b"")
    for bad, said in ((paper, "empty"), (tmp_path, "cannot be read"), (tmp_path / "none", "cannot be read")):
        with pytest.raises(ConsentError, match=said):
            Document.of_file(bad)


def test_the_sentence_tells_who_and_by_which_record() -> None:
    sentence = agreed().sentence()
    for part in ("(consent)", "Zoë agreed.", "2026-02-01", agreed().id, "consent form.pdf"):
        assert part in sentence
    assert (
        Consent.sign(Claim.make(Basis.SELF, PORTRAIT), KEY).sentence().startswith("Right to use (self): I am")
    )
