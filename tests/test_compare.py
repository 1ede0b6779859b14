"""The comparator of pictures sees what it has to, and says what it saw."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from compare import (
    CODEC,
    EXACT,
    GPU,
    JPEG,
    LAYERS,
    LIBRARIES,
    MARK,
    RESAMPLED,
    RESAMPLING,
    ROUNDING,
    PicturesError,
    Tolerance,
    assert_pictures_differ,
    assert_pictures_equal,
    compare,
    differs,
)
from pictures import hopper_rgb

TOLERANCES = {
    "exact": EXACT,
    "rounding": ROUNDING,
    "resampling": RESAMPLING,
    "GPU": GPU,
    "libraries": LIBRARIES,
    "resampled": RESAMPLED,
    "layers": LAYERS,
    "JPEG": JPEG,
    "codec": CODEC,
    "mark": MARK,
}


def head() -> np.ndarray:
    """Where the portrait has edges."""
    return hopper_rgb()[100:400, 100:400]


@pytest.mark.parametrize("name", TOLERANCES)
def test_a_picture_is_itself(name: str) -> None:
    assert_pictures_equal(head().copy(), head(), TOLERANCES[name])
    assert not differs(head().copy(), head(), TOLERANCES[name])


CHANGES = {
    "a channel for another": lambda rgb: rgb[..., ::-1],
    "mirrored": lambda rgb: rgb[:, ::-1],
    "upside down": lambda rgb: rgb[::-1],
    "eight pixels aside": lambda rgb: np.roll(rgb, 8, axis=1),
    "darker": lambda rgb: rgb - rgb // 4,
    "black": np.zeros_like,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", TOLERANCES)
def test_every_tolerance_sees_another_picture(name: str, change: str) -> None:
    other = CHANGES[change](head())
    assert differs(other, head(), TOLERANCES[name])
    assert_pictures_differ(other, head(), TOLERANCES[name])
    with pytest.raises(PicturesError, match="expected at most"):
        assert_pictures_equal(other, head(), TOLERANCES[name])


@pytest.mark.parametrize("name", [name for name in TOLERANCES if name not in ("JPEG", "codec")])
def test_all_but_the_lossy_see_a_shift_of_one_pixel(name: str) -> None:
    assert differs(np.roll(head(), 1, axis=1), head(), TOLERANCES[name])
    assert differs(np.roll(head(), 1, axis=0), head(), TOLERANCES[name])


def test_one_value_is_enough_where_nothing_may_differ() -> None:
    other = head().copy()
    other[17, 30, 1] ^= 1
    with pytest.raises(PicturesError, match=r"largest 1 at row 17, column 30, channel 1 \(") as caught:
        assert_pictures_equal(other, head(), EXACT)
    assert "from (17, 30) to (17, 30)" in str(caught.value)


def test_small_differences_do_not_wrap_around() -> None:
    dark, bright = (np.full((4, 4, 3), level, np.uint8) for level in (0, 255))
    assert compare(dark, bright).most == compare(bright, dark).most == 255
    assert compare(dark, bright).mean == 255


@pytest.mark.parametrize(
    ("tolerance", "told"),
    [
        (Tolerance(mean=0.9), "expected at most mean 0.9"),
        (Tolerance(most=9), "expected at most largest 9"),
        (Tolerance(share=0.09), "expected at most 9 % other"),
        (Tolerance(at_percentile=9, percentile=95), "expected at most 95 % within 9"),
    ],
)
def test_each_bound_counts(tolerance: Tolerance, told: str) -> None:
    """A tenth of the values is ten levels apart: each tolerance is passed by a little."""
    truth = np.zeros((10, 10), np.uint8)
    given = truth.copy()
    given[3] = 10
    with pytest.raises(PicturesError, match=told):
        assert_pictures_equal(given, truth, tolerance)
    for bound in ("mean", "most", "share", "at_percentile"):
        if getattr(tolerance, bound) != getattr(Tolerance(), bound):
            assert not differs(given, truth, tolerance.but(**{bound: 1.2 * getattr(tolerance, bound)}))


def test_only_what_lies_within_counts() -> None:
    given = head().copy()
    given[:100] = 0
    upper = np.zeros(head().shape[:2], bool)
    upper[:100] = True
    assert_pictures_equal(given, head(), EXACT, ~upper)
    with pytest.raises(PicturesError, match="at row"):
        assert_pictures_equal(given, head(), EXACT, upper)
    given[200, 200] ^= 255  # larger than anything within
    with pytest.raises(PicturesError, match=r"to \(99, 299\)"):
        assert_pictures_equal(given, head(), EXACT, upper)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (head().astype(np.int16), "dtype int16"),
        (head().astype(np.float32), "dtype float32"),
        (head()[:-1], "shape"),
        (head()[..., :1], "shape"),  # would broadcast
        (head()[:0], "shape"),
    ],
)
def test_what_cannot_be_compared_is_neither_equal_nor_other(given: np.ndarray, told: str) -> None:
    for judge in (assert_pictures_equal, assert_pictures_differ, differs):
        with pytest.raises(PicturesError, match=f"got {told}"):
            judge(given, head(), Tolerance())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("which", [(True, False), (False, True), (True, True)])
def test_what_is_no_number_is_neither_equal_nor_other(value: float, which: tuple[bool, bool]) -> None:
    pictures = [head().astype(np.float32) for _ in range(2)]
    for picture, spoilt in zip(pictures, which, strict=True):
        if spoilt:
            picture[5, 5, 0] = value
    for judge in (assert_pictures_equal, assert_pictures_differ, differs):
        with pytest.raises(PicturesError, match="no numbers"):
            judge(*pictures, Tolerance())


def test_nothing_is_not_equal_to_nothing() -> None:
    for judge in (assert_pictures_equal, assert_pictures_differ, differs):
        with pytest.raises(PicturesError, match="nothing to compare"):
            judge(head(), head(), Tolerance(), np.zeros(head().shape[:2], bool))


def test_what_did_not_move_is_told() -> None:
    with pytest.raises(PicturesError, match="expected more than mean 2, 99 % within 30"):
        assert_pictures_differ(head(), head(), LIBRARIES)


@pytest.mark.parametrize("channels", [1, 3, 4, None])
def test_failed_pictures_are_written_to_be_looked_at(tmp_path: Path, channels: int | None) -> None:
    truth = np.full((8, 9) if channels is None else (8, 9, channels), 100, np.uint8)
    given = truth.copy()
    given[2, 3] = 110
    error = PicturesError("other", given, truth)
    assert [path.name for path in error.save(tmp_path)] == ["given.png", "truth.png", "difference.png"]
    read = cv2.imread(str(tmp_path / "given.png"), cv2.IMREAD_UNCHANGED)
    assert read[2, 3].max() == 110 and read[0, 0].max() == 100
    assert np.argwhere(cv2.imread(str(tmp_path / "difference.png"))[..., 0] == 255).tolist() == [[2, 3]]


def test_colours_are_written_as_they_are(tmp_path: Path) -> None:
    PicturesError("other", head(), head()).save(tmp_path)
    assert_pictures_equal(cv2.imread(str(tmp_path / "given.png"))[..., ::-1], head(), EXACT)


def test_what_is_no_picture_is_not_written(tmp_path: Path) -> None:
    """Of other shapes there is no difference; a tensor is no picture; floats may hold anything."""
    spoilt = np.full((4, 4, 3), np.nan)
    assert len(PicturesError("other", head(), head()[:9]).save(tmp_path)) == 2
    assert PicturesError("other", np.zeros((2, 3, 4, 5)), np.zeros((0, 3))).save(tmp_path) == []
    assert len(PicturesError("other", spoilt, spoilt + np.inf).save(tmp_path)) == 3


FAILING = """
import numpy as np
from compare import EXACT, assert_pictures_equal

def test_pictures():
    assert_pictures_equal(np.zeros((4, 4), np.uint8), np.ones((4, 4), np.uint8), EXACT)
"""


def test_a_failed_test_says_where_its_pictures_are(tmp_path: Path) -> None:
    """By what conftest.py does, in a run of its own."""
    tests = Path(__file__).parent
    (tmp_path / "conftest.py").write_text((tests / "conftest.py").read_text("utf-8"), "utf-8")
    (tmp_path / "test_failing.py").write_text(FAILING, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = gpu", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--basetemp", tmp_path / "base", tmp_path],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (tests, tests.parent)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "got mean 1, " in done.stdout and "expected at most largest 0" in done.stdout
    written = [Path(line) for line in done.stdout.splitlines() if line.endswith(".png")]
    assert [path.name for path in written] == ["given.png", "truth.png", "difference.png"]
    assert all(path.is_file() for path in written)
