"""What is heard in a voice: timing, silence, pitch, lips that must meet."""

from __future__ import annotations

import numpy as np
import pytest

from engines.voice.espeak import Espeak
from engines.voice.examples import Example, of_spoken
from engines.voice.listener_judgement import lips_met, of_film, silent_shut
from engines.voice.phones import BURST_LEAD_S
from facepuppet.core import F32
from facepuppet.voice import LOOK_AHEAD_S, RATE_HZ, STEP_S, Hearing, PlainMouth, VoiceFrame, VoiceSpectrum
from facepuppet.voice.hearing import shut_in_silence
from facepuppet.voice.mouth_network import MouthNetwork
from facepuppet.voice.pitch import WINDOW, pitch_of

JAW = 0  # of MOUTH_SHAPES


def voiced(seconds: float, pitch_hz: float = 120.0, seed: int = 0) -> F32:
    """A buzz through a formant at 700 Hz: near enough to /a/ for whoever hears."""
    n = round(seconds * RATE_HZ)
    t_s = np.arange(n) / RATE_HZ
    harmonics = np.arange(1, int(4000 / pitch_hz))
    level = 1.0 / (1.0 + ((harmonics * pitch_hz - 700.0) / 300.0) ** 2) + 0.05
    buzz = (level[:, None] * np.sin(2 * np.pi * pitch_hz * harmonics[:, None] * t_s)).sum(0)
    hiss = 1e-4 * np.random.default_rng(seed).standard_normal(n)
    return np.asarray(0.2 * buzz / np.abs(buzz).max() + hiss, np.float32)


def hiss(seconds: float, level: float = 1e-4) -> F32:
    n = round(seconds * RATE_HZ)
    return np.asarray(level * np.random.default_rng(1).standard_normal(n), np.float32)


def heard(sound: F32, block: int = 1600) -> list[VoiceFrame]:
    hearing = Hearing()
    return [
        frame for start in range(0, len(sound), block) for frame in hearing.feed(sound[start : start + block])
    ]


def test_frames_do_not_depend_on_how_sound_is_cut_into_blocks() -> None:
    sound = np.concatenate([hiss(0.5), voiced(1.0), hiss(0.5)])
    once = heard(sound, len(sound))
    for block in (37, 320, 5000):
        again = heard(sound, block)
        assert [frame.t_s for frame in again] == [frame.t_s for frame in once]
        np.testing.assert_allclose([f.mouth for f in again], [f.mouth for f in once], atol=1e-4)
        np.testing.assert_allclose([f.pitch_hz for f in again], [f.pitch_hz for f in once])


def test_a_moment_is_told_60_ms_later_and_hears_nothing_beyond() -> None:
    sound = np.concatenate([hiss(0.4), voiced(1.0)])
    at = 0.8
    ends = round((at + LOOK_AHEAD_S) * RATE_HZ)
    before = heard(sound[:ends])
    assert at - STEP_S < before[-1].t_s <= at + 1e-9
    changed = sound.copy()
    changed[ends:] = 0.5 * np.sign(changed[ends:])
    after = heard(changed)
    for one, other in zip(before, after, strict=False):
        assert one.t_s == other.t_s
        np.testing.assert_allclose(one.mouth, other.mouth, atol=1e-5)


@pytest.mark.parametrize("level", [0.0, 1e-5, 1e-3, 0.02])
def test_lips_stay_shut_in_silence_and_steady_noise(level: float) -> None:
    frames = heard(hiss(4.0, level) if level else np.zeros(4 * RATE_HZ, np.float32))
    jaws = np.array([frame.mouth[JAW] for frame in frames[50:]])
    assert (jaws < 0.03).mean() > 0.95


def test_a_voice_opens_the_mouth_and_its_end_shuts_it() -> None:
    frames = heard(np.concatenate([hiss(1.0), voiced(0.6), hiss(1.0)]))
    jaw = {round(frame.t_s, 3): float(frame.mouth[JAW]) for frame in frames}
    during = [value for t_s, value in jaw.items() if 1.15 < t_s < 1.5]
    after = [value for t_s, value in jaw.items() if t_s > 1.9]
    assert max(during) > 0.05
    assert max(after) < 0.03


