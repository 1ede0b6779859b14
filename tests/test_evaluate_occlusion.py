"""A driver behind a hand: the sample portrait performs before the camera, and its truth is known."""

from __future__ import annotations

from dataclasses import replace

import evaluate_occlusion
import numpy as np
import pytest
from occluded_clips import Covered, Film, Seen, laid_over, rendered_driver, track_all
from occluders import OCCLUDERS, Visit, draw_occluder, overlay

from facepuppet.core.types import Expression, Part
from facepuppet.drivers.camera.rest import Rest
from facepuppet.drivers.scripted import Performance

FPS = 25.0
SPEECH_S, SILENCE_S = (
    (6.0, 7.75),
    (0.3, 2.3),
)  # of the built-in piece; the head turns and blinks in the latter
HAND = Visit(1.8, 0.2, 0.8, (0.2, 2.6))


@pytest.fixture(scope="module")
def film() -> Film:
    """Speech, then silence."""
    piece = Performance()
    times = [t for begin, end in (SPEECH_S, SILENCE_S) for t in np.arange(begin, end, 1 / FPS)]
    moments: list[Expression] = [
        replace(piece.expression(float(t), n), captured_ns=round(n / FPS * 1e9)) for n, t in enumerate(times)
    ]
    return rendered_driver(moments, FPS)


@pytest.fixture(scope="module")
def behind(film: Film) -> tuple[Covered, list[Seen]]:
    over = laid_over(film, "hand", HAND, 0, len(film.pictures), 3)
    return over, track_all(over.pictures, FPS)


def test_nothing_is_hidden_while_a_portrait_speaks_blinks_and_turns(film: Film) -> None:
    assert not any(one.tracking.hidden for one in film.seen)


def test_a_hand_before_the_mouth_is_noticed_at_once_and_its_leaving_soon(
    behind: tuple[Covered, list[Seen]],
) -> None:
    over, found = behind
    told = np.array([Part.MOUTH in one.tracking.hidden for one in found])
    first, last = np.flatnonzero(over.cover > 0.3)[[0, -1]]
    assert last - first > 15
    assert np.flatnonzero(told)[0] <= first + 3
    assert told[first + 3 : last].mean() > 0.9
    assert not told[last + 8 :].any()


def test_the_mouth_behind_it_errs_by_half_and_head_and_lids_stay(
    film: Film, behind: tuple[Covered, list[Seen]]
) -> None:
    over, found = behind
    trackings = [one.tracking for one in film.seen]
    true, raw, held = (
        evaluate_occlusion.shown(seen, Rest.at_the_calmest(trackings), guarded=guarded)
        for seen, guarded in ((film.seen, False), (found, False), (found, True))
    )
    where = np.flatnonzero(over.cover > 0.3)
    mouths = [np.array([evaluate_occlusion.mouth_of(run[i]) for i in where]) for run in (true, raw, held)]
    errors = [np.abs(mouth - mouths[0]).mean() for mouth in mouths[1:]]
    assert errors[0] > 0.02, "unguarded it grimaces"
    assert errors[1] < 0.5 * errors[0]
    turn = [np.linalg.norm(true[i].turn - held[i].turn) for i in where]
    lids = [np.abs(true[i].eye_opening - held[i].eye_opening).max() for i in where]
    assert np.mean(turn) < 0.1, "radians"
    assert np.median(lids) < 0.25, "a blink is 1"


@pytest.mark.parametrize("thing", OCCLUDERS)
def test_each_thing_covers_what_it_is_laid_over(thing: str) -> None:
    grey = np.full((240, 320, 3), 128, np.uint8)
    sprite = draw_occluder(thing, np.array([200.0, 150.0, 130.0]), 5)
    picture, cover = overlay(grey, sprite, (160.0, 120.0), 60.0, 0.2)
    assert 0.02 < (cover > 0.9).mean() < 0.8
    assert np.array_equal(picture[cover == 0.0], grey[cover == 0.0])
    assert (picture[cover > 0.9] != 128).any(axis=1).mean() > 0.9
