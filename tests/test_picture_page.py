"""Portraits, drivers and puppets side by side, on a page that holds all it shows."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from avatars import hopper
from picture_page import OWN, Pair, look, pairs_of, peer_pair, write
from pictures import hopper_rgb
from scripted_faces import tracking_at
from side_by_side.columns import Column
from side_by_side.cuts import CUTS, SIDE_PX
from side_by_side.moments import moments_of
from side_by_side.pages import look_at, page_of, sheets_of

from facepuppet.core.errors import FacepuppetError
from facepuppet.core.types import N_LANDMARKS
from facepuppet.face.lips import mouth_gap
from facepuppet.face.topology import CHIN


def piece():
    """(N, 478, 3) the built-in piece as a perfect tracker sees it."""
    return np.stack([tracking_at(t).face.landmarks_px for t in np.arange(0.0, 10.0, 0.2)])


def column(name, n=1):
    return Column(name, [hopper_rgb()] * n, np.stack([hopper().landmarks_px] * n))


def test_the_moments_of_a_driver_are_those_of_its_extremes():
    landmarks = piece()
    landmarks[7] = np.nan
    found = moments_of(landmarks)
    gaps = [-1.0 if np.isnan(points[0, 0]) else mouth_gap(points) for points in landmarks]
    assert found["widest mouth"] == int(np.argmax(gaps))
    assert gaps[found["rest"]] < 0.2 * max(gaps)
    assert {"most shut eyes", "farthest turn, image left", "farthest gaze, image right"} <= set(found)
    assert 7 not in found.values()


@pytest.mark.parametrize("part", CUTS)
def test_a_cut_shows_the_same_part_of_a_smaller_picture(part):
    cut, rgb, points = CUTS[part], hopper_rgb(), hopper().landmarks_px
    large = cut.of_picture(rgb, points)
    assert large.shape[1] == SIDE_PX
    half = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    small = cut.of_picture(half, points / 2)
    assert np.abs(cv2.blur(large, (15, 15)).astype(int) - cv2.blur(small, (15, 15))).mean() < 6
    assert np.abs(cv2.blur(large, (15, 15)).astype(int) - cv2.blur(small, (15, 15))[:, ::-1]).mean() > 12


def test_beyond_a_picture_a_cut_is_plainly_none():
    low = hopper().landmarks_px + np.float32([0, 600 - hopper().landmarks_px[CHIN, 1], 0])
    shown = CUTS["shoulders"].of_picture(hopper_rgb(), low)
    assert (shown[-20:] == 96).all()


def test_the_page_holds_all_it_shows_and_fetches_nothing():
    portrait, driver = column("portrait"), column("driver", 12)
    one = look_at("a <b> × c", portrait, driver, [column("this build", 12)], {"rest": 0, "end": 11})
    page = page_of("Pictures", [one])
    assert page.count("data:image/webp;base64,") == 2 * 3 * (1 + len(CUTS))
    assert "a &lt;b&gt; × c" in page
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page)
    sheets = sheets_of(one)
    assert set(sheets) == {"whole", *CUTS} and all(sheet.dtype == np.uint8 for sheet in sheets.values())


def test_a_frame_without_a_face_is_cut_where_the_nearest_one_was():
    points = np.full((3, N_LANDMARKS, 3), np.nan, np.float32)
    points[2] = hopper().landmarks_px
    one = Column("lost", [hopper_rgb()] * 3, points)
    np.testing.assert_array_equal(one.at(0)[1], points[2])
    assert one.has_face


def test_portraits_and_drivers_are_paired_in_turn_or_all_with_all():
    portraits, drivers = [Path(f"{n}.png") for n in range(3)], [Path("x.mp4"), Path("y.mp4")]
    assert [pair.driver.stem for pair in pairs_of(portraits, drivers, False)] == ["x", "y", "x"]
    assert len(list(pairs_of(portraits, drivers, True))) == 6


def test_a_folder_without_a_peer_s_video_is_refused(tmp_path):
    with pytest.raises(FacepuppetError, match=re.escape("driver.mp4")):
        peer_pair(tmp_path)


@pytest.mark.slow
def test_a_build_is_rendered_in_a_process_of_its_own(tmp_path):
    picture, video = tmp_path / "hopper.png", tmp_path / "driver.avi"
    cv2.imwrite(str(picture), hopper_rgb()[..., ::-1])
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (512, 600))
    for n in range(16):
        writer.write(np.roll(hopper_rgb(), n, axis=1)[..., ::-1])
    writer.release()
    found = look(Pair(picture, video), {"this build": OWN, "the same": OWN}, 5.0)
    assert found is not None and found.table.head == ("this build", "the same")
    write([found], tmp_path / "out")
    assert (tmp_path / "out" / "page.html").stat().st_size > 100_000
    assert len(list((tmp_path / "out").glob("*.png"))) == 1 + len(CUTS)
