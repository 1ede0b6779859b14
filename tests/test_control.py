"""Commands to a live run, from anywhere; the picture stays safe whatever they say."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from avatars import hopper
from compare import MARK, assert_pictures_equal
from fakes import ListDriver, MemorySink, VoicedDriver, wait_until

from facepuppet import (
    Away,
    Backdrop,
    Composer,
    Corner,
    Expression,
    Freeze,
    Gains,
    LivePipeline,
    Manner,
    Puppet,
    Recentre,
    SetBackdrop,
    SetGain,
    ShowPuppet,
)
from facepuppet.core.errors import ControlError
from facepuppet.core.types import Presence
from facepuppet.drivers.scripted import Performance
from facepuppet.drivers.tapped import TappedDriver
from facepuppet.face import blendshape_weights
from facepuppet.session.commands import Reset, SetDirection, SetVoice
from facepuppet.session.control import Control
from facepuppet.session.snapshot import state_to_json
from facepuppet.session.verbs import VERBS
from facepuppet.voice import Region, VoiceManner

CANVAS = (256, 144)


def puppet(canvas_px: tuple[int, int] = CANVAS) -> Puppet:
    return Puppet(hopper(), Composer(hopper(), canvas_px, label=Corner.OFF))


def endless() -> Iterator[Expression]:
    i = 0
    while True:
        yield replace(Performance().expression(6.9 + i / 30 % 3, i), captured_ns=round(i / 30 * 1e9))
        i += 1


def control(*names: str) -> tuple[Control, ListDriver]:
    driver = ListDriver(())
    return Control(driver, {name: puppet() for name in names or ("one",)}), driver


def test_commands_are_obeyed_in_order_and_not_before() -> None:
    asked, driver = control("one", "two")
    gains = Gains(head=0.5)
    for command in (
        Recentre(),
        ShowPuppet("two"),
        SetGain("head", 0.5),
        Freeze(True),
        Away(True),
        Recentre(),
    ):
        asked.send(command)
    assert driver.recentred == 0 and asked.state.puppet == "one"
    asked.obey()
    state = asked.state
    assert (driver.recentred, state.puppet, state.frozen, state.away) == (2, "two", True, True)
    assert asked.puppet.manner.gains == gains and asked.puppets["one"].manner == Manner()
    assert state.puppets == ("one", "two") and state.presence is Presence.AWAY


def test_a_voices_manner_is_set_one_by_one_and_refused_where_none_drives() -> None:
    driver = VoicedDriver(())
    driver.manner = VoiceManner(mood=(0.5, 0.0))
    asked = Control(TappedDriver(driver), {"one": puppet()})
    for command in (
        SetVoice("liveliness", 0.5),
        SetVoice("region", Region.MOUTH),
        SetVoice("intensity", 9.0),
    ):
        asked.send(command)
    asked.obey()
    assert driver.manner == VoiceManner(0.5, Region.MOUTH, mood=(0.5, 0.0))
    assert "intensity" in asked.state.refused
    asked.send(SetVoice("emotion", True))
    asked.obey()
    assert asked.state.voice == VoiceManner(0.5, Region.MOUTH, emotion=True)
    without, _ = control()
    without.send(SetVoice("liveliness", 0.5))
    without.obey()
    assert "which drives nobody in this run" in without.state.refused and without.state.voice is None


def test_a_style_is_the_puppets_own_shapes_what_it_shows_and_goes_with_reset() -> None:
    asked, _ = control("one", "two")
    asked.send(VERBS["style"].command({"name": "deadpan"}))
    asked.obey()
    style = asked.state.style
    assert style is not None and style.name == "deadpan"
    assert state_to_json(asked.state)["style"] == "deadpan"
    wide = replace(Performance().expression(9.6, 0), captured_ns=0)
    shown = asked.puppet.character.update(wide)
    assert shown.face is not None and wide.face is not None
    assert (
        blendshape_weights(shown.face.deformation).sum()
        < 0.5 * blendshape_weights(wide.face.deformation).sum()
    )
    assert asked.puppets["two"].character.update(wide) is wide
    asked.send(Reset())
    asked.obey()
    assert asked.state.style is None and state_to_json(asked.state)["style"] == "off"


def test_a_direction_is_set_for_all_puppets_and_reset_with_the_rest() -> None:
    asked, _ = control()
    for command in (SetDirection("smile", 0.5), SetDirection("joy", 0.5)):
        asked.send(command)
    asked.obey()
    assert asked.state.directions["smile"] == 0.5 and "'joy'" in asked.state.refused
    assert len({id(puppet.character.code) for puppet in asked.puppets.values()}) == 1
    asked.send(Reset())
    asked.obey()
    assert not any(asked.state.directions.values())


def test_freeze_and_away_turn_over_without_a_word() -> None:
    asked, _ = control()
    for wanted in (True, False, True):
        asked.send(Freeze())
        asked.send(Away())
        asked.obey()
        assert asked.state.frozen is asked.state.away is wanted


def test_a_frozen_puppet_keeps_its_expression_and_time_goes_on() -> None:
    asked, _ = control()
    first, later = Performance().expression(1.5, 1), Performance().expression(8.0, 2)
    asked.send(Freeze(True))
    asked.obey()
    assert asked.heard(first) == first
    held = asked.heard(later)
    assert held.face is first.face and (held.frame_id, held.captured_ns) == (2, later.captured_ns)
    asked.send(Freeze(False))
    asked.obey()
    assert asked.heard(later) is later


def test_away_is_stronger_than_frozen() -> None:
    asked, _ = control()
    for command in (Freeze(True), Away(True)):
        asked.send(command)
    asked.obey()
    heard = asked.heard(Performance().expression(1.5, 1))
    assert heard.face is None and heard.frame_id == 1


def test_a_puppet_that_is_gone_is_one_clear_line(caplog: pytest.LogCaptureFixture) -> None:
    asked, _ = control("one", "two")
    asked.send(ShowPuppet("three"))
    asked.send(ShowPuppet("two"))
    asked.obey()
    assert asked.state.puppet == "two"
    assert "'three'" in asked.state.refused and "one, two" in caplog.text and "\n" not in asked.state.refused


@pytest.mark.parametrize("sizes", [(), (CANVAS, (320, 180))])
def test_puppets_of_one_canvas_size_are_needed(sizes: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ControlError, match="canvas size"):
        Control(ListDriver(()), {str(i): puppet(size) for i, size in enumerate(sizes)})


def test_a_live_run_obeys() -> None:
    """Every kind of command, sent from another thread while pictures flow."""
    sink, driver = MemorySink(CANVAS), ListDriver(endless())
    puppets = {"one": puppet(), "two": puppet()}
    with LivePipeline(driver, puppets, [sink]) as live:
        live.start()
        send = live.control.send
        wait_until(lambda: len(sink.frames) > 3)
        threading.Thread(target=lambda: send(Recentre())).start()
        wait_until(lambda: driver.recentred == 1)
        send(SetBackdrop(Backdrop("colour", rgb=(0, 255, 0))))
        wait_until(lambda: bool((sink.frames[-1].rgb[0, 0] > (-1, 200, -1)).all()))
        send(ShowPuppet("two"))
        wait_until(lambda: not (sink.frames[-1].rgb[0, 0] > (-1, 200, -1)).all())
        send(Freeze(True))
        wait_until(lambda: live.control.state.frozen)
        n = len(sink.frames)
        wait_until(lambda: len(sink.frames) > n + 12)
        third, second, last = (frame.rgb for frame in sink.frames[-3:])
        send(Freeze(False))
        send(Away(True))
        wait_until(lambda: live.control.state.presence is Presence.AWAY)
        assert_pictures_equal(last, second, MARK)
        assert_pictures_equal(second, third, MARK)
    told = json.loads(json.dumps(live.snapshot().to_json()))
    assert told["stats"]["frames_in"] > 20
    assert told["state"]["puppet"] == "two" and told["state"]["presence"] == "away"
    assert told["state"]["away"] is True and told["state"]["frozen"] is False