@pytest.mark.parametrize("pitch_hz", [80.0, 120.0, 210.0, 330.0])
def test_pitch_is_heard_within_three_percent(pitch_hz: float) -> None:
    assert pitch_of(voiced(0.2, pitch_hz)[:WINDOW]) == pytest.approx(pitch_hz, rel=0.03)


def test_noise_has_no_pitch() -> None:
    assert pitch_of(hiss(0.2, 0.1)[:WINDOW]) == 0.0


def test_a_telephone_or_a_distance_change_little_of_what_is_heard() -> None:
    sound = np.concatenate([hiss(1.0), voiced(0.5), hiss(0.3), voiced(0.5, 140.0), hiss(0.5)])
    near, far = (np.array([f.mouth[JAW] for f in heard(gain * sound)]) for gain in (1.0, 0.1))
    assert np.corrcoef(near, far)[0, 1] > 0.95


def test_sound_that_is_no_number_leaves_a_resting_face_that_hears_again() -> None:
    sound = voiced(1.0)
    sound[5000:6000] = np.nan
    frames = heard(np.concatenate([hiss(1.0), sound, hiss(2.0), voiced(0.6)]))
    assert all(np.isfinite(frame.mouth).all() for frame in frames)
    assert max(float(frame.mouth[JAW]) for frame in frames if 2.5 < frame.t_s < 3.9) < 0.03
    assert max(float(frame.mouth[JAW]) for frame in frames if frame.t_s > 4.2) > 0.05


def test_signal_processing_alone_hears_the_same_features() -> None:
    features, loudness = VoiceSpectrum().feed(np.concatenate([hiss(1.0), voiced(0.6), hiss(1.0)]))
    mouth, speaking = PlainMouth().feed(features, loudness)
    assert mouth[65:75, JAW].min() > 0.1
    assert mouth[-10:, JAW].max() < 0.03
    assert speaking[65:75].min() > 0.5


# Languages and voices that nobody trained on: what is meant to hold for any language.
STRANGE_LINES = (
    ("ru", "Папа пил пиво, а мама мыла раму. Бабушка поёт."),
    ("el+f3", "Ο μπαμπάς μου πίνει πολύ καφέ. Μια μεγάλη πόλη."),
    ("bg+m4", "Баба ми пее много бавно. Майка ми пие вода."),
    ("uk+f2", "Мама купила білу папугу. Батько пише поему."),
    ("sr+m7", "Мама пева малу песму. Баба воли обалу."),
)


@pytest.fixture(scope="module")
def strangers() -> list[Example]:
    """Speech in those voices, its phones known."""
    pytest.importorskip("scipy", reason="lips of phones need scipy: pip install 'facepuppet[dev]'")
    try:
        espeak = Espeak()
    except OSError:
        pytest.skip("espeak-ng's library is not here: sudo apt-get install libespeak-ng1")
    chance = np.random.default_rng(5)
    return [
        of_spoken(espeak.say(text, voice), voice, chance, [], burst_lead_s=BURST_LEAD_S, clean=True)
        for voice, text in STRANGE_LINES
    ]


def network(features: F32) -> tuple[F32, F32]:
    """Shapes as `Hearing` shows them, and speaking."""
    mouth, speaking = MouthNetwork().feed(features, np.zeros(len(features), np.float32))
    shown = [shut_in_silence(row, float(sure)) for row, sure in zip(mouth, speaking, strict=True)]
    return np.array(shown), speaking


def test_lips_meet_for_p_b_m_in_languages_nobody_trained_on(strangers: list[Example]) -> None:
    assert lips_met(strangers, network) >= 0.9


def test_lips_are_shut_where_these_voices_pause(strangers: list[Example]) -> None:
    assert silent_shut(strangers, network) >= 0.95


def test_the_network_beats_signal_processing(strangers: list[Example]) -> None:
    def plain(features: F32) -> tuple[F32, F32]:
        return PlainMouth().feed(features, 20.0 * (features[:, -1] + 1.0))

    ours, theirs = (np.mean([of_film(e, hear).opening for e in strangers]) for hear in (network, plain))
    assert ours > theirs + 0.1
