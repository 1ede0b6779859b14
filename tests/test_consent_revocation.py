"""Rights that were taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from consents import PORTRAIT, agreed

from facepuppet.core.errors import ConsentError, ConsentRevokedError
from facepuppet.portrait.consent.revocation import MAX_LIST_BYTES, Revocations, default_list_path


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(
        "facepuppet.portrait.consent.revocation.default_list_path", lambda: tmp_path / "usual.txt"
    )
    return tmp_path / "list.txt"


@pytest.mark.parametrize("entry", [agreed().id, agreed().digest, PORTRAIT, agreed().id.upper()])
def test_an_id_a_record_and_a_portrait_can_be_listed(entry: str, listed: Path) -> None:
    listed.write_text(f"# taken back\n\n0000000\n  {entry}  # by Zoë\n", encoding="utf-8")
    with pytest.raises(ConsentRevokedError, match="revoked"):
        Revocations.load(listed).check(agreed())


def test_other_rights_hold(listed: Path) -> None:
    listed.write_text(f"{agreed().id}\n")
    Revocations.load(listed).check(agreed("6" * 64))
    listed.write_text(PORTRAIT)
    Revocations.load(listed).check_portrait("6" * 64)
    with pytest.raises(ConsentRevokedError, match="portrait"):
        Revocations.load(listed).check_portrait(PORTRAIT)


def test_the_usual_list_counts_besides_the_given_one(listed: Path) -> None:
    assert Revocations.load() == Revocations()
    (listed.parent / "usual.txt").write_text("1111111")
    listed.write_text("2222222")
    assert Revocations.load(listed).entries == {"1111111", "2222222"}
    assert Revocations.load().entries == {"1111111"}


def test_the_usual_list_lies_in_the_users_configuration() -> None:
    assert default_list_path().name == "revoked.txt"
    assert "facepuppet" in default_list_path().parts


def test_windows_text_is_read(listed: Path) -> None:
    listed.write_bytes(b"\xef\xbb\xbf1111111\r\n2222222\r\n")
    assert Revocations.load(listed).entries == {"1111111", "2222222"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"1111111\nall of Zoe's\n", "line 2"),
        (b"111111", "line 1"),
        (b"\xff\xfe1\x001\x00", "UTF-8"),
        (b"1111111\n" * (MAX_LIST_BYTES // 8 + 1), "16 MB"),
    ],
    ids=["words", "six digits", "UTF-16", "too large"],
)
def test_what_cannot_be_understood_stops_everything(content: bytes, said: str, listed: Path) -> None:
    listed.write_bytes(content)
    with pytest.raises(ConsentError, match=said):
        Revocations.load(listed)
    (listed.parent / "usual.txt").write_bytes(content)
    with pytest.raises(ConsentError, match=said):
        Revocations.load()


def test_a_given_list_must_be_there(listed: Path) -> None:
    with pytest.raises(ConsentError, match="does not exist"):
        Revocations.load(listed)
    listed.mkdir()
    with pytest.raises(ConsentError, match="cannot be read"):
        Revocations.load(listed)
