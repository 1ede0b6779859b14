"""What somebody says who wants to come in: whatever it is, it is read or refused in a sentence."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("aiortc", reason="needs the extra `server`")

from facepuppet.core.errors import ConsentError, ServerError
from facepuppet.portrait.consent import Basis, Grant
from facepuppet.server.join_message import Asked, Right, read_asked
from facepuppet.server.messages import DrivenBy, Picture

LEAST = {"token": "secret", "avatar": "grace", "offer": "v=0"}
FULL = {
    **LEAST,
    "right": {"basis": "consent", "subject": "Zoe\u0308", "granted": "2026-01-05"},
    "driven_by": "text",
    "sound": False,
    "picture": {"width": 640, "height": 480, "fps": 12.5},
    "back": "ticket",
}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANY = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def test_the_least_and_all_that_can_be_said() -> None:
    assert read_asked(json.dumps(LEAST)) == Asked("secret", "grace", "v=0")
    right = Right(Basis.CONSENT, Grant("Zoë", date(2026, 1, 5)))
    picture = Picture((640, 480), 12.5)
    assert read_asked(json.dumps(FULL)) == Asked(
        "secret", "grace", "v=0", right, DrivenBy.TEXT, False, picture, "ticket"
    )


@given(st.sampled_from(sorted(FULL)), ANY)
def test_any_value_anywhere_is_read_or_refused(key: str, value: object) -> None:
    _read_or_refused({**FULL, key: value})


@given(
    st.sampled_from([("right", key) for key in ("basis", "subject", "granted")])
    | st.sampled_from([("picture", key) for key in ("width", "height", "fps")]),
    ANY,
)
def test_any_value_within_is_read_or_refused(where: tuple[str, str], value: object) -> None:
    outer, inner = where
    _read_or_refused({**FULL, outer: {**FULL[outer], inner: value}})  # type: ignore[dict-item]


def _read_or_refused(message: dict[str, object]) -> None:
    try:
        read_asked(json.dumps(message))
    except (ServerError, ConsentError) as error:
        assert "\n" not in str(error)
        str(error).encode()  # no half of a letter, which no browser could be told
