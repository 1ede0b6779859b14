"""The working picture: whole where the face is large in it, else a crop that knows where it is from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facepuppet.core.types import F32, U8
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.portrait.face_view import face_width_px
from facepuppet.portrait.working_picture import MAX_PIXELS, MAX_SIDE_PX, working_picture


def picture(width: int, height: int) -> U8:
    """Pixels tell where they are."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 0] = np.linspace(0, 255, width)
    rgb[..., 1] = np.linspace(0, 255, height)[:, None]
    return rgb


def face(width: float, x: float, y: float) -> F32:
    """A mesh of some width about a point."""
    mesh = canonical_landmarks().astype(np.float32)
    mesh *= width / face_width_px(mesh)
    return (mesh + np.float32([x, y, 0])).astype(np.float32)


@pytest.mark.parametrize("size", [(1280, 720), (1024, 1024), (300, 2000), (64, 64)])
def test_a_picture_that_fits_is_kept(size: tuple[int, int]) -> None:
    rgb, mesh = picture(*size), face(20, size[0] / 2, size[1] / 2)
    assert working_picture(rgb, mesh) == (rgb, mesh, None)


def test_a_large_picture_of_a_large_face_keeps_its_frame() -> None:
    mesh = face(700, 1500, 1100)
    rgb, moved, whole = working_picture(picture(4000, 2250), mesh)
    assert rgb.shape == (768, 1365, 3) and whole is None
    np.testing.assert_allclose(moved[:, :2], (mesh[:, :2] + 0.5) * (1365 / 4000, 768 / 2250) - 0.5, atol=0.01)


@settings(max_examples=8, deadline=None)
@given(
    width=st.integers(400, 1900),
    height=st.integers(400, 1900),
    share=st.floats(0.03, 0.5),
    x=st.floats(0.3, 0.7),
    y=st.floats(0.3, 0.7),
)
def test_any_picture_fits_and_a_crop_is_found_again(
    width: int, height: int, share: float, x: float, y: float
) -> None:
    given, mesh = picture(width, height), face(share * min(width, height), x * width, y * height)
    rgb, moved, whole = working_picture(given, mesh)
    size = np.array(rgb.shape[1::-1])
    assert size.prod() <= MAX_PIXELS and size.max() <= MAX_SIDE_PX
    if whole is None:
        assert size[0] / size[1] == pytest.approx(width / height, rel=0.01)
        return
    left, top, part_width, part_height = whole.box_px
    assert np.prod(whole.size_px) <= MAX_PIXELS and part_width * 1.19 < size[0], "it shows more"
    part = whole.rgb[top : top + part_height, left : left + part_width].astype(int)
    for corner in ((0, 0), (-1, -1)):
        assert np.abs(part[corner] - rgb[corner]).max() <= 3, "the same place shows the same"
    in_whole = (moved[:, :2] + 0.5) * (part_width, part_height) / size + (left, top)
    np.testing.assert_allclose(in_whole, (mesh[:, :2] + 0.5) * whole.size_px / (width, height), atol=0.6)
