"""Video files: whole or not there at all, with true times and the input's sound."""

from __future__ import annotations

import platform
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from compare import CODEC, assert_pictures_equal
from fakes import FakeClock, marked, picture

from facepuppet.core.errors import OutputUnwritableError
from facepuppet.core.types import U8, Frame
from facepuppet.media import open_source
from facepuppet.sinks import open_sink
from facepuppet.sinks.video_file import VideoFile
from facepuppet.watermark.provenance import read_provenance

SIZE_PX = (160, 128)


def read_all(path: Path) -> list[Frame]:
    with open_source(path) as source:
        return [frame for frame in iter(source.read, None) if frame is not None]


def write_sound(path: Path, codec: str, duration_s: float = 2.0, rate: int = 48_000) -> None:
    """A file with nothing but a 440 Hz tone."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.codec_context.layout = "mono"
        times = np.arange(int(duration_s * rate)) / rate
        samples = (8000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = rate
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "webm"])
def test_what_is_sent_can_be_read_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    sent: list[U8] = []
    with open_sink(path, SIZE_PX, 25) as sink:
        for number in range(10):
            frame = marked(frame_id=number)
            sent.append(frame.rgb)
            sink.send(frame)
    got = read_all(path)
    assert [frame.pts_s for frame in got] == pytest.approx([n / 25 for n in range(10)], abs=2e-3)
    for rgb, frame in zip(sent, got, strict=True):
        assert_pictures_equal(frame.rgb, rgb, CODEC)
        assert abs(frame.rgb.mean(axis=(0, 1)) - rgb.mean(axis=(0, 1))).max() < 3
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_an_mp4_starts_with_its_index(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with open_sink(path, SIZE_PX, 25) as sink:
        for number in range(5):
            sink.send(marked(frame_id=number))
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_frames_keep_the_times_they_are_given(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    times_s = [0.0, 0.033, 0.066, 0.2, 0.2, 0.7]  # one time twice: the file moves it on by one tick
    with open_sink(path, SIZE_PX, 30) as sink:
        for number, time_s in enumerate(times_s):
            sink.send(marked(frame_id=number), time_s)
    assert [frame.pts_s for frame in read_all(path)] == pytest.approx(times_s, abs=1e-3)


def test_a_live_recording_keeps_the_times_of_arrival(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    clock = FakeClock()
    with open_sink(path, SIZE_PX, 30, clock=clock) as sink:
        for number in range(4):
            sink.send(marked(frame_id=number))
            clock.advance_s(0.1)
    assert [frame.pts_s for frame in read_all(path)] == pytest.approx([0, 0.1, 0.2, 0.3], abs=2e-3)


def test_odd_sizes_are_padded_and_said_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "odd.mp4"
    rgb = picture((161, 129), level=100)
    with open_sink(path, (161, 129), 30) as sink:
        sink.send(marked(rgb))
    assert "161x129 padded to 162x130" in caplog.text
    (frame,) = read_all(path)
    assert frame.rgb.shape == (130, 162, 3)
    assert abs(frame.rgb[-1, -1].astype(int) - 100).max() < 8


def test_until_it_is_closed_nothing_stands_under_the_name(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"from an earlier run")
    sink = open_sink(path, SIZE_PX, 30)
    sink.send(marked())
    assert path.read_bytes() == b"from an earlier run"
    sink.close()
    sink.close()
    assert len(read_all(path)) == 1


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), open_sink(tmp_path / "out.mp4", SIZE_PX, 30) as sink:
        sink.send(marked())
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_without_a_frame_there_is_no_file(tmp_path: Path) -> None:
    open_sink(tmp_path / "out.mp4", SIZE_PX, 30).close()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(OutputUnwritableError, match="cannot be written"):
        open_sink(tmp_path / "nowhere" / "out.mp4", SIZE_PX, 30)


@pytest.mark.skipif(platform.system() != "Linux", reason="needs a folder that even root cannot write to")
def test_a_read_only_folder_says_so() -> None:
    with pytest.raises(OutputUnwritableError, match="folder that you may write to"):
        open_sink("/proc/out.mp4", SIZE_PX, 30)


@contextmanager
def files_of_at_most(n_bytes: int) -> Iterator[None]:
    """Let no file of this process grow further, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.skipif(platform.system() == "Windows", reason="POSIX resource limits")
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_full_disk_says_so_and_leaves_nothing(tmp_path: Path, ending: str) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (128, 160, 3), dtype=np.uint8) for _ in range(4)]

    def fill() -> None:
        with open_sink(tmp_path / f"out.{ending}", SIZE_PX, 30) as sink:
            for number in range(150):
                sink.send(marked(noise[number % 4]))

    with files_of_at_most(200_000), pytest.raises(OutputUnwritableError, match="cannot be written"):
        fill()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("codec", "sound", "ending", "copied"),
    [
        ("aac", "mp4", "mp4", True),
        ("aac", "mp4", "mkv", True),
        ("pcm_s16le", "wav", "mp4", False),
        ("aac", "mp4", "webm", False),
        ("libopus", "ogg", "webm", True),
    ],
)
def test_the_sound_of_the_input_comes_along(
    tmp_path: Path, codec: str, sound: str, ending: str, copied: bool
) -> None:
    source, path = tmp_path / f"in.{sound}", tmp_path / f"out.{ending}"
    write_sound(source, codec)
    sink = VideoFile(path, SIZE_PX, 25, audio_from=source)
    for number in range(25):  # 1 s of picture, 2 s of sound
        sink.send(marked(frame_id=number))
    sink.close()
    assert len(read_all(path)) == 25
    with av.open(str(path)) as container:
        assert sink.audio_copied is copied
        frames = list(container.decode(audio=0))
    rate = frames[0].sample_rate
    samples = np.concatenate([frame.to_ndarray().astype(float).reshape(-1) for frame in frames])
    assert 0.9 < len(samples) / rate < 1.15
    spectrum = abs(np.fft.rfft(samples[: rate // 2 * 2][rate // 4 : rate * 3 // 4]))
    assert abs(np.argmax(spectrum) / 0.5 - 440) <= 4


def test_an_input_without_sound_is_fine(tmp_path: Path) -> None:
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    with open_sink(first, SIZE_PX, 30) as sink:
        sink.send(marked())
    with open_sink(second, SIZE_PX, 30, audio_from=first) as sink:
        sink.send(marked())
    with av.open(str(second)) as container:
        assert not container.streams.audio


def test_a_recording_is_signed_for_the_mark_it_carries(tmp_path: Path) -> None:
    """The manifest names the payload of the frames as soft binding, and holds."""
    path = tmp_path / "show.mp4"
    with open_sink(path, SIZE_PX, 30) as sink:
        for i in range(3):
            sink.send(frame := marked(frame_id=i))
    provenance = read_provenance(path)
    assert provenance is not None
    assert provenance.intact
    assert provenance.payload == frame.payload.hex
