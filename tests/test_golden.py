"""The picture as a whole has not changed unnoticed."""

import cv2
import pytest
from compare import LIBRARIES, Tolerance, assert_pictures_differ, assert_pictures_equal
from golden_frames import FOLDER, MOMENTS_S, frames


@pytest.fixture(scope="module")
def rendered():
    return frames()


@pytest.mark.parametrize("name", MOMENTS_S)
def test_the_moment_looks_as_it_did(rendered, name):
    """Renew with `python tests/golden_frames.py` after a change that was meant, and looked at.

    The tolerance is far below what any moved feature gives: the moments differ from each other by more.
    """
    golden = cv2.imread(str(FOLDER / f"{name}.png"))[..., ::-1]
    assert_pictures_equal(rendered[name], golden, LIBRARIES)


def test_the_moments_differ_by_more_than_the_tolerance(rendered):
    """Around the face, where the moments differ."""
    for name in ("turn", "nod", "speech", "smile"):
        around = (picture[20:110, 30:100] for picture in (rendered[name], rendered["rest"]))
        assert_pictures_differ(*around, Tolerance(mean=1.5 * LIBRARIES.mean))
