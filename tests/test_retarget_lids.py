"""A shutting lid takes its fold along; an open or wide one leaves it to the driver."""

from __future__ import annotations

import numpy as np
import pytest

from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.topology import EYES, EyeTopology
from facepuppet.retarget.lids import FOLD_SHARE, MEETING_HEIGHT, Lids, draw_fold, place_lids


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("opening", [0.0, 0.4, 1.0, 1.5])
def test_rims_part_by_the_ratio_and_meet_at_zero(eye: EyeTopology, opening: float) -> None:
    rest = canonical_landmarks()
    head = rest.copy()
    place_lids(head, rest, eye, opening)
    gap, aperture = (face[eye.lower_lid[1:-1]] - face[eye.upper_lid[1:-1]] for face in (head, rest))
    np.testing.assert_allclose(gap, opening * aperture, atol=1e-6)


@pytest.mark.parametrize("eye", EYES)
def test_the_fold_follows_a_shutting_lid_and_stays_above_it(eye: EyeTopology) -> None:
    rest = canonical_landmarks()
    head = rest.copy()
    place_lids(head, rest, eye, 0.0)
    draw_fold(head, rest, eye, 0.0)
    drop = (head - rest)[eye.upper_fold]
    aperture = (rest[eye.lower_lid] - rest[eye.upper_lid])[1:-1]
    np.testing.assert_allclose(drop, FOLD_SHARE * (1 - MEETING_HEIGHT) * aperture, atol=1e-6)
    assert (head[eye.upper_fold, 1] < head[eye.upper_lid[1:-1], 1]).all()
    untouched = np.setdiff1d(np.arange(478), np.concatenate([eye.upper_fold, eye.ring]))
    assert (head[untouched] == rest[untouched]).all()


@pytest.mark.parametrize("opening", [1.0, 1.6])
def test_the_fold_of_an_open_eye_stays(opening: float) -> None:
    rest = canonical_landmarks()
    head = rest.copy()
    draw_fold(head, rest, EYES[0], opening)
    assert (head == rest).all()


def test_both_eyes_at_once_are_as_each_alone() -> None:
    rest = canonical_landmarks()
    moved = rest + np.random.default_rng(0).normal(0.0, 0.01, rest.shape).astype(np.float32)
    once, apart = moved.copy(), moved.copy()
    opening = np.array([0.2, 1.3], np.float32)
    lids = Lids(rest)
    lids.place(once, opening)
    lids.draw_folds(once, opening)
    for eye, share in zip(EYES, opening.tolist(), strict=True):
        place_lids(apart, rest, eye, share)
        draw_fold(apart, rest, eye, share)
    np.testing.assert_allclose(once, apart, atol=1e-6)
    assert np.abs(once - moved).max() > 0.02
