"""From a detector's raw answers to things found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepuppet.core.types import F32
from facepuppet.vision.detections import OVERLAP, Detection, anchor_centres, decode, probability
from facepuppet.vision.sessions import open_network

# One anchor each 100 px, so that what one sees never touches what another sees.
FAR_APART = np.float32([[100 * i, 50] for i in range(8)])
SURE = 9.0


def raw_box(x: float, y: float, width: float, height: float, *keypoints: tuple[float, float]) -> list[float]:
    """What a cell answers: all from its anchor."""
    return [x, y, width, height, *(value for point in keypoints for value in point)]


def corners(found: list[Detection]) -> list[list[float]]:
    return [[*one.low_px.tolist(), *one.high_px.tolist()] for one in found]


GRIDS = {
    "face-detection-near": (128, [(8, 2), (16, 6)], 896),
    "face-detection-far": (192, [(4, 1)], 2304),
    "pose-detection": (224, [(8, 2), (16, 2), (32, 6)], 2254),
}


@pytest.mark.parametrize("name", GRIDS)
def test_there_are_as_many_anchors_as_the_network_has_answers(name: str) -> None:
    side, grids, count = GRIDS[name]
    centres = anchor_centres(side, grids)
    given = open_network(name).run({"picture": np.zeros((1, side, side, 3), np.uint8)})
    assert centres.shape == (count, 2) and centres.dtype == np.float32
    assert given["boxes"].shape[1] == given["scores"].size == count
    assert centres.min() > 0 and centres.max() < side


def test_anchors_go_row_by_row_cell_by_cell_grid_after_grid() -> None:
    expected = [(8, 8)] * 2 + [(24, 8)] * 2 + [(8, 24)] * 2 + [(24, 24)] * 2 + [(16, 16)] * 3
    assert anchor_centres(32, [(16, 2), (32, 3)]).tolist() == [list(map(float, place)) for place in expected]


def test_everything_is_told_from_the_anchor() -> None:
    raw = np.zeros((8, 8), np.float32)
    raw[3] = raw_box(5, -10, 40, 20, (-8, -4), (8, 6))
    scores = np.full(8, -SURE, np.float32)
    scores[3] = 1.0
    (found,) = decode(raw, scores, FAR_APART, 0.5)
    assert corners([found]) == [[285, 30, 325, 50]]
    assert found.keypoints_px.tolist() == [[292, 46], [308, 56]]
    assert found.score == pytest.approx(1 / (1 + np.exp(-1.0)))


def test_things_apart_are_told_one_by_one_the_surest_first() -> None:
    raw = np.float32([raw_box(0, 0, 40, 40, (0, 0))] * 8)
    scores = np.float32([-SURE, 0.5, -SURE, 3.0, -SURE, 2.0, -SURE, -SURE])
    found = decode(raw, scores, FAR_APART, 0.5)
    assert [one.keypoints_px[0, 0] for one in found] == [300, 500, 100]
    assert np.all(np.diff([one.score for one in found]) < 0)


def test_what_overlaps_is_one_thing_weighted_by_score() -> None:
    raw = np.float32([raw_box(0, 0, 40, 40, (1, 2)), raw_box(4, 0, 40, 48, (5, 2))])
    weak, strong = 0.6, 0.9
    log_odds = np.log(np.array([weak, strong]) / (1 - np.array([weak, strong]))).astype(np.float32)
    (found,) = decode(raw, log_odds, np.zeros((2, 2), np.float32), 0.5)
    share = strong / (weak + strong)
    np.testing.assert_allclose(found.low_px, [-20 + 4 * share, -20 - 4 * share], atol=1e-4)
    np.testing.assert_allclose(found.high_px, [20 + 4 * share, 20 + 4 * share], atol=1e-4)
    np.testing.assert_allclose(found.keypoints_px, [[1 + 4 * share, 2]], atol=1e-4)
    assert found.score == pytest.approx(strong, abs=1e-5)  # the best one's, no mean


@pytest.mark.parametrize(("shift", "things"), [(21.4, 1), (21.7, 2)])
def test_how_much_must_be_shared(shift: float, things: int) -> None:
    """Squares of 40 px a shift apart share (40 - shift) of (40 + shift)."""
    assert ((40 - shift) / (40 + shift) > OVERLAP) is (things == 1)
    raw = np.float32([raw_box(0, 0, 40, 40), raw_box(shift, 0, 40, 40)])
    assert len(decode(raw, np.float32([2, 1]), np.zeros((2, 2), np.float32), 0.5)) == things


def test_only_the_surest_decides_who_belongs_to_it() -> None:
    """Of three in a row the ends do not touch: the middle one, if weaker, goes with the surest end."""
    raw = np.float32([raw_box(x, 0, 40, 40) for x in (0, 20, 40)])
    origin = np.zeros((3, 2), np.float32)
    assert len(decode(raw, np.float32([3, 1, 2]), origin, 0.5)) == 2
    assert len(decode(raw, np.float32([2, 3, 1]), origin, 0.5)) == 1


@pytest.mark.parametrize("count", [0, 8])
def test_nothing_sure_is_nothing_found(count: int) -> None:
    raw, scores = np.zeros((count, 16), np.float32), np.full(count, -0.1, np.float32)
    assert decode(raw, scores, FAR_APART[:count], 0.5) == []


def test_scores_that_are_no_numbers_are_never_things_and_huge_ones_do_not_overflow() -> None:
    raw = np.float32([raw_box(0, 0, 40, 40)] * 8)
    scores = np.float32([np.nan, np.inf, -np.inf, 1e30, -1e30, 88.0, -np.nan, 0.0])
    with np.errstate(all="raise", under="ignore"):
        found = decode(raw, scores, FAR_APART, 0.1)
    assert [one.low_px[0] + 20 for one in found] == [100, 300, 500, 700]
    assert [one.score for one in found] == [1, 1, 1, 0.5]


def test_boxes_without_area_end_and_are_things_of_their_own() -> None:
    raw = np.float32([raw_box(0, 0, 0, 0, (1, 1))] * 3)
    found = decode(raw, np.float32([1, 2, 3]), np.zeros((3, 2), np.float32), 0.5)
    assert len(found) == 3 and all(np.isfinite(one.keypoints_px).all() for one in found)


@given(st.floats(width=32, allow_nan=False), st.floats(width=32, allow_nan=False))
def test_surer_is_never_less_probable(a: float, b: float) -> None:
    low, high = probability(np.float32([min(a, b), max(a, b)]))
    assert 0 <= low <= high <= 1
    assert probability(np.float32([0.0]))[0] == 0.5


box_values = st.tuples(
    st.floats(-50, 50), st.floats(-50, 50), st.floats(1, 60), st.floats(1, 60), st.floats(-30, 30)
)


@given(st.lists(st.tuples(box_values, st.integers(-400, 400)), unique_by=lambda pair: pair[1]), st.randoms())
def test_whatever_is_answered(answers: list[tuple[tuple[float, ...], int]], random: object) -> None:
    raw = np.array([[*values, 0.0] for values, _ in answers], np.float32).reshape(-1, 6)
    scores = np.array([score / 100 for _, score in answers], np.float32)
    centres = np.zeros((len(raw), 2), np.float32)
    found = decode(raw, scores, centres, 0.5)
    seen = raw[scores >= 0]
    assert (len(found) > 0) is (len(seen) > 0) and len(found) <= len(seen)
    assert all(0.5 <= one.score <= 1 for one in found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:  # means lie among what they are means of
        assert np.all(one.low_px >= (seen[:, :2] - seen[:, 2:4] / 2).min(axis=0) - 1e-3)
        assert np.all(one.high_px <= (seen[:, :2] + seen[:, 2:4] / 2).max(axis=0) + 1e-3)
        assert np.all(one.low_px < one.high_px)
    order = np.arange(len(raw))
    random.shuffle(order)  # type: ignore[attr-defined]
    again = decode(raw[order], scores[order], centres, 0.5)
    assert corners(again) == corners(found), "the order of the answers does not matter"


def test_a_thing_moves_as_a_whole() -> None:
    def doubled(points: F32) -> F32:
        return points * 2 + np.float32([1, 0])

    there = Detection(np.float32([0, 1]), np.float32([2, 3]), np.float32([[1, 1], [2, 2]]), 0.7).moved(
        doubled
    )
    assert (there.low_px.tolist(), there.high_px.tolist()) == ([1, 2], [5, 6])
    assert (there.keypoints_px.tolist(), there.score) == ([[3, 2], [5, 4]], 0.7)
