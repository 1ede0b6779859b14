"""A mood is heard in how a voice sounds, is set by hand, and shapes the face by degrees."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from spoken_sounds import frames_of, silence, syllables

from facepuppet.core.types import F32
from facepuppet.face import ARKIT_INDEX
from facepuppet.voice import RATE_HZ, STEP_S, Brightness, Gestures, Hearing, VoiceManner
from facepuppet.voice.mood import MOOD_FEATURES, Mood, MoodListener, hear_mood_features, look_of
from facepuppet.voice.mood_table import mood_table
from facepuppet.voice.prosody import ProsodyListener

BROWS = [i for name, i in ARKIT_INDEX.items() if name.startswith("brow")]


def moods_of(sound: F32) -> list[Mood]:
    prosody, listener, brightness = ProsodyListener(), MoodListener(), Brightness()
    bright = brightness.feed(sound)
    return [
        listener.hear(prosody.hear(frame, frame.t_s), frame.loudness_db, float(db))
        for frame, db in zip(frames_of(sound), bright, strict=True)
    ]


@cache
def calm_then_roused() -> tuple[Mood, ...]:
    """Twenty seconds of an even voice, then ten of the same louder, higher, faster and wider in range."""
    calm = syllables(72, 0.28, 110.0, loud=0.03)
    roused = np.concatenate([syllables(4, 0.17, 170.0 + 60.0 * (i % 2), loud=0.2) for i in range(15)])
    hiss = np.random.default_rng(0).normal(0.0, 3e-4, len(calm) + len(roused)).astype(np.float32)
    return tuple(moods_of(np.concatenate([calm, roused]) + hiss))


def test_a_voice_that_gets_loud_high_and_fast_is_heard_as_roused() -> None:
    moods = calm_then_roused()
    calm = np.mean([mood.arousal for mood in moods[round(15.0 / STEP_S) : round(20.0 / STEP_S)]])
    roused = np.mean([mood.arousal for mood in moods[round(24.0 / STEP_S) : round(28.0 / STEP_S)]])
    assert roused > calm + 0.3


def test_moods_come_by_degrees_and_stay_in_their_range() -> None:
    both = np.array([(mood.valence, mood.arousal) for mood in calm_then_roused()])
    assert np.abs(both).max() <= 1.0
    assert np.abs(np.diff(both, axis=0)).max() < 0.04, "a second and more from one end to the other"


def test_in_silence_a_mood_passes() -> None:
    sound = np.concatenate([syllables(60, 0.17, 260.0, loud=0.25), silence(25.0)])
    moods = moods_of(sound)
    spoken = round(10.0 / STEP_S)
    assert abs(moods[spoken].arousal) > 0.1
    assert abs(moods[-1].arousal) < 0.25 * abs(moods[spoken].arousal)


def test_each_feature_says_what_its_name_does() -> None:
    def heard(sound: F32) -> dict[str, float]:
        return dict(zip(MOOD_FEATURES, hear_mood_features(sound).tolist(), strict=True))

    noise = np.random.default_rng(1).normal(0.0, 3e-4, 10 * RATE_HZ).astype(np.float32)
    usual = heard(syllables(40, 0.25, 120.0) + noise)
    louder = heard(syllables(40, 0.25, 120.0, loud=0.2) + noise)
    higher = heard(syllables(40, 0.25, 240.0) + noise)
    faster = heard(syllables(66, 0.15, 120.0)[: 9 * RATE_HZ] + noise[: 9 * RATE_HZ])
    assert louder["loudness_db"] > usual["loudness_db"] + 5.0
    assert higher["pitch_st"] - usual["pitch_st"] == pytest.approx(12.0, abs=1.0)
    assert faster["syllables_a_second"] > 1.3 * usual["syllables_a_second"]
    wide = np.concatenate([syllables(1, 0.25, 100.0 + 80.0 * (i % 2)) for i in range(40)])
    assert heard(wide + noise)["pitch_spread_st"] > usual["pitch_spread_st"] + 1.0
    assert set(usual) == set(MOOD_FEATURES) and mood_table().mean.shape == (len(MOOD_FEATURES),)


def test_brightness_tells_a_murmur_from_hiss_whatever_the_blocks() -> None:
    t_s = np.arange(RATE_HZ) / RATE_HZ
    murmur = (0.1 * np.sin(2.0 * np.pi * 250.0 * t_s)).astype(np.float32)
    hiss = np.random.default_rng(2).normal(0.0, 0.1, RATE_HZ).astype(np.float32)
    assert Brightness().feed(murmur).mean() == pytest.approx(-20.2, abs=0.3)
    assert Brightness().feed(hiss).mean() == pytest.approx(3.0, abs=0.2)
    split = Brightness()
    crumbs = np.concatenate([split.feed(hiss[i : i + 131]) for i in range(0, len(hiss), 131)])
    assert np.array_equal(crumbs, Brightness().feed(hiss))
    assert len(crumbs) == len(Hearing().feed(hiss)), "one for each frame"


@pytest.mark.parametrize(
    ("mood", "more", "less"),
    [
        (Mood(1.0, 0.3), "mouthSmileLeft", "mouthFrownLeft"),
        (Mood(-1.0, 0.9), "browDownLeft", "mouthSmileLeft"),
        (Mood(-1.0, -0.8), "mouthFrownRight", "browDownRight"),
        (Mood(-1.0, -0.8), "browInnerUp", "eyeWideLeft"),
        (Mood(0.0, -1.0), "eyeBlinkLeft", "eyeWideLeft"),
        (Mood(0.0, 1.0), "eyeWideLeft", "eyeBlinkLeft"),
    ],
)
def test_faces_look_as_their_moods_do(mood: Mood, more: str, less: str) -> None:
    weights = look_of(mood, 1.0)
    assert weights[ARKIT_INDEX[more]] > weights[ARKIT_INDEX[less]] + 0.05
    assert weights.min() >= 0.0 and weights.max() <= 0.5, "and only a little"


def test_without_a_mood_a_face_is_at_rest() -> None:
    assert not look_of(Mood(), 1.0).any() and Mood().head_gain == 1.0


def test_emotion_is_off_by_default_and_a_mood_by_hand_needs_no_voice() -> None:
    frames = frames_of(np.concatenate([syllables(40, 0.17, 260.0, loud=0.25), silence(6.0)]))

    def at_end(manner: VoiceManner) -> F32:
        gestures = Gestures(manner)
        for frame in frames:
            gestures.hear(frame, -3.0)
        return gestures.at(frames[-1].t_s).weights

    corner, cheek = ARKIT_INDEX["mouthSmileLeft"], ARKIT_INDEX["cheekSquintLeft"]
    assert not at_end(VoiceManner())[[corner, cheek]].any()
    glad = at_end(VoiceManner(mood=(1.0, 0.0)))
    assert glad[corner] > 0.3 and glad[cheek] > 0.2
    heard, by_hand = at_end(VoiceManner(emotion=True)), at_end(VoiceManner(emotion=True, mood=(0.0, 0.0)))
    assert not np.array_equal(heard, by_hand)
    assert np.array_equal(by_hand, at_end(VoiceManner())), "by hand in place of what is heard"


def test_the_roused_move_more_and_the_tired_less() -> None:
    frames = frames_of(syllables(60, stressed=range(2, 60, 5)))

    def path(mood: tuple[float, float]) -> float:
        gestures, turns = Gestures(VoiceManner(mood=mood)), []
        for frame in frames:
            gestures.hear(frame)
            turns.append(gestures.at(frame.t_s).head.turn)
        return float(np.abs(np.diff(turns, axis=0)).sum())

    assert path((0.0, 1.0)) > 1.1 * path((0.0, 0.0)) > 1.2 * path((0.0, -1.0))
