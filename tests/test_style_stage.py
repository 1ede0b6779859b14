"""A style changes what it says it changes, and nothing else; and it comes and goes without a jump."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from performances import CHANNELS, FPS, channels_of, moment, most_moved, placed

from facepuppet.character import EASE_S, SETTINGS, STYLE_NAMES, Character, Style, StyleStage, load_style
from facepuppet.character.envelope import Envelope, Times
from facepuppet.character.habits import BlinkRate, Habits, lids_with
from facepuppet.core.types import Expression
from facepuppet.drivers import ScriptedDriver

TOLD_OFF, OTHERS_OFF = 0.10, 0.05
# What the tracker's landmarks tell of a pucker reads low (face/blendshapes.py), however it is read.
PUCKER_OFF = 0.25


def steady(name: str) -> Style:
    """A shipped style without what it adds of its own."""
    style = load_style(name)
    return replace(style, values={k: v for k, v in style.values.items() if k[0] == "gains"}, looks={})


def held(stage: StyleStage, tracked: bool, **amounts: float) -> dict[str, float]:
    return channels_of(stage.update(moment(0.0, tracked=tracked, **amounts)))


@pytest.mark.thorough
@pytest.mark.parametrize("tracked", [False, True], ids=["shapes", "landmarks"])
@pytest.mark.parametrize("name", STYLE_NAMES)
def test_each_channel_changes_by_its_gain_and_no_other_channel_does(name: str, tracked: bool) -> None:
    style = steady(name)
    for channel in CHANNELS:
        amounts = {channel: 0.6}
        before = channels_of(moment(0.0, tracked=tracked, **amounts))[channel]
        gain = style[("gains", channel)]
        after = held(StyleStage(style), tracked, **amounts)[channel]
        off = PUCKER_OFF if tracked and channel == "mouth" else TOLD_OFF
        # A change of a channel that is to vanish is judged against the channel itself.
        assert abs(after / before - gain) <= max(off * gain, 0.5 * TOLD_OFF), (channel, after / before, gain)


@pytest.mark.parametrize("tracked", [False, True], ids=["shapes", "landmarks"])
@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("gain", [0.3, 1.7])
def test_a_gain_leaves_every_other_channel_as_it_was(channel: str, gain: float, tracked: bool) -> None:
    stage = StyleStage(Style("", "", {("gains", channel): gain}))
    for other in CHANNELS:
        if other != channel:
            before = channels_of(moment(0.0, tracked=tracked, **{other: 0.7}))
            after = held(stage, tracked, **{other: 0.7})
            assert after[other] == pytest.approx(before[other], rel=OTHERS_OFF), other


@settings(max_examples=30, deadline=None)
@given(
    channel=st.sampled_from([one for one in CHANNELS if one != "lids"]),
    gain=st.floats(0.0, 3.0),
    amount=st.floats(0.1, 0.8),
)
def test_any_gain_scales_any_amount_as_far_as_a_face_goes(channel: str, gain: float, amount: float) -> None:
    before = channels_of(moment(0.0, **{channel: amount}))[channel]
    after = held(StyleStage(Style("", "", {("gains", channel): gain})), False, **{channel: amount})[channel]
    most = channels_of(moment(0.0, **{channel: 2.5}))[channel]  # shapes of .4 at 1
    is_face = channel in ("brows", "smile", "mouth", "jaw")
    assert after == pytest.approx(min(gain * before, most) if is_face else gain * before, rel=0.1, abs=2e-3)


def test_nothing_set_gives_the_same_object_and_so_does_a_style_that_changes_nothing() -> None:
    expression = moment(0.0, smile=1.0)
    for style in (None, Style("", ""), Style("", "", {("gains", "brows"): 1.0})):
        assert StyleStage(style).update(expression) is expression
    assert Character().update(expression) is expression


def test_what_a_style_does_not_speak_of_keeps_every_bit() -> None:
    expression = moment(0.0, tracked=True, smile=1.0, yaw=1.0, gaze=1.0, shoulders=1.0)
    shown = StyleStage(Style("", "", {("gains", "smile"): 1.5})).update(expression)
    one, other = expression.face, shown.face
    assert one is not None and other is not None
    assert other.head is one.head and other.gaze is one.gaze and other.eye_opening is one.eye_opening
    assert shown.torso is expression.torso


@pytest.mark.parametrize("name", STYLE_NAMES)
def test_nobody_stays_nobody_and_no_number_is_lost_on_the_piece(name: str) -> None:
    stage, driver = StyleStage(load_style(name)), ScriptedDriver(4.0)
    absent = Expression.absent(0, 0)
    assert stage.update(absent) is absent
    while (expression := driver.read()) is not None:
        face = stage.update(expression).face
        assert face is not None
        assert np.isfinite(face.gaze).all() and np.isfinite(face.head.turn).all()
        assert (face.eye_opening >= 0.0).all()


@pytest.mark.parametrize("tracked", [False, True], ids=["shapes", "landmarks"])
def test_a_change_of_style_in_mid_run_never_jumps(tracked: bool) -> None:
    """Of somebody who holds a strong pose: all that moves then is the change."""
    without_habits = {
        name: replace(style, values={k: v for k, v in style.values.items() if k[0] != "habits"})
        for name in STYLE_NAMES
        for style in [load_style(name)]
    }
    pose = {"brows": 1.0, "smile": 1.5, "jaw": 1.5, "yaw": 2.5, "pitch": 1.0, "roll": 1.0, "shoulders": 1.0}
    stage, n, before = StyleStage(), 0, None
    still = moment(0.0, tracked=tracked, **pose)
    asked = [without_habits["theatrical"], without_habits["deadpan"], None, without_habits["calm"], None]
    extreme = Style("", "", {("gains", name): 3.0 for name in ("yaw", "brows", "smile", "jaw")})
    for style in [*asked, extreme, None]:
        stage.style = style
        for _ in range(round(1.3 * EASE_S * FPS)):
            at = placed(stage.update(replace(still, captured_ns=round(n / FPS * 1e9))))
            assert before is None or most_moved(before, at) <= 0.02
            before, n = at, n + 1
    still = moment(n / FPS, tracked=tracked, **pose)
    assert stage.update(still) is still


def test_a_style_that_is_set_before_the_first_frame_is_there_at_once() -> None:
    character = Character()
    character.style = load_style("deadpan")
    first = character.update(moment(0.0, yaw=1.0))
    assert channels_of(first)["yaw"] == pytest.approx(0.35 * 0.2, rel=0.1)
    character.style = None
    then = character.update(moment(1 / FPS, yaw=1.0))
    assert channels_of(then)["yaw"] == pytest.approx(channels_of(first)["yaw"], rel=0.05)


def test_shut_eyes_stay_shut_whatever_the_gain_of_lids() -> None:
    for gain in (0.3, 0.85, 1.0, 2.0):
        stage = StyleStage(Style("", "", {("gains", "lids"): gain, ("gains", "yaw"): 0.9}))
        face = stage.update(moment(0.0, lids=1 / 0.3)).face
        assert face is not None and face.eye_opening.max() < 0.02


def test_thresholds_leave_out_the_weak_and_let_the_strong_through() -> None:
    stage = StyleStage(Style("", "", {("thresholds", "smile"): 0.15, ("thresholds", "head"): 0.05}))
    weak, strong = held(stage, False, smile=0.3, yaw=0.2), held(stage, False, smile=1.0, yaw=1.0)
    assert weak["smile"] == pytest.approx(0.0, abs=1e-4) and weak["yaw"] == 0.0
    assert strong == pytest.approx(channels_of(moment(0.0, smile=1.0, yaw=1.0)), rel=1e-3, abs=1e-5)


def test_numbers_come_stay_and_go_in_their_times() -> None:
    times = Times(*(np.array([one], np.float32) for one in (0.3, 0.5, 1.0)), none=False)
    envelope, dt_s, shown = Envelope(), 1 / 60, []
    envelope.toward(np.zeros(1, np.float32), times, 0.0)
    for n in range(240):
        target = np.array([1.0 if n < 60 else 0.0], np.float32)
        shown.append(float(envelope.toward(target, times, dt_s)[0]))
    assert shown[18] == pytest.approx(0.9, abs=0.02)  # after its onset
    assert shown[88] > 0.99  # still held
    assert shown[60 + 30 + 60] == pytest.approx(0.1, abs=0.03)  # after hold and decay


def test_habits_come_as_often_as_a_style_has_them_and_are_seeded() -> None:
    rates = {("habits", "nods"): 10.0, ("habits", "brow_flashes"): 6.0, ("habits", "gaze_aversions"): 12.0}
    style, minutes = Style("", "", rates), 10
    shown = {
        name: [
            (down, flash, abs(eyes[0]))
            for habits in [Habits(seed)]
            for n in range(minutes * 600)
            for down, flash, eyes in [habits.step(n / 10, style.__getitem__)]
        ]
        for name, seed in (("one", 7), ("again", 7), ("other", 8))
    }
    assert shown["one"] == shown["again"] != shown["other"]
    for at, size, rate in ((0, 0.02, 10.0), (1, 0.1, 6.0), (2, 0.05, 12.0)):
        n_found = sum(now[at] > size >= before[at] for before, now in pairwise(shown["one"]))
        assert n_found == pytest.approx(minutes * rate, rel=0.2)


def test_a_nod_of_its_own_is_seen_and_the_head_comes_back() -> None:
    stage = StyleStage(Style("", "", {("habits", "nods"): 30.0}))
    rest = moment(0.0)
    downs = []
    for n in range(10 * FPS):
        face = stage.update(replace(rest, captured_ns=round(n / FPS * 1e9))).face
        assert face is not None
        downs.append(float(face.head.turn[0]))
    assert max(downs) > math.radians(2.5) and min(downs) == 0.0
    assert max(now - before for before, now in pairwise(downs)) < 0.025


@pytest.mark.parametrize("rate", [6.0, 17.0, 30.0])
def test_blinks_are_as_many_as_a_style_has_them(rate: float) -> None:
    """Of somebody who blinks 17 times a minute."""
    blinks, shut = BlinkRate(seed=3), []
    for n in range(5 * 60 * FPS):
        since_s = n / FPS % (60 / 17)
        opening = 1.0 - max(0.0, 1.0 - abs(since_s - 0.15) / 0.15)
        shut.append(lids_with(opening, *blinks.step(n / FPS, 1 / FPS, opening, rate)) < 0.4)
    assert sum(now and not before for before, now in pairwise(shut)) / 5 == pytest.approx(rate, rel=0.15)


def test_eyes_that_are_shut_on_purpose_are_shown_shut_even_where_blinks_are_rare() -> None:
    blinks = BlinkRate()
    for n in range(4 * FPS):
        opening = 0.0 if n % 20 < 6 or n > 90 else 1.0  # many blinks, then long shut
        shown = lids_with(opening, *blinks.step(n / FPS, 1 / FPS, opening, 1.0))
    assert shown == 0.0


def test_a_mood_adds_what_the_style_has_for_it() -> None:
    looks = {"pleasant": {"browOuterUp": 0.5}}
    stage = StyleStage(Style("", "", {}, looks))
    for n in range(120):
        glad = channels_of(stage.update(moment(n / FPS, smile=1.8)))
    stage = StyleStage(Style("", "", {}, looks))
    for n in range(120):
        plain = channels_of(stage.update(moment(n / FPS, jaw=0.5)))
    assert glad["brows"] > 0.01 and abs(plain["brows"]) < 0.004


@settings(max_examples=20, deadline=None)
@given(values=st.dictionaries(st.sampled_from(list(SETTINGS)), st.floats(0.0, 1.0), max_size=12))
def test_whatever_a_style_says_a_face_stays_one(values: dict[tuple[str, ...], float]) -> None:
    stage = StyleStage(Style("", "", {key: share * SETTINGS[key].most for key, share in values.items()}))
    for n in range(12):
        amount = math.sin(n)
        shown = stage.update(
            moment(n / 10, tracked=n % 2 == 0, smile=max(amount, 0.0), yaw=amount, brows=0.5)
        )
        assert all(math.isfinite(one) for one in channels_of(shown).values())
