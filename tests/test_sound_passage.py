"""The microphone's way, between simulated devices whose clocks are wrong by a known amount."""

from __future__ import annotations

import numpy as np
import pytest
from sound_devices import (
    BLOCK,
    RATE_HZ,
    TONE,
    TONE_HZ,
    Device,
    Played,
    clicks,
    delays_s,
    play_through,
    roughness,
    tone,
)

from facepuppet.sound.delay_line import DelayLine
from facepuppet.sound.level_meter import KNEE, LevelMeter, soften
from facepuppet.sound.passage import Passage

WANTED_S = 0.080
SMOOTH = 4.0  # roughness of fades of 3 and 10 ms; one missing sample of the tone makes 20 or more


def passage(in_hz: float = RATE_HZ) -> Passage:
    made = Passage(in_hz, RATE_HZ)
    made.wanted_s = WANTED_S
    return made


def silent_s(played: Played, after_s: float) -> float:
    """For how long nothing was heard, after the beginning."""
    peaks = np.abs(played.sound.reshape(-1, BLOCK)).max(axis=1)[round(after_s * 100) :]
    return float((peaks < 1e-3).sum()) * 0.01


@pytest.mark.parametrize(("in_ppm", "out_ppm"), [(0, 0), (-300, 470), (770, -100)])
def test_clocks_that_drift_apart_keep_sound_in_time(in_ppm: float, out_ppm: float) -> None:
    way = passage()
    played = play_through(way, clicks, 40.0, Device(in_ppm), Device(out_ppm, holds_s=0.03))
    delays = delays_s(played)
    assert len(delays) > 75
    assert np.abs(delays[:, 1] - WANTED_S).max() < 0.005  # what the first seconds need to learn the drift
    assert way.measured_s == pytest.approx(delays[-1, 1], abs=0.003)
    assert 1e6 * way.drift == pytest.approx(out_ppm - in_ppm, abs=150)


@pytest.mark.parametrize("hz", [16_000, 44_100, 96_000])
def test_a_microphone_of_another_rate_is_in_time(hz: float) -> None:
    played = play_through(passage(hz), clicks, 6.0, Device(100, rate_hz=hz), Device(-300, holds_s=0.03))
    delays = delays_s(played)
    assert len(delays) > 8
    assert np.abs(delays[:, 1] - WANTED_S).max() < 0.005


def test_a_changed_delay_is_reached_without_a_click() -> None:
    way = passage()

    def want(seconds: float) -> None:
        way.wanted_s = seconds

    # Near ones are slid to, in a pitch that nobody hears; far ones are jumped to.
    changes = {4.0: lambda: want(0.1), 12.0: lambda: want(0.3), 15.0: lambda: want(0.06)}
    played = play_through(way, tone, 18.0, Device(100), Device(-300, holds_s=0.03), at=changes)
    assert way.measured_s == pytest.approx(0.06, abs=0.01)
    assert way.underruns == 0 and silent_s(played, 1.0) == 0.0
    assert roughness(played.sound) < SMOOTH


def test_a_change_of_the_delay_is_heard_as_that_delay() -> None:
    way = passage()
    changes = {3.0: lambda: setattr(way, "wanted_s", 0.3)}
    delays = delays_s(play_through(way, clicks, 8.0, Device(), Device(holds_s=0.03), at=changes))
    assert delays[delays[:, 0] > 5.0, 1] == pytest.approx(0.3, abs=0.005)


def test_mute_falls_silent_and_comes_back_softly() -> None:
    way = passage()
    changes = {2.0: lambda: setattr(way, "muted", True), 3.0: lambda: setattr(way, "muted", False)}
    played = play_through(way, tone, 4.0, Device(), Device(holds_s=0.03), at=changes)
    assert silent_s(played, 1.0) == pytest.approx(1.0, abs=0.05)
    assert roughness(played.sound) < SMOOTH and way.underruns == 0


