"""Who may come in, and how often."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from facepuppet.core.errors import ServerError
from facepuppet.server.join_limits import JoinLimits, PerMinute
from facepuppet.server.token_file import Token, Tokens, load_tokens, one_token, secret_sha256
from facepuppet.testing import FakeClock

GOOD = """
[[token]]
name = "class 4b"
secret = "correct horse battery"
most_sessions = 2
avatars = ["grace_hopper"]

[[token]]
name = "studio"
sha256 = "{digest}"
joins_per_minute = 5
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "tokens.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_a_file_says_who_may_come_in_and_how_far(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"another good secret").hexdigest()
    tokens = load_tokens(written(tmp_path, GOOD.format(digest=digest)))
    one, two = tokens.find("correct horse battery"), tokens.find("another good secret")
    assert one is not None and two is not None
    assert (one.name, one.most_sessions, one.joins_per_minute) == ("class 4b", 2, 60)
    assert one.may_wear("grace_hopper", "0" * 64) and not one.may_wear("eileen", "0" * 64)
    assert (two.name, two.most_sessions, two.joins_per_minute) == ("studio", None, 5)
    assert two.may_wear("eileen", "0" * 64)


@pytest.mark.parametrize(
    "forged", ["", "correct horse batter", "correct horse battery\0", "\udc80", "x" * 999]
)
def test_forged_tokens_let_nobody_in(forged: str) -> None:
    tokens = Tokens((Token("a", secret_sha256("correct horse battery")),))
    assert tokens.find(forged) is None
    assert tokens.find("correct horse battery") is not None


def test_every_secret_is_compared_with_however_early_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return one == other

    monkeypatch.setattr("facepuppet.server.token_file.hmac.compare_digest", compare)
    tokens = Tokens(tuple(Token(name, secret_sha256(name)) for name in "abc"))
    for said, n in (("a", 3), ("c", 6), ("x", 9)):
        tokens.find(said)
        assert len(compared) == n


def test_without_a_file_one_token_is_made_that_nobody_guesses() -> None:
    (one, secret), (other, another) = one_token(), one_token()
    assert one.find(secret) is not None and other.find(secret) is None
    assert len(secret) >= 32 and secret != another


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no list"),
        ("token = 3", "no list"),
        ("token = []", "0 tokens"),
        ("[[token]]\nname='a'", "neither or both"),
        ("[[token]]\nname='a'\nsecret='short'", "characters"),
        ("[[token]]\nname='a'\nsha256='xyz'", "hexadecimal"),
        ("[[token]]\nsecret='0123456789abcdef'", "name"),
        ("[[token]]\nname='a'\nsecret='0123456789abcdef'\nmost=3", "most"),
        ("[[token]]\nname='a'\nsecret='0123456789abcdef'\nmost_sessions=0", "most_sessions"),
        ("[[token]]\nname='a'\nsecret='0123456789abcdef'\nmost_sessions=true", "most_sessions"),
        ("[[token]]\nname='a'\nsecret='0123456789abcdef'\njoins_per_minute=-1", "joins_per_minute"),
        ("[[token]]\nname='a'\nsecret='0123456789abcdef'\navatars='all'", "avatars"),
        ("[[token]]\nname='a'\nsecret='0123456789abcdef'\n" * 2, "same"),
        ("[[token", "cannot be read"),
    ],
)
def test_a_file_that_will_not_do_is_told_in_a_sentence(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(ServerError, match=what) as caught:
        load_tokens(written(tmp_path, text))
    assert "0123456789abcdef" not in str(caught.value)


def test_a_missing_file_and_one_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="No such file"):
        load_tokens(tmp_path / "none.toml")
    (tmp_path / "tokens.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ServerError, match="cannot be read"):
        load_tokens(tmp_path / "tokens.toml")


def test_secrets_that_others_can_read_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path, "[[token]]\nname='a'\nsecret='0123456789abcdef'")
    load_tokens(path)
    assert not caplog.records
    path.chmod(0o644)
    load_tokens(path)
    assert "chmod 600" in caplog.text


def test_a_minute_lets_so_many_through_and_says_when_there_is_room() -> None:
    clock = FakeClock()
    rate = PerMinute(2, clock)
    assert rate.take() == 0
    clock.advance_s(20)
    assert rate.take() == 0
    assert rate.take() == pytest.approx(40)  # the first one's minute
    clock.advance_s(40)
    assert rate.take() == 0
    assert rate.take() == pytest.approx(20)


def test_200_joins_a_second_let_no_more_through_than_a_minute_may() -> None:
    clock = FakeClock()
    limits, token = JoinLimits(clock), Token("a", b"", None, 30)
    inside = 0
    for _ in range(200 * 10):
        inside += not limits.enter(token, back=False)
        clock.advance_s(1 / 200)
    assert inside == 30
    clock.advance_s(60)
    assert not limits.enter(token, back=False)


def test_a_token_holds_so_many_at_once_and_each_has_its_own_count() -> None:
    limits = JoinLimits(FakeClock())
    one, two = Token("one", b"1", 1), Token("two", b"2", 1)
    assert not limits.enter(one, back=False) and not limits.enter(two, back=False)
    assert "in use by 1" in limits.enter(one, back=False)
    limits.leave(one)
    assert not limits.enter(one, back=False)


def test_who_comes_back_is_no_newcomer_but_still_has_to_find_room() -> None:
    limits, token = JoinLimits(FakeClock()), Token("a", b"", 2, 1)
    assert not limits.enter(token, back=False)
    assert "within a minute" in limits.enter(token, back=False)
    assert not limits.enter(token, back=True)
    assert "in use" in limits.enter(token, back=True)
