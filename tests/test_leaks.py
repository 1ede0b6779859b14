"""The measure of leaks: what it must notice, and what it must not."""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
import pytest
from avatars import hopper
from green_room import CANVAS_PX, cup, hand, rest_rgb, room_with, wall
from leaks import (
    A_TURN,
    COARSE_BAR,
    FINE_BAR,
    UNLIKE_BAR,
    assert_marked,
    assert_nothing_of_the_camera,
    assert_only_the_puppet,
    green_share,
    unlike,
)
from pictures import hopper_rgb

from facepuppet.core.i420 import to_i420, to_rgb
from facepuppet.core.types import U8
from facepuppet.drivers.scripted import Performance
from facepuppet.frames.cpu.compose import Composer, Corner
from facepuppet.session.puppet import Puppet

PLACES = [(0, 0), (100, 300), (324, 576), (163, 211)]  # top and left of a hundredth of the picture


@pytest.fixture(scope="module")
def piece() -> list[U8]:
    """The puppet in each pose of the piece, as a camera's reader sees it."""
    puppet, piece = Puppet(hopper(), Composer(hopper(), CANVAS_PX, label=Corner.OFF)), Performance()
    return [to_rgb(to_i420(puppet.show(piece.expression(i / 3, i)).rgb)) for i in range(36)]


def with_leak(rgb: U8, camera: U8, opacity: float, *, place: tuple[int, int] | None = None) -> U8:
    """A picture with a hundredth of the camera's laid over it, or with all of it."""
    top, left = place or (0, 0)
    height, width = (36, 64) if place is not None else rgb.shape[:2]
    there = np.s_[top : top + height, left : left + width]
    mixed = rgb.astype(float)
    mixed[there] += opacity * (camera[there].astype(float) - mixed[there])
    return np.rint(mixed).astype(np.uint8)


def test_a_performing_puppet_is_no_leak(piece: list[U8]) -> None:
    assert_only_the_puppet(piece, rest_rgb())
    assert max(green_share(rgb) for rgb in piece) < 0.7 * FINE_BAR
    assert max(green_share(rgb, 64) for rgb in piece) < 0.7 * COARSE_BAR
    assert max(unlike(rgb, rest_rgb()) for rgb in piece) < 0.6 * UNLIKE_BAR


@pytest.mark.parametrize(
    "seen", [wall(), room_with(190), room_with(190, before=hand)], ids=["wall", "one", "hand"]
)
def test_a_hundredth_of_the_camera_is_noticed_anywhere(piece: list[U8], seen: U8) -> None:
    assert green_share(seen) > 0.99
    for rgb, place, opacity in product(piece[::12], PLACES, (1.0, 0.4)):
        with pytest.raises(AssertionError, match="of the tint"):
            assert_nothing_of_the_camera([rgb, with_leak(rgb, seen, opacity, place=place)])


def test_a_ghost_of_the_whole_camera_is_noticed(piece: list[U8]) -> None:
    for rgb in piece[::12]:
        with pytest.raises(AssertionError, match="of the tint"):
            assert_nothing_of_the_camera([with_leak(rgb, room_with(190), 0.08)])


@pytest.mark.parametrize("other", [wall(), np.zeros((360, 640, 3), np.uint8)], ids=["camera", "black"])
def test_what_is_not_the_puppet_is_noticed(piece: list[U8], other: U8) -> None:
    grey = other.mean(axis=2, keepdims=True).repeat(3, axis=2).astype(np.uint8)
    with pytest.raises(AssertionError, match="something else"):
        assert_only_the_puppet([piece[0], grey], rest_rgb())


def test_pictures_without_a_mark_are_noticed() -> None:
    plain = cv2.resize(hopper_rgb(), CANVAS_PX, interpolation=cv2.INTER_AREA)
    with pytest.raises(AssertionError, match="no mark"):
        assert_marked([plain] * A_TURN, [i * 33_333_333 for i in range(A_TURN)])


@pytest.mark.parametrize("held", [hand, cup])
def test_what_is_held_before_the_face_covers_it(held) -> None:
    changed = np.abs(room_with(190, before=held).astype(int) - room_with(190)).max(axis=2) > 10
    assert 0.02 < changed.mean() < 0.1
