"""Views in a pack: what is written is read back, and nothing else gets in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from avatars import hopper
from compare import EXACT, assert_pictures_equal
from views import motion, view_of

from facepuppet.core.errors import AvatarPackError
from facepuppet.portrait.pack import Pack, load_pack, save_pack
from facepuppet.portrait.pack_members import npy_of, png_of
from facepuppet.portrait.view_members import members_of_views, views_from_members
from facepuppet.portrait.views import MAX_VIEWS, view_box


def members() -> dict[str, bytes]:
    return members_of_views([view_of(motion(jaw=0.6)), view_of(motion(yaw=0.3))])


def test_views_travel_in_the_pack(tmp_path: Path) -> None:
    views = (view_of(motion(jaw=0.6)), view_of(motion(yaw=0.3)))
    save_pack(Pack(replace(hopper(), views=views)), tmp_path / "me.puppet")
    loaded = load_pack(tmp_path / "me.puppet").avatar.views
    assert len(loaded) == 2
    for got, given in zip(loaded, views, strict=True):
        assert_pictures_equal(got.rgb, given.rgb, EXACT)
        np.testing.assert_array_equal(got.landmarks_px, given.landmarks_px)
        assert got.origin_px == given.origin_px


def test_a_pack_without_views_has_none(tmp_path: Path) -> None:
    save_pack(Pack(hopper()), tmp_path / "me.puppet")
    assert load_pack(tmp_path / "me.puppet").avatar.views == ()


def test_the_box_holds_the_whole_mesh_and_little_more() -> None:
    landmarks = hopper().landmarks_px
    x, y, width, height = view_box(landmarks)
    low, high = landmarks[:468, :2].min(0), landmarks[:468, :2].max(0)
    assert (low - (x, y) >= 2).all() and (low - (x, y) < 4).all()
    assert ((x + width, y + height) - high >= 2).all()


def without_picture(found: dict[str, bytes]) -> None:
    del found["view_1.png"]


def with_a_gap(found: dict[str, bytes]) -> None:
    found["view_3.png"], found["view_3.npy"] = found.pop("view_1.png"), found.pop("view_1.npy")


def with_a_stranger(found: dict[str, bytes]) -> None:
    found["view_1.exe"] = found.pop("view_1.png")


def with_too_many(found: dict[str, bytes]) -> None:
    for number in range(MAX_VIEWS + 1):
        found[f"view_{number}.png"], found[f"view_{number}.npy"] = found["view_0.png"], found["view_0.npy"]


def with_another_size(found: dict[str, bytes]) -> None:
    found["view_0.png"] = png_of(np.zeros((40, 30, 3), np.uint8))


def with_no_face(found: dict[str, bytes]) -> None:
    scattered = np.random.default_rng(3).uniform(0, 40, (478, 3)).astype(np.float32)
    _, _, width, height = view_box(scattered)
    found["view_0.npy"] = npy_of(scattered)
    found["view_0.png"] = png_of(np.zeros((height, width, 3), np.uint8))


def with_nonsense(found: dict[str, bytes]) -> None:
    found["view_0.npy"] = npy_of(np.full((478, 3), np.nan))


def far_away(found: dict[str, bytes]) -> None:
    found["view_0.npy"] = npy_of(np.full((478, 3), 3e38))


@pytest.mark.parametrize(
    "change",
    [
        without_picture,
        with_a_gap,
        with_a_stranger,
        with_too_many,
        with_another_size,
        with_no_face,
        with_nonsense,
        far_away,
    ],
    ids=lambda change: change.__name__,
)
def test_improper_views_are_refused(change: Callable[[dict[str, bytes]], None]) -> None:
    found = members()
    change(found)
    with pytest.raises(AvatarPackError, match="pack"):
        views_from_members(found)