@pytest.mark.parametrize("gap_s", [0.08, 0.2, 2.0])
def test_a_microphone_that_pauses_is_heard_again_in_time_and_softly(gap_s: float) -> None:
    way = passage()
    around = Device(100), Device(-300, holds_s=0.03)
    played = play_through(way, tone, 8.0, *around, silent=(4.0, 4.0 + gap_s))
    assert silent_s(played, 1.0) == pytest.approx(gap_s, abs=0.1)
    assert roughness(played.sound) < SMOOTH
    assert way.underruns <= 2
    assert way.measured_s == pytest.approx(WANTED_S, abs=0.025)


def test_a_delay_that_devices_cannot_keep_becomes_the_least_they_can() -> None:
    way = passage()
    way.wanted_s = 0.0
    played = play_through(way, tone, 12.0, Device(100, late_s=0.02), Device(-300, 0.002, holds_s=0.03))
    assert way.measured_s is not None and 0.05 < way.measured_s < 0.1  # 30 held, 10 a block, 20 late
    assert silent_s(played, 3.0) == 0.0
    assert roughness(played.sound) < SMOOTH


def test_nothing_is_heard_before_the_microphone_speaks() -> None:
    way = passage()
    block = np.ones(BLOCK, np.float32)
    for k in range(50):
        way.play(block, k * 0.01)
    assert not block.any() and way.measured_s is None and way.underruns == 0


def test_the_meter_tells_the_peak_and_falls_slowly() -> None:
    meter = LevelMeter()
    assert meter.peak_dbfs == -120.0
    meter.feed(np.full(480, -0.5, np.float32), 0.01)
    assert meter.peak_dbfs == pytest.approx(-6.02, abs=0.01)
    meter.feed(np.zeros(480, np.float32), 1.0)
    assert meter.peak_dbfs == pytest.approx(-26.02, abs=0.01)
    assert meter.clipped == 0


def test_clipping_is_counted_and_what_leaves_stays_within_full_scale() -> None:
    way = passage()
    meter = way.meter

    def shout(times_s: np.ndarray) -> np.ndarray:
        return np.clip(8 * tone(times_s), -1.0, 1.0)

    played = play_through(way, shout, 2.0, Device(), Device(holds_s=0.03))
    assert meter.clipped > 100 and meter.peak_dbfs == pytest.approx(0.0, abs=0.01)
    assert 0.9 < np.abs(played.sound).max() <= 1.0


def test_the_ceiling_leaves_soft_sound_as_it_is_and_bends_without_an_edge() -> None:
    soft = np.linspace(-KNEE, KNEE, 100, dtype=np.float32)
    assert soften(soft) is soft
    rising = np.linspace(0.0, 2.0, 2001, dtype=np.float32)
    bent = soften(rising)
    assert bent.max() <= 1.0 and (np.diff(bent) >= 0).all()
    assert np.abs(np.diff(bent.astype(float), 2)).max() < 2e-5  # an edge would be 1e-3
    assert soften(-rising) == pytest.approx(-bent)


def test_the_line_gives_what_was_written_across_its_end() -> None:
    line = DelayLine(RATE_HZ, room_s=0.1)
    sound = np.sin(2 * np.pi * TONE_HZ * np.arange(20 * BLOCK) / RATE_HZ).astype(np.float32) * TONE
    out, heard = np.zeros(BLOCK, np.float32), []
    for k in range(20):
        line.write(sound[k * BLOCK : (k + 1) * BLOCK])
        if k > 1:
            line.read_into(out)
            heard.append(out.copy())
    assert np.concatenate(heard)[BLOCK:] == pytest.approx(sound[BLOCK : 18 * BLOCK])


def test_what_the_line_has_forgotten_is_silence() -> None:
    line = DelayLine(RATE_HZ, room_s=0.05)
    line.write(np.ones(4096, np.float32))
    line.write(np.ones(4096, np.float32))
    out = np.ones(BLOCK, np.float32)
    line.read_into(out)
    assert not out.any() and not line.sounding
