"""Clips become takes: real pictures through the real tracker, and every wrong input named."""

import av
import cv2
import numpy as np
import pytest
from pictures import astronaut_rgb
from reenactment.takes import SIDE_PX, find_clips, find_portraits, record, retrack_mirrored, square_around

from engines.data.people import TrainingDataError
from facepuppet.core.errors import MediaUnreadableError, NoDriverFaceError
from facepuppet.vision.boxes import FaceBox


def write_clip(path, pictures, fps=25):
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=fps, options={"crf": "12", "preset": "ultrafast"})
        height, width = pictures[0].shape[:2]
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for rgb in pictures:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        output.mux(stream.encode(None))
    return path


def swaying(count=12):
    """The astronaut on a wide picture, moving to the right by 3 px a frame."""
    rgb = astronaut_rgb()
    frames = []
    for n in range(count):
        matrix = np.array([[1.0, 0, 150 + 3 * n], [0, 1, 20]])
        frames.append(cv2.warpAffine(rgb, matrix, (640, 360), borderValue=(90, 110, 90)))
    return frames


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clips") / "astronaut.mp4", swaying())


def test_a_take_is_one_still_square_with_a_face_in_every_frame(clip):
    take = record(clip, 12)
    assert take.name == "astronaut" and take.fps == 25 and len(take.pictures) == 12
    assert all(rgb.shape == (SIDE_PX, SIDE_PX, 3) for rgb in take.pictures)
    assert np.isfinite(take.landmarks_px).all() and 0 <= take.source < 12
    assert take.portrait_rgb is take.pictures[take.source]
    travel = take.landmarks_px[-1, :, 0] - take.landmarks_px[0, :, 0]
    face = np.ptp(take.landmarks_px[0, :, 0])
    assert 0 < travel.mean() < face and (take.landmarks_px[..., :2] > 0).all()


def test_no_more_frames_are_taken_than_asked_for(clip):
    assert len(record(clip, 5).pictures) == 5


def test_the_second_opinion_agrees_about_where_the_face_is(clip):
    take = record(clip, 4)
    other = retrack_mirrored(take.pictures, take.fps)
    unit = np.ptp(take.landmarks_px[0, :, 0])
    assert np.abs(other - take.landmarks_px)[..., :2].mean() < 0.03 * unit


def test_a_clip_without_a_face_is_refused(tmp_path):
    path = write_clip(tmp_path / "wall.mp4", [np.full((240, 320, 3), 120, np.uint8)] * 6)
    with pytest.raises(NoDriverFaceError, match=r"wall\.mp4"):
        record(path, 6)


def test_a_damaged_clip_is_refused(tmp_path):
    (tmp_path / "damaged.mp4").write_bytes(b"not a video")
    with pytest.raises(MediaUnreadableError):
        record(tmp_path / "damaged.mp4", 6)


@pytest.mark.parametrize("x", [30.0, 320.0, 620.0])
def test_the_square_stays_in_the_picture(x):
    left, top, side = square_around([FaceBox(x, 150.0, 100.0), FaceBox(x, 170.0, 90.0)], (640, 360))
    assert left >= 0 and left + side <= 640 and top >= 0 and top + side <= 360
    assert 200 < side <= 360


def test_clips_are_found_in_folders_and_by_name(clip, tmp_path):
    assert find_clips([clip.parent]) == [clip] == find_clips([clip])
    with pytest.raises(MediaUnreadableError, match="does not exist"):
        find_clips([tmp_path / "nowhere"])
    with pytest.raises(MediaUnreadableError, match="no clips"):
        find_clips([tmp_path])


def test_only_people_set_aside_are_evaluated(clip, tmp_path):
    table = tmp_path / "people.toml"
    table.write_text('[eileen]\nclips = ["astronaut"]\nsplit = "validation"\n')
    assert find_clips([clip.parent], table) == [clip]
    table.write_text('[eileen]\nclips = ["astronaut"]\nsplit = "train"\n')
    with pytest.raises(MediaUnreadableError, match="none aside"):
        find_clips([clip.parent], table)
    table.write_text("[eileen")
    with pytest.raises(TrainingDataError):
        find_clips([clip.parent], table)


def test_portraits_are_spread_over_the_folder(tmp_path):
    for n in range(10):
        cv2.imwrite(str(tmp_path / f"{n}.png"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "note.txt").write_text("no picture")
    assert [p.stem for p in find_portraits([tmp_path], 4)] == ["0", "3", "6", "9"]
    assert len(find_portraits([tmp_path], 99)) == 10
