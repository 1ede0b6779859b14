"""Where hair or a body is cut, motion is free; a bare forehead or a bare chin comes in only a little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from avatars import hopper
from test_beyond import cropped

from facepuppet.face.topology import CHIN, EYES, FOREHEAD
from facepuppet.portrait.avatar import Avatar
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.target import Target

FACE_PX = float(np.linalg.norm(np.subtract(*hopper().landmarks_px[[CHIN, FOREHEAD], :2])))
FROM_BROWS = round(float(min(hopper().landmarks_px[eye.brow_upper, 1].min() for eye in EYES)) - 4)
TO_CHIN = round(float(hopper().landmarks_px[CHIN, 1]) + 6)


def moved_px(avatar: Avatar, lean_down: float) -> tuple[float, float]:
    """How far down (px) head and torso go when a driver leans so many inter-ocular distances."""
    motion = Target(avatar).motion(replace(Deltas.rest(), lean=np.array([0.0, lean_down], np.float32)))
    return float(motion.head.shift_px[1]), float(motion.torso.shift_px[1])


@pytest.mark.parametrize("down", [0.4, -0.4])
def test_a_portrait_of_head_and_body_moves_freely(down: float) -> None:
    for avatar in (hopper(), cropped(hopper(), top=85)):
        assert moved_px(avatar, down) == pytest.approx((down * avatar.inter_ocular_px,) * 2, rel=0.05)


def test_a_bare_forehead_comes_in_only_a_little() -> None:
    avatar = cropped(hopper(), top=FROM_BROWS)
    free = moved_px(hopper(), 0.4)[0]
    head, torso = moved_px(avatar, 0.4)
    assert head == torso and 0 < head <= 0.051 * FACE_PX < 0.5 * free
    assert moved_px(avatar, -0.4) == pytest.approx((-free, -free), rel=0.05), "upwards it is free"


def test_a_bare_chin_comes_in_only_a_little() -> None:
    avatar = cropped(hopper(), bottom=TO_CHIN)
    head, _ = moved_px(avatar, -0.4)
    assert -0.06 * FACE_PX < head < 0
    assert moved_px(avatar, 0.4)[0] == pytest.approx(moved_px(hopper(), 0.4)[0], rel=0.05)


def test_more_of_the_driver_is_more_of_the_portrait() -> None:
    avatar = cropped(hopper(), top=FROM_BROWS)
    heads = [moved_px(avatar, down)[0] for down in np.linspace(-0.4, 0.4, 17)]
    assert (np.diff(heads) > 0).all()
    assert moved_px(avatar, 0.0) == (0.0, 0.0)
