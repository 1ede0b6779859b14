"""The picture as a whole has not changed unnoticed."""

import cv2
import numpy as np
import pytest
from golden_frames import FOLDER, MOMENTS_S, frames


@pytest.fixture(scope="module")
def rendered():
    return frames()


@pytest.mark.parametrize("name", MOMENTS_S)
def test_the_moment_looks_as_it_did(rendered, name):
    """Renew with `python tests/golden_frames.py` after a change that was meant, and looked at.

    The tolerance covers what differs between CPUs and library versions (the networks' landmarks by
    a few tenths of a pixel, hence some levels along edges of a picture scaled to a quarter), and
    is far below what any moved feature gives: the moments differ from each other by more.
    """
    golden = cv2.imread(str(FOLDER / f"{name}.png"))[..., ::-1].astype(float)
    difference = np.abs(rendered[name] - golden)
    assert difference.mean() < 2.0
    assert np.percentile(difference, 99) < 30


def test_the_moments_differ_by_more_than_the_tolerance(rendered):
    """Around the face, where the moments differ."""
    rest = rendered["rest"][20:110, 30:100].astype(float)
    for name in ("turn", "nod", "speech", "smile"):
        assert np.abs(rendered[name][20:110, 30:100] - rest).mean() > 3.0, name
