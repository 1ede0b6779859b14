"""Limits of a portrait: what is assumed, and what a file may say."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepuppet.portrait.safe_range import ASSUMED_POSE, LEAST_TRAVEL, SafeRange

DEFAULT = SafeRange()
GOOD = json.loads(DEFAULT.to_json())


def test_a_frontal_portrait_has_the_default_range() -> None:
    assert SafeRange.assumed(0.0, 0.0, 0.0) == DEFAULT


@given(st.floats(-1.0, 1.0))
def test_what_is_left_depends_on_where_the_portrait_starts(own_rad: float) -> None:
    left, right = SafeRange.assumed(own_rad, 0.0, 0.0).yaw_rad
    farther, back = (right, left) if own_rad > 0 else (left, right)
    assert back == ASSUMED_POSE[0]
    assert farther == pytest.approx(max(ASSUMED_POSE[0] - abs(own_rad), LEAST_TRAVEL))


limits = st.floats(0.001, 4.0)
travels = st.tuples(limits, limits)


@given(st.builds(SafeRange, travels, travels, travels, travels, travels, limits, limits))
def test_json_round_trip(safe: SafeRange) -> None:
    assert SafeRange.from_json(safe.to_json()) == safe


def test_members_of_later_versions_are_ignored() -> None:
    assert SafeRange.from_json(json.dumps({**GOOD, "tongue": 1}).encode()) == DEFAULT


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"3",
        b"\xff",
        b"[" * 100_000,
        json.dumps({**GOOD, "yaw_rad": 0.3}),
        json.dumps({**GOOD, "yaw_rad": [0.3]}),
        json.dumps({**GOOD, "yaw_rad": [0.3, "0.3"]}),
        json.dumps({**GOOD, "mouth_opening": True}),
        json.dumps({**GOOD, "mouth_opening": math.nan}),
        json.dumps({**GOOD, "mouth_opening": 0}),
        json.dumps({**GOOD, "eye_opening": 5}),
        json.dumps({**GOOD, "eye_opening": None}),
        json.dumps({key: value for key, value in GOOD.items() if key != "gaze_x"}),
    ],
)
def test_malformed_ranges_are_refused(content: bytes | str) -> None:
    with pytest.raises(ValueError):
        SafeRange.from_json(content if isinstance(content, bytes) else content.encode())
