"""A live run as its user sees and handles it: commands by name in, plain values out."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeClock, ListDriver, MemorySink, marked, wait_until
from hypothesis import given, settings
from hypothesis import strategies as st
from test_control import CANVAS, endless, puppet

from facepuppet import LivePipeline, Manner, open_sink
from facepuppet.core.errors import ControlError, OutputUnwritableError
from facepuppet.core.geometry import Similarity, rotation_from_vector
from facepuppet.core.metrics import RunStats
from facepuppet.core.types import Frame
from facepuppet.drivers.camera.own_eyes import jpeg_of, light_of
from facepuppet.drivers.camera.smooth import OneEuro, Response, TrackingSmoother
from facepuppet.drivers.camera.tracking import Face, Tracking
from facepuppet.media.pictures import decode_picture
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.gains import Gains
from facepuppet.retarget.head_speed import HeadSpeed
from facepuppet.session.meters import Meters
from facepuppet.session.show import Extras, Show
from facepuppet.sinks.fanout import Fanout
from facepuppet.sinks.recording_switch import RecordingSwitch
from facepuppet.sinks.sink import Sink


class Microphone:
    """A sound that only knows whether it is muted."""

    muted = False

    def to_json(self) -> dict[str, Any]:
        return {"muted": self.muted}


def test_a_run_is_handled_by_name_and_told_in_plain_values() -> None:
    sink, microphone = MemorySink(CANVAS), Microphone()
    puppets = {"one": puppet(), "two": puppet()}
    with LivePipeline(ListDriver(endless()), puppets, [sink]) as live:
        told_by = {"readers": lambda: ("a meeting",), "missing": lambda: ("Load the driver.",)}
        show = Show(live, Extras(sound=microphone, **told_by))
        live.start()
        wait_until(lambda: len(sink.frames) > 3)
        for verb, values in {
            "gain": {"region": "mouth", "amount": "0.5"},
            "still": {"region": "torso", "on": True},
            "head-speed": {"degrees": 90},
            "smoothing": {"strength": 2},
            "background": {"word": "#102030"},
            "mirror": {},
            "label": {"corner": "tl"},
            "mute": {"on": "on"},
        }.items():
            show.do(verb, values)
        wait_until(lambda: show.to_json()["state"]["label"] == "tl")
        told = json.loads(json.dumps(show.to_json()))
        show.do("avatar", {"name": "two"})
        wait_until(lambda: show.to_json()["state"]["puppet"] == "two")
    state = told["state"]
    assert state["gains"]["mouth"] == 0.5 and state["gains"]["head"] == 1.0
    assert state["still"] == ["torso"] and state["head_speed_rad_s"] == pytest.approx(math.pi / 2)
    assert state["smoothing"] == 2.0 and state["mirror"] is True and state["backdrop"] == "#102030"
    assert told["sound"] == {"muted": True} and told["readers"] == ["a meeting"]
    assert told["missing"] == ["Load the driver."]
    assert told["recording"] is None and told["light"] is None and told["mark"].endswith("key")
    assert live.control.puppets["two"].manner == Manner(), "another puppet keeps its own manner"


@pytest.mark.parametrize("verb", ["record", "mute"])
def test_what_a_run_has_not_is_refused_in_one_line(verb: str) -> None:
    live = LivePipeline(ListDriver(()), puppet(), [MemorySink(CANVAS)])
    with pytest.raises(ControlError, match="which this run has not"):
        Show(live).do(verb)


def test_a_number_that_no_verb_lets_through_is_told_and_the_show_goes_on() -> None:
    from facepuppet import SetGain

    sink = MemorySink(CANVAS)
    with LivePipeline(ListDriver(endless()), puppet(), [sink]) as live:
        live.start()
        live.control.send(SetGain("head", math.nan))
        live.control.send(SetGain("tail", 1.0))
        wait_until(lambda: "tail" in live.control.state.refused)
        n = len(sink.frames)
        wait_until(lambda: len(sink.frames) > n + 3)
        assert live.control.puppet.manner == Manner()


# Recordings on demand


def switch_into(folder: Path, size_px: tuple[int, int] = (160, 128)) -> RecordingSwitch:
    names = iter(range(9))

    def open_one() -> tuple[Sink, Path]:
        path = folder / f"{next(names)}.mkv"
        return open_sink(path, size_px, 30.0), path

    return RecordingSwitch(size_px, open_one)


def test_a_recording_starts_and_ends_in_mid_run(tmp_path: Path) -> None:
    switch = switch_into(tmp_path)
    with Fanout([MemorySink()], beside=[switch]) as output:
        for i in range(10):
            if i in (3, 6):
                switch.switch(None)
            assert switch.on is (3 <= i < 6)
            output.send(marked(frame_id=i), i / 30)
        assert [path.name for path in tmp_path.iterdir()] == ["0.mkv"], "whole as soon as it ends"
        switch.switch(True)
        output.send(marked(), 1.0)
    assert switch.path == tmp_path / "1.mkv" and switch.path.is_file()


def test_a_recording_that_fails_ends_alone(tmp_path: Path) -> None:
    failing, kept = MemorySink(fails_at=1), MemorySink()
    switch = RecordingSwitch(kept.size_px, lambda: (failing, tmp_path / "a.mkv"))
    with Fanout([kept], beside=[switch]) as output:
        switch.switch(True)
        for i in range(4):
            output.send(marked(frame_id=i))
        assert len(kept.frames) == 4 and failing.aborted and not switch.on
        assert "told to fail" in switch.problem and not output.failures
        with pytest.raises(OutputUnwritableError):
            switch_into(tmp_path / "missing").switch(True)


def test_what_is_beside_keeps_no_run_going() -> None:
    clock = FakeClock()
    output = Fanout([MemorySink(fails_at=0)], beside=[MemorySink()], clock=clock)
    with pytest.raises(OSError, match="told to fail"):
        for _ in range(4):  # the others are borne
            output.send(marked())
            clock.advance_s(3.0)


# Meters


def test_meters_tell_of_the_time_since_the_last_look() -> None:
    clock = FakeClock()
    stats = RunStats.offline(
        0, 1.0, n_with_face=0, n_hidden={}, stages={}, networks={}, frame_path="CPU", fallbacks=()
    )
    now = [replace(stats, frames_in=300, frames_out=150, seconds=10.0)]
    meters = Meters(lambda: now[0], lambda: tuple([1.0] * 500 + [0.02] * 150), clock)
    first = meters.read()
    assert first.fps == 15.0 and first.dropped == 0.5 and first.latency_p95_ms == 20.0
    now[0] = replace(stats, frames_in=330, frames_out=180, seconds=11.0)
    clock.advance_s(0.1)
    assert meters.read() == first, "too soon to say"
    clock.advance_s(0.9)
    second = meters.read()
    assert second.fps == 30.0 and second.dropped == 0.0 and second.pictures == 180


# Manner


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0.001, 0.1)), min_size=2, max_size=20),
    st.floats(0.1, 6.0),
)
@settings(deadline=None)
def test_a_head_turns_no_faster_than_its_limit_and_gets_there(
    path: list[tuple[float, float]], most_rad_s: float
) -> None:
    one, t_ns, before = HeadSpeed(), 0, None
    rest = Deltas.rest()
    for turn, elapsed_s in path:
        t_ns += round(elapsed_s * 1e9)
        wanted = replace(rest, turn=np.float32([turn, -turn, 0]), shift=np.float32([turn, 0]))
        shown = one.update(wanted, t_ns, most_rad_s)
        if before is not None:
            most = most_rad_s * elapsed_s + 1e-5
            assert np.linalg.norm(shown.turn - before.turn) <= most
            assert np.linalg.norm(shown.shift - before.shift) <= most
        before = shown
    for _ in range(200):
        t_ns += 200_000_000
        shown = one.update(wanted, t_ns, most_rad_s)
    assert shown.turn == pytest.approx(wanted.turn, abs=1e-5)


def test_without_a_limit_and_at_once_after_it_nothing_is_held_back() -> None:
    one = HeadSpeed()
    far = replace(Deltas.rest(), turn=np.float32([0, 0.8, 0]))
    one.update(Deltas.rest(), 0, 0.2)
    assert one.update(far, 33_000_000, 0.2).turn[1] < 0.01
    assert one.update(far, 66_000_000, None) is far


def test_regions_that_keep_still_have_no_gain_and_keep_their_own() -> None:
    manner = Manner(Gains(head=2.0, mouth=0.5), frozenset({"head"}))
    assert manner.effective == Gains(head=0.0, mouth=0.5) and manner.gains.head == 2.0
    assert Manner().effective == Gains()
    for wrong in ({"still": frozenset({"tail"})}, {"head_speed_rad_s": 0.0}, {"head_speed_rad_s": math.nan}):
        with pytest.raises(ValueError, match="expected"):
            Manner(**wrong)  # type: ignore[arg-type]


# Smoothing


def test_strength_smooths_more_less_or_not_at_all() -> None:
    def behind(strength: float) -> float:
        one = OneEuro(Response(1.0, 1.0))
        one.strength = strength
        one.filter(np.array([0.0]), 0)
        return 1.0 - float(one.filter(np.array([1.0]), 33_000_000)[0])

    assert behind(0.0) == pytest.approx(0.0, abs=1e-6)
    assert behind(0.0) < behind(0.5) < behind(1.0) < behind(2.0) < behind(4.0) < 1.0


@pytest.mark.parametrize("bad", [-0.1, 4.5, math.nan])
def test_strength_has_bounds(bad: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 4"):
        TrackingSmoother().set_strength(bad)


# A user's own eyes


def looking(brightness: int) -> tuple[Frame, Tracking]:
    rgb = np.zeros((200, 300, 3), np.uint8)
    rgb[50:150, 100:200] = brightness
    points = np.zeros((478, 3), np.float32)
    points[:, 0], points[:, 1] = np.linspace(101, 199, 478), np.linspace(51, 149, 478)
    pose = Similarity(rotation_from_vector(np.zeros(3)), 50.0, np.zeros(3))
    return Frame(rgb, 0, 0), Tracking(Face(points, pose), None, (300, 200), 0, 0)


def test_light_is_that_on_the_face() -> None:
    assert light_of(*looking(255)) == pytest.approx(1.0, abs=0.02)
    assert light_of(*looking(51)) == pytest.approx(0.2, abs=0.02)
    frame, tracking = looking(51)
    assert light_of(frame, replace(tracking, face=None)) is None


def test_a_camera_picture_is_small() -> None:
    frame, _ = looking(200)
    seen = decode_picture(jpeg_of(frame, 120), name="a camera's")
    assert seen.shape == (80, 120, 3) and abs(int(seen[40, 60].mean()) - 200) < 4
    assert decode_picture(jpeg_of(frame, 9999), name="a camera's").shape == frame.rgb.shape
