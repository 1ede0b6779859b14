"""The best frame of an animation is the frontal, open-eyed, sharp one; a wall comes last."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pictures import hopper_rgb

from facepuppet.core.types import U8
from facepuppet.portrait.best_frame import best_frame, frame_penalty

WALL = np.full((600, 512, 3), 110, np.uint8)


def blurred() -> U8:
    return cv2.GaussianBlur(hopper_rgb(), (0, 0), 6).astype(np.uint8)


def test_the_best_frame_wins_wherever_it_stands() -> None:
    number, rgb = best_frame(iter([WALL, blurred(), hopper_rgb()]))
    assert number == 2
    assert rgb is hopper_rgb()


def test_without_a_face_the_first_frame_is_kept() -> None:
    assert best_frame([WALL, WALL + 1])[0] == 0
    assert frame_penalty(WALL) == float("inf")


def test_a_smaller_copy_is_judged_alike() -> None:
    half = cv2.resize(hopper_rgb(), (410, 480), interpolation=cv2.INTER_AREA).astype(np.uint8)
    assert frame_penalty(half) == pytest.approx(frame_penalty(hopper_rgb()), abs=0.25)


def test_no_frame_at_all_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no frame"):
        best_frame([])
