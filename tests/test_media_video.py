"""Video files as a source: true times, upright pictures, and damage that does not end them."""

from __future__ import annotations

import socket
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fakes import FakeClock, picture

from facepuppet.core.errors import MediaUnreadableError
from facepuppet.core.types import Frame
from facepuppet.media import open_source, video_frame
from facepuppet.media.video_frame import luma_of
from facepuppet.media.video_reader import VideoReader
from facepuppet.media.video_source import VideoSource

SIZE_PX = (64, 48)


def write_video(
    path: Path, times: list[int], *, codec: str = "libx264", gop: int = 250, ticks_per_s: int = 1000
) -> None:
    """Frames of grey level 40, 42, 44 … under a fixed pattern of noise, at given times in ticks."""
    noise = np.random.default_rng(0).integers(-15, 16, (SIZE_PX[1], SIZE_PX[0], 1))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30, options={"g": str(gop), "bf": "0"})
        stream.width, stream.height = SIZE_PX
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, ticks_per_s)
        container.start_encoding()
        for number, time in enumerate(times):
            rgb = np.repeat(40 + 2 * number + noise, 3, axis=2).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame = frame.reformat(format="yuv420p")
            frame.pts = time
            frame.time_base = stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def read_all(path: Path) -> list[Frame]:
    with open_source(path) as source:
        return [frame for frame in iter(source.read, None) if frame is not None]


def test_frames_come_in_order_with_ids_times_and_a_description(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, [0, 40, 80, 120, 160])
    clock = FakeClock(now_ns=77)
    with open_source(str(path), clock=clock) as source:
        frames = [source.read() for _ in range(6)]
    assert source.size_px == SIZE_PX
    assert source.n_frames == 5
    assert source.fps == pytest.approx(25, rel=0.05)
    assert not source.live
    assert str(path) in source.description
    assert [f.frame_id for f in frames if f] == [0, 1, 2, 3, 4]
    assert [f.pts_s for f in frames if f] == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
    assert [f.captured_ns for f in frames if f] == [77] * 5
    levels = [float(f.rgb.mean()) for f in frames if f]
    assert levels == pytest.approx([40, 42, 44, 46, 48], abs=1.5)
    assert frames[5] is None


def test_a_variable_frame_rate_stays_true(tmp_path: Path) -> None:
    path = tmp_path / "phone.mp4"
    times_ms = [0, 33, 66, 200, 233, 700]
    write_video(path, times_ms)
    assert [frame.pts_s for frame in read_all(path)] == pytest.approx([t / 1000 for t in times_ms], abs=1e-3)


def test_times_count_from_the_start_of_the_container(tmp_path: Path) -> None:
    path = tmp_path / "late.mkv"
    write_video(path, [5000 + 40 * n for n in range(12)])
    assert [frame.pts_s for frame in read_all(path)] == pytest.approx([0.04 * n for n in range(12)], abs=1e-3)


@pytest.mark.parametrize(
    ("ending", "ticks_per_s", "first"),
    [("mp4", 15_360, 507), ("mp4", 90_000, 1), ("ts", 90_000, 132_000)],
)
def test_no_frame_lies_before_the_start(tmp_path: Path, ending: str, ticks_per_s: int, first: int) -> None:
    """Containers round their start to microseconds, and so may begin after their first frame."""
    path = tmp_path / f"hair.{ending}"
    write_video(path, [first + n * ticks_per_s // 30 for n in range(5)], ticks_per_s=ticks_per_s)
    times_s = [frame.pts_s for frame in read_all(path) if frame.pts_s is not None]
    assert times_s == pytest.approx([n / 30 for n in range(5)], abs=2e-3)
    assert 0.0 <= times_s[0] < 1e-6


@pytest.mark.parametrize(
    ("matrix", "corner"),
    [
        ((0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000), (0, -1)),  # turned clockwise: top left goes right
        ((0, -0x10000, 0, 0x10000, 0, 0, 0, 0, 0x40000000), (-1, 0)),  # counter-clockwise: to the bottom
        ((-0x10000, 0, 0, 0, -0x10000, 0, 0, 0, 0x40000000), (-1, -1)),  # upside down
    ],
)
def test_rotation_metadata_is_applied(
    tmp_path: Path, matrix: tuple[int, ...], corner: tuple[int, int]
) -> None:
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "1"})
        stream.width, stream.height = SIZE_PX
        stream.pix_fmt = "yuv420p"
        rgb = picture(SIZE_PX, level=20)
        rgb[:16, :16] = 230  # a white top-left corner
        container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # past the fields before the display matrix
    data[at : at + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)
    with open_source(path) as source:
        frame = source.read()
    assert frame is not None
    assert source.size_px == (frame.rgb.shape[1], frame.rgb.shape[0])
    quarter = abs(matrix[0]) == 0
    assert source.size_px == (SIZE_PX[::-1] if quarter else SIZE_PX)
    row, column = (index * 4 if index == 0 else -4 for index in corner)
    assert frame.rgb[row, column].mean() > 180
    assert sum(float(frame.rgb[r, c].mean() > 180) for r in (4, -4) for c in (4, -4)) == 1


