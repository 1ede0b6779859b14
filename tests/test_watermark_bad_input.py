"""The detector's inputs, hostile and odd: a right answer or one clear error."""

from __future__ import annotations

import contextlib
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from fakes import ListSource
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facepuppet.core.errors import WatermarkError
from facepuppet.core.types import Composed
from facepuppet.media.webcam import Webcam
from facepuppet.watermark import Detector, Marker, Payload, detect
from facepuppet.watermark.luma_frames import open_luma_frames

PAYLOAD = Payload(avatar=1, session=2)


def _video(path: Path, size_px: tuple[int, int], pixel_format: str = "yuv420p", n_frames: int = 40) -> Path:
    width, height = size_px
    marker = Marker(payload=PAYLOAD, size_px=size_px)
    ramp = np.tile(np.linspace(60, 190, width).astype(np.uint8)[None, :, None], (height, 1, 3))
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        for i in range(n_frames):
            rgb = marker.mark(Composed(ramp, i, round(i * 1e9 / 30))).rgb
            output.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("size_px", "pixel_format"),
    [
        ((640, 360), "yuv420p10le"),
        ((333, 257), "yuv444p"),
        ((360, 640), "yuv420p"),
        ((640, 361), "gray"),
        ((320, 320), "bgr0"),
    ],
    ids=["ten bits", "odd size", "portrait", "gray", "rgb"],
)
def test_reads_the_mark_in(tmp_path: Path, size_px: tuple[int, int], pixel_format: str) -> None:
    assert detect(_video(tmp_path / "show.mkv", size_px, pixel_format)).payload == PAYLOAD.hex


def test_audio_only_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.rate = 8000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with pytest.raises(WatermarkError, match="no video stream"):
        detect(path)


def test_a_cut_off_video_is_examined_up_to_the_damage(tmp_path: Path) -> None:
    path = _video(tmp_path / "show.mkv", (640, 360), n_frames=60)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    detection = detect(path)
    assert detection.marked
    assert detection.n_frames < 60


def test_a_damaged_picture_of_a_folder_is_skipped_and_keeps_its_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("2.png", "10.png", "11.png"):
        cv2.imwrite(str(tmp_path / name), np.full((90, 160), int(name[:-4]), np.uint8))
    (tmp_path / "10.png").write_bytes(b"no picture")
    looks = list(open_luma_frames(tmp_path))
    assert [int(look.luma[0, 0]) for look in looks] == [2, 11]
    assert [look.t_s for look in looks] == pytest.approx([0, 2 / 30])
    assert looks[-1].progress == 1.0
    assert "10.png: skipped" in caplog.text


def test_a_folder_of_damaged_pictures_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"no picture")
    with pytest.raises(WatermarkError, match="no readable image"):
        detect(tmp_path)


def test_a_camera_is_looked_at_as_drivers_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    marker = Marker(payload=PAYLOAD, size_px=(640, 360))
    wall = np.full((360, 640, 3), 128, np.uint8)
    shown = [marker.mark(Composed(wall, i, round(i * 1e9 / 30))).rgb for i in range(60)]
    camera = ListSource(shown)
    monkeypatch.setattr("facepuppet.watermark.luma_frames.open_source", {"camera:7": camera}.__getitem__)
    assert detect("camera:7").payload == PAYLOAD.hex
    assert camera.closed


def test_a_camera_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Webcam.__init__.__kwdefaults__, "cameras", tuple)
    with pytest.raises(WatermarkError, match="No camera is connected"):
        detect("camera:0")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _video(tmp_path_factory.mktemp("fuzz") / "show.mkv", (256, 160), n_frames=4)


@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=40))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutated_videos_never_crash(video: Path, tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    content = bytearray(video.read_bytes())
    for at, value in changes:
        content[at % len(content)] = value
    mutated = tmp_path / "mutated.mkv"
    mutated.write_bytes(content)
    with contextlib.suppress(WatermarkError):
        detect(mutated)


@pytest.mark.thorough
@given(st.data())
@settings(max_examples=4, deadline=None)
def test_frames_of_any_size_at_any_time_never_crash_nor_alarm(data: st.DataObject) -> None:
    detector = Detector()
    rng = np.random.default_rng(0)
    for _ in range(data.draw(st.integers(1, 8))):
        shape = data.draw(st.sampled_from([(40, 50), (100, 36), (270, 480), (271, 480)]))
        detector.add(rng.integers(0, 256, shape, np.uint8), data.draw(st.floats(-1e6, 1e6)))
    assert not detector.finish()[0].marked


@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_pictures_are_not_marked(level: int) -> None:
    assert not detect([(np.full((180, 320), level, np.uint8), i / 30) for i in range(40)]).marked


@pytest.mark.parametrize("shape", [(1, 1), (10, 300), (40, 4000)])
def test_pictures_too_small_or_narrow_are_an_error(shape: tuple[int, int]) -> None:
    with pytest.raises(WatermarkError, match="pixels"):
        detect([(np.zeros(shape, np.uint8), 0.0)])


def test_a_huge_picture_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    cv2.imwrite(str(path), np.zeros((9000, 9000), np.uint8))
    with pytest.raises(WatermarkError, match="60 megapixels"):
        detect(path)
