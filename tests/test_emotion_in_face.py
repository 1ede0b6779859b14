"""What a face shows of valence and arousal; the same plane that a voice's mood is shown on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facepuppet.character import emotion_of, felt_emotion
from facepuppet.character.channel_groups import weights_of
from facepuppet.core.types import Blendshapes, Expression
from facepuppet.drivers import Performance
from facepuppet.voice.mood import Mood, look_of

OPEN = np.ones(2, np.float32)
FACES = {
    "a smile": ({"mouthSmile": 0.7, "cheekSquint": 0.5}, 1, 0),
    "anger": ({"browDown": 0.8, "eyeWide": 0.3, "mouthPress": 0.5, "noseSneer": 0.4}, -1, 1),
    "sorrow": ({"mouthFrown": 0.6, "browInnerUp": 0.3, "mouthShrugLower": 0.3}, -1, 0),
    "surprise": ({"browInnerUp": 0.8, "browOuterUp": 0.8, "eyeWide": 0.7, "jawOpen": 0.5}, 0, 1),
    "disgust": ({"noseSneer": 0.8, "mouthUpperUp": 0.5}, -1, 0),
    "rest": ({}, 0, 0),
}


@pytest.mark.parametrize("face", FACES)
def test_each_face_stands_where_people_put_it(face: str) -> None:
    shapes, valence, arousal = FACES[face]
    felt = felt_emotion(weights_of(shapes), OPEN)
    assert felt.valence * valence > 0.25 or (valence == 0 and abs(felt.valence) < 0.1)
    assert felt.arousal * arousal > 0.25 or arousal == 0
    assert -1.0 <= felt.valence <= 1.0 and -1.0 <= felt.arousal <= 1.0


def test_half_shut_eyes_look_sleepy() -> None:
    assert felt_emotion(weights_of({}), np.full(2, 0.5, np.float32)).arousal < -0.3


@pytest.mark.parametrize("valence", [-0.9, 0.9])
@pytest.mark.parametrize("arousal", [-0.6, 0.9])
def test_the_face_that_a_voice_gives_a_mood_reads_as_that_side_of_it(valence: float, arousal: float) -> None:
    look = look_of(Mood(valence, arousal), 1.0)
    felt = felt_emotion(look, 1.0 - look[[0, 7]])
    assert felt.valence * valence > 0.0
    other = look_of(Mood(valence, -arousal), 1.0)
    assert (felt.arousal > felt_emotion(other, 1.0 - other[[0, 7]]).arousal) is (arousal > 0.0)


def test_nobody_and_nonsense_feel_nothing() -> None:
    assert emotion_of(Expression.absent(0, 0)) is None
    expression = Performance().expression(9.6, 0)
    assert expression.face is not None
    nan = replace(expression.face, deformation=Blendshapes(np.full(52, np.nan, np.float32)))
    assert emotion_of(replace(expression, face=nan)) is None