@pytest.mark.parametrize(("codec", "ending"), [("mpeg4", "mp4"), ("libx264", "mp4"), ("libx264", "ts")])
def test_damage_in_the_middle_does_not_end_it(tmp_path: Path, codec: str, ending: str) -> None:
    path = tmp_path / f"damaged.{ending}"
    write_video(path, [40 * n for n in range(40)], codec=codec, gop=4)
    whole = len(read_all(path))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    path.write_bytes(data)
    frames = read_all(path)
    times = [frame.pts_s for frame in frames if frame.pts_s is not None]
    assert whole == 40
    assert len(frames) >= 30
    assert times[-1] == pytest.approx(39 * 0.04, abs=0.05)
    assert times == sorted(set(times))


def test_an_undecodable_packet_is_skipped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "one.mp4"
    write_video(path, [0, 40, 80, 120, 160, 200], codec="mpeg4", gop=1)
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    data = path.read_bytes()
    at = data.index(packets[2])
    path.write_bytes(data[:at] + bytes(len(packets[2])) + data[at + len(packets[2]) :])
    with VideoSource(path) as source:
        frames = [frame for frame in iter(source.read, None) if frame is not None]
    assert source.damaged == 1
    assert [frame.pts_s for frame in frames] == pytest.approx([0, 0.04, 0.12, 0.16, 0.2], abs=2e-3)
    assert [frame.frame_id for frame in frames] == [0, 1, 2, 3, 4]


def test_a_title_that_is_no_unicode_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "titled.mkv"
    write_video(path, [0, 40, 80])
    data = path.read_bytes()
    assert data.count(b"Lavf") >= 1
    path.write_bytes(data.replace(b"Lavf", b"L\xe9\xff\xfe"))
    assert len(read_all(path)) == 3


def test_an_unknown_codec_says_so(tmp_path: Path) -> None:
    path = tmp_path / "strange.mkv"
    write_video(path, [0, 40, 80], codec="ffv1")
    path.write_bytes(path.read_bytes().replace(b"V_FFV1", b"V_XXV1"))
    with pytest.raises(MediaUnreadableError, match="does not know"):
        open_source(path)


def test_frames_too_large_to_hold_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.mp4"
    write_video(path, [0, 40, 80])
    monkeypatch.setattr("facepuppet.media.video_reader.MAX_PIXELS", 64 * 48 - 1)
    with pytest.raises(MediaUnreadableError, match="whose frames are 64x48"):
        open_source(path)


def test_frames_that_grow_too_large_are_never_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = []
    for name, size_px in (("small", (64, 48)), ("large", (640, 480))):
        with av.open(str(tmp_path / f"{name}.h264"), "w") as container:
            stream = container.add_stream("libx264", rate=30, options={"bf": "0"})
            (stream.width, stream.height), stream.pix_fmt = size_px, "yuv420p"
            for _ in range(5):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(size_px), format="rgb24")))
            container.mux(stream.encode(None))
        streams.append((tmp_path / f"{name}.h264").read_bytes())
    small, large = streams
    path = tmp_path / "both.h264"
    path.write_bytes(small * 40 + large + small)
    assert {frame.rgb.shape for frame in read_all(path)} == {(48, 64, 3), (480, 640, 3)}
    monkeypatch.setattr("facepuppet.media.video_reader.MAX_PIXELS", 100 * 100)
    assert {frame.rgb.shape for frame in read_all(path)} == {(48, 64, 3)}


