"""What a file is taken for, and that nobody leaves out a part of it without a word."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fakes import picture
from pictures import hopper_rgb
from PIL import Image

from calibrate.views import candidates
from calibrate.watch import track_source
from facepuppet.core.errors import ImageUnreadableError
from facepuppet.core.types import U8
from facepuppet.media import open_source
from facepuppet.media.file_kinds import is_picture, is_video
from facepuppet.media.pictures import decode_frames, load_luma, load_picture
from facepuppet.watermark.luma_frames import open_luma_frames

VIDEOS = {  # ending: FFmpeg's name of the format, codec
    "mp4": ("mp4", "mpeg4"),
    "mts": ("mpegts", "libx264"),
    "m2ts": ("mpegts", "libx264"),
    "3gp": ("3gp", "mpeg4"),
    "mpg": ("mpeg", "mpeg2video"),
    "vob": ("vob", "mpeg2video"),
    "wmv": ("asf", "wmv2"),
    "flv": ("flv", "flv1"),
    "mkv": ("matroska", "libx264"),
    "avi": ("avi", "mpeg4"),
}


def write(path: Path, pictures: list[U8], ending: str, rate: int = 25) -> Path:
    container_format, codec = VIDEOS[ending]
    options = {"mpegts_m2ts_mode": "1"} if ending in ("mts", "m2ts") else {}
    try:
        encoder = av.codec.Codec(codec, "w")
    except av.error.FFmpegError:
        pytest.skip(f"no encoder for {codec} here")
    with av.open(str(path), "w", format=container_format, options=options) as container:
        stream = container.add_stream(encoder.name, rate=rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        for rgb in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("ending", VIDEOS)
@pytest.mark.parametrize("named", [True, False])
def test_videos_are_known_by_name_or_content(tmp_path: Path, ending: str, named: bool) -> None:
    path = write(tmp_path / (f"me.{ending}" if named else "me.new"), [picture((176, 144))] * 8, ending)
    assert is_video(path) and not is_picture(path)
    with open_source(path) as source:
        assert source.size_px == (176, 144)
    assert next(iter(open_luma_frames(path))).luma.shape == (144, 176)
    if not named:
        with pytest.raises(ImageUnreadableError, match="a film"):
            load_picture(path)


@pytest.mark.parametrize("ending", ["mts", "3gp", "mpg", "wmv", "flv", "new"])
def test_calibrate_takes_faces_from_any_video(tmp_path: Path, ending: str) -> None:
    rgb = np.ascontiguousarray(hopper_rgb()[:480, :512])[60:348, 80:432]  # 352x288, which all formats hold
    path = write(tmp_path / f"me.{ending}", [rgb] * 10, "mts" if ending == "new" else ending)
    found = candidates.read_video(path)
    assert is_video(path)
    assert found


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("name", ["me.new", "me", "me.jpe"])
def test_pictures_are_known_by_content(tmp_path: Path, kind: str, name: str) -> None:
    Image.fromarray(picture((64, 48), level=200)).save(tmp_path / name, kind)
    assert is_picture(tmp_path / name) and not is_video(tmp_path / name)
    with open_source(tmp_path / name) as source:
        assert source.n_frames == 1
    (luma,) = open_luma_frames(tmp_path / name)
    assert luma.luma.shape == (48, 64)


@pytest.mark.parametrize("content", [b"", b"words", b"G" * 9, b"GGGG" * 200])
def test_what_is_neither_is_neither(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    for path in (tmp_path / "x", tmp_path / "none", tmp_path):
        assert not is_picture(path)
        assert content.startswith(b"GGGG") or not is_video(path)


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "TIFF"])
def test_later_frames_are_not_left_out_without_a_word(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    frames = [Image.fromarray(picture((64, 48), level=level)) for level in (10, 200)]
    path = tmp_path / f"moving.{kind.lower()}"
    frames[0].save(path, kind, save_all=True, append_images=frames[1:])
    for load in (load_picture, load_luma):
        caplog.clear()
        load(path)
        assert "only the first is used" in caplog.text
    caplog.clear()
    assert len(list(decode_frames(path.read_bytes(), name="x"))) == 2
    assert not caplog.text


def test_one_frame_is_all_there_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = io.BytesIO()
    Image.fromarray(hopper_rgb()).save(content, "WEBP")
    (tmp_path / "a.webp").write_bytes(content.getvalue())
    load_picture(tmp_path / "a.webp")
    assert not caplog.text


def test_what_a_folder_holds_beside_pictures_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Image.fromarray(picture((64, 48))).save(tmp_path / "1.png")
    Image.fromarray(picture((64, 48))).save(tmp_path / "2", "JPEG")
    (tmp_path / ".hidden").write_bytes(b"")
    with open_source(tmp_path) as source:
        assert source.n_frames == 2
    assert not caplog.text
    write(tmp_path / "clip.mp4", [picture((64, 48))] * 2, "mp4")
    with open_source(tmp_path) as source:
        assert source.n_frames == 2
    assert "left out: clip.mp4" in caplog.text


def test_what_calibrate_does_not_look_at_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    rgb = np.ascontiguousarray(hopper_rgb()[60:348, 80:432])
    path = write(tmp_path / "long.mp4", [rgb] * 30, "mp4", rate=5)
    candidates.read_video(path)
    assert not caplog.text
    monkeypatch.setattr(candidates, "MAX_VIDEO_S", 2.0)
    candidates.read_video(path)
    assert "long.mp4: only its first 2 s" in caplog.text
    caplog.clear()
    with open_source(path) as source:
        assert track_source(source, 1.0)
    assert "only its first 1 s" in caplog.text


def test_further_videos_and_sounds_of_a_file_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("mpeg4", rate=25) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for stream in streams:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture((64, 48)), format="rgb24")))
            container.mux(stream.encode(None))
    open_source(path).close()
    assert "several videos; the first is used" in caplog.text