def test_luma_is_the_plane_as_it_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "luma.mkv"
    planes = np.random.default_rng(0).integers(0, 256, (72, 70), np.uint8)  # of 70x48, beyond video range too
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 70, 48, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
    reader = VideoReader(path)
    read = reader.read()
    assert read is not None and reader.read() is None
    np.testing.assert_array_equal(luma_of(read[0]), planes[:48])
    reader.close()


def test_a_playlist_in_a_file_does_not_reach_the_network(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x.ts"
        path = tmp_path / "list.m3u8"
        path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{address}\n#EXT-X-ENDLIST\n")
        with pytest.raises(MediaUnreadableError):
            open_source(path)
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_video_without_frames_says_so(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    write_video(path, [])
    with pytest.raises(
        MediaUnreadableError, match=r"no (decodable video frame|video stream)|cannot be opened"
    ):
        open_source(path)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(MediaUnreadableError, match="no video stream"):
        open_source(path)


@pytest.mark.parametrize(("name", "content"), [("text.mp4", b"hello"), ("empty.mkv", b"")])
def test_what_is_no_video_says_so(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaUnreadableError, match="cannot be opened"):
        open_source(tmp_path / name)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(MediaUnreadableError, match="does not exist"):
        open_source(tmp_path / "nothing.mp4")


def test_an_unreachable_url_says_so() -> None:
    with pytest.raises(MediaUnreadableError, match="cannot be opened"):
        open_source("http://127.0.0.1:9/camera.mjpg")  # the discard port: nobody listens


def test_reading_after_close_is_the_end(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, [0, 40, 80])
    source = open_source(path)
    assert source.read() is not None
    source.close()
    source.close()
    assert source.read() is None


@pytest.mark.shared
def test_recorded_clips_are_read_whole(shared: Path) -> None:
    path = sorted((shared / "clips").glob("grid_*.mp4"))[0]
    frames = read_all(path)
    with open_source(path) as source:
        assert len(frames) == source.n_frames


def test_a_full_memory_is_no_fault_of_the_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(frame: av.VideoFrame) -> None:
        raise av.error.MemoryError(12, "Cannot allocate memory")

    write_video(tmp_path / "clip.mp4", [0, 40])
    with open_source(tmp_path / "clip.mp4") as source:
        monkeypatch.setattr(video_frame, "_rgb", full)
        with pytest.raises(MemoryError):
            source.read()


def test_a_loop_plays_a_file_over_and_over_at_its_own_pace(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, [0, 40, 80, 120, 160])
    clock = FakeClock(now_ns=77)
    with open_source(f"loop:{path}", clock=clock) as source:
        assert source.live and source.n_frames is None and source.description.endswith("looped")
        frames = [frame for _ in range(12) if (frame := source.read()) is not None]
    assert [frame.frame_id for frame in frames] == list(range(12))
    steps_s = np.diff([frame.captured_ns for frame in frames]) * 1e-9
    assert steps_s == pytest.approx([0.04] * 11, abs=2e-3), "at the seam, too"
    levels = [int(frame.rgb.mean()) for frame in frames]
    assert levels[0] < levels[4] and levels[5:10] == levels[:5]
    assert source.read() is None


def test_a_loop_of_nothing_is_refused_and_one_whose_file_is_gone_ends(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with pytest.raises(MediaUnreadableError, match="does not exist"):
        open_source(f"loop:{path}")
    write_video(path, [0, 40])
    with open_source(f"loop:{path}", clock=FakeClock()) as source:
        assert source.read() is not None and source.read() is not None
        path.unlink()
        with pytest.raises(MediaUnreadableError, match="does not exist"):
            source.read()
