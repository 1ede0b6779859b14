"""Sound of every kind goes along into the output, or stays behind in words; never does it end a run."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fakes import marked
from test_sinks_video import files_of_at_most

from facepuppet.core.errors import OutputUnwritableError
from facepuppet.core.types import F64
from facepuppet.sinks.audio_track import AudioTrack
from facepuppet.sinks.sound_encoder import nearest_rate
from facepuppet.sinks.video_file import VideoFile

SIZE_PX = (160, 128)
FPS = 25


def tone(hz: float, duration_s: float, rate: int) -> F64:
    return 0.25 * np.sin(2 * np.pi * hz * np.arange(round(duration_s * rate)) / rate)


def frame_of(samples: F64, rate: int, layout: str, pts: int) -> av.AudioFrame:
    channels = av.AudioLayout(layout).nb_channels
    packed = np.repeat((samples * 32767).astype(np.int16), channels)[None]
    frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, pts, Fraction(1, rate)
    return frame


def add_tone(
    container: av.container.OutputContainer, codec: str, rate: int, layout: str, hz: float, duration_s: float
) -> list[av.Packet[Any]]:
    stream = container.add_stream(codec, rate=rate)
    stream.codec_context.layout = layout
    frame = frame_of(tone(hz, duration_s, rate), rate, layout, 0)
    return [*stream.encode(frame), *stream.encode(None)]


def write_sound(
    path: Path,
    *tracks: tuple[str, int],
    rate: int = 48_000,
    layout: str = "stereo",
    duration_s: float = 1.0,
) -> None:
    """A file of tones: a codec and a pitch in Hz for each track."""
    with av.open(str(path), "w") as container:
        packets = [
            p for codec, hz in tracks for p in add_tone(container, codec, rate, layout, hz, duration_s)
        ]
        container.mux(sorted(packets, key=lambda packet: packet.dts * packet.time_base))


def written_with(source: Path, path: Path, seconds: float = 1.0) -> VideoFile:
    sink = VideoFile(path, SIZE_PX, FPS, audio_from=source)
    for number in range(round(seconds * FPS)):
        sink.send(marked(frame_id=number % 8), number / FPS)
    sink.close()
    return sink


def pictures_in(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def heard_in(path: Path) -> tuple[F64, int]:
    """The first channel, placed by the times of its frames, and its rate."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    rate = frames[0].sample_rate
    heard = np.zeros(round((frames[-1].time + 1.0) * rate))
    end = 0
    for frame in frames:
        samples = frame.to_ndarray().astype(float)
        samples = samples[0] if frame.format.is_planar else samples[0, :: frame.layout.nb_channels]
        begin = max(round(frame.time * rate), 0)
        end = begin + len(samples)
        heard[begin:end] = samples
    return heard[:end], rate


def pitch_hz(heard: F64, rate: int, begin_s: float, end_s: float) -> float:
    piece = heard[round(begin_s * rate) : round(end_s * rate)]
    return float(np.argmax(abs(np.fft.rfft(piece)))) / (end_s - begin_s)


def loudness(heard: F64, rate: int, begin_s: float, end_s: float) -> float:
    """Against the loudest part of the whole."""
    piece = heard[round(begin_s * rate) : round(end_s * rate)]
    return float(abs(piece).max() / abs(heard).max())


@pytest.mark.parametrize(
    ("container", "codec", "rate", "layout", "ending", "copied"),
    [
        ("avi", "libmp3lame", 44_100, "stereo", "mp4", True),  # times in whole packets
        (
            "mp4",
            "libmp3lame",
            44_100,
            "stereo",
            "mp4",
            True,
        ),  # the decoder is called otherwise than the codec
        ("avi", "libmp3lame", 44_100, "stereo", "webm", False),
        ("mov", "pcm_s24le", 192_000, "stereo", "mp4", False),
        ("mov", "pcm_s24le", 192_000, "stereo", "mov", True),
        ("mov", "pcm_s24le", 192_000, "stereo", "webm", False),
        ("wav", "pcm_u8", 7000, "mono", "mp4", False),
        ("wav", "pcm_s16le", 11_000, "5.1", "mp4", False),
        ("wav", "pcm_f64le", 48_000, "7.1", "webm", False),
        ("mkv", "libopus", 48_000, "stereo", "webm", True),
        ("mkv", "flac", 96_000, "quad", "mp4", False),
        ("mkv", "flac", 96_000, "quad", "mkv", True),
        ("avi", "adpcm_ms", 22_050, "stereo", "mkv", False),
        ("ts", "aac", 48_000, "stereo", "mp4", True),
        ("mkv", "mp2", 48_000, "stereo", "mov", False),
    ],
)
def test_sound_of_every_kind_comes_along(
    tmp_path: Path, container: str, codec: str, rate: int, layout: str, ending: str, copied: bool
) -> None:
    source, path = tmp_path / f"in.{container}", tmp_path / f"out.{ending}"
    write_sound(source, (codec, 440), rate=rate, layout=layout)
    sink = written_with(source, path)
    heard, heard_rate = heard_in(path)
    assert sink.audio_copied is copied
    assert pictures_in(path) == FPS
    assert 0.9 < len(heard) / heard_rate < 1.15
    assert abs(pitch_hz(heard, heard_rate, 0.25, 0.75) - 440) <= 4


def unknown(path: Path, codec_id: bytes) -> None:
    """Give the first track of a Matroska file a codec that nobody knows."""
    path.write_bytes(path.read_bytes().replace(codec_id, codec_id[:-2] + b"XX", 1))


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm"])
def test_the_first_track_that_works_is_taken(
    tmp_path: Path, ending: str, caplog: pytest.LogCaptureFixture
) -> None:
    source, path = tmp_path / "in.mkv", tmp_path / f"out.{ending}"
    write_sound(source, ("flac", 880), ("aac", 440))
    unknown(source, b"A_FLAC")
    written_with(source, path)
    heard, rate = heard_in(path)
    assert abs(pitch_hz(heard, rate, 0.25, 0.75) - 440) <= 4
    assert "sound of audio track 2; track 1 cannot be used (nothing here decodes it)" in caplog.text
    assert len(caplog.records) == 1


def test_without_a_track_that_works_the_output_is_silent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source, path = tmp_path / "in.mkv", tmp_path / "out.mp4"
    write_sound(source, ("flac", 440))
    unknown(source, b"A_FLAC")
    assert written_with(source, path).audio_copied is None
    assert pictures_in(path) == FPS
    with av.open(str(path)) as container:
        assert not container.streams.audio
    assert "the output stays silent; audio track 1 cannot be used" in caplog.text


def test_a_track_of_noise_is_passed_over(tmp_path: Path) -> None:
    """Its codec is known, but not one packet of it can be decoded."""
    source, path = tmp_path / "in.mkv", tmp_path / "out.mp4"
    write_sound(source, ("flac", 880), ("aac", 440))
    with av.open(str(source)) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    data = source.read_bytes()
    for packet in packets:
        data = data.replace(packet, b"\xa5" * len(packet))
    source.write_bytes(data)
    written_with(source, path)
    heard, rate = heard_in(path)
    assert abs(pitch_hz(heard, rate, 0.25, 0.75) - 440) <= 4


def write_pieces(path: Path, begin_s: Sequence[float]) -> None:
    """Uncompressed pieces of 0.1 s of a tone each, at given times."""
    rate = 48_000
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate)
        stream.codec_context.layout = "mono"
        container.start_encoding()
        for time_s in begin_s:
            (packet,) = stream.encode(frame_of(tone(440, 0.1, rate), rate, "mono", 0))
            packet.pts = packet.dts = round(time_s * rate)
            container.mux(packet)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_gap_stays_a_gap(tmp_path: Path, ending: str) -> None:
    source, path = tmp_path / "in.mkv", tmp_path / f"out.{ending}"
    write_pieces(source, [0.0, 0.1, 0.2, 0.8, 0.9])
    written_with(source, path)
    heard, rate = heard_in(path)
    assert loudness(heard, rate, 0.05, 0.25) > 0.7
    assert loudness(heard, rate, 0.4, 0.7) < 0.05
    assert loudness(heard, rate, 0.85, 0.95) > 0.7


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_times_that_stand_still_do_not_matter(tmp_path: Path, ending: str) -> None:
    source, path = tmp_path / "in.mkv", tmp_path / f"out.{ending}"
    write_pieces(source, [0.0] * 6)
    written_with(source, path)
    heard, rate = heard_in(path)
    assert pictures_in(path) == FPS
    assert len(heard) / rate == pytest.approx(0.6, abs=0.05)
    assert all(loudness(heard, rate, t, t + 0.1) > 0.7 for t in np.arange(0.0, 0.5, 0.1))


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm"])
def test_times_that_run_back_do_not_matter(tmp_path: Path, ending: str) -> None:
    """Two broadcasts in one file, each with times of its own."""
    source, path = tmp_path / "in.ts", tmp_path / f"out.{ending}"
    write_sound(source, ("aac", 440), duration_s=0.5)
    source.write_bytes(source.read_bytes() * 2)
    written_with(source, path, 1.2)
    heard, rate = heard_in(path)
    assert pictures_in(path) == 1.2 * FPS
    assert len(heard) / rate == pytest.approx(1.0, abs=0.15)
    assert abs(pitch_hz(heard, rate, 0.1, 0.4) - 440) <= 4
    assert abs(pitch_hz(heard, rate, 0.65, 0.95) - 440) <= 4


def test_damage_in_the_middle_leaves_the_rest_in_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source, path = tmp_path / "in.mkv", tmp_path / "out.mp4"
    write_sound(source, ("flac", 440))
    with av.open(str(source)) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    data = source.read_bytes()
    for packet in packets[4:7]:  # of 4608 samples, 0.1 s
        data = data.replace(packet, bytes(len(packet)))
    source.write_bytes(data)
    written_with(source, path)
    heard, rate = heard_in(path)
    assert pictures_in(path) == FPS
    assert loudness(heard, rate, 0.1, 0.3) > 0.7
    assert loudness(heard, rate, 0.45, 0.6) < 0.05
    assert abs(pitch_hz(heard, rate, 0.72, 0.97) - 440) <= 4
    assert "3 packets of damaged sound are left out" in caplog.text


def test_what_a_container_refuses_in_the_middle_ends_the_sound_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing:
        """Passes everything on but the tenth packet."""

        def __init__(self, inner: av.container.OutputContainer) -> None:
            self._inner, self._n = inner, 0

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        def mux(self, packet: av.Packet[Any]) -> None:
            self._n += 1
            if self._n == 10:
                raise av.error.ArgumentError(22, "Invalid argument")
            self._inner.mux(packet)

    source, path = tmp_path / "in.mp4", tmp_path / "out.mp4"
    write_sound(source, ("aac", 440))
    with av.open(str(path), "w") as container:
        track = AudioTrack(source, 0, Refusing(container), ".mp4", copied=True)  # type: ignore[arg-type]
        track.advance(0.5)
        track.finish(1.0)
    heard, rate = heard_in(path)
    assert 0.1 < len(heard) / rate < 0.3
    assert "cannot be written further and ends here" in caplog.text


@pytest.mark.skipif(platform.system() == "Windows", reason="POSIX resource limits")
def test_a_disk_that_sound_fills_is_still_the_disk_s_fault(tmp_path: Path) -> None:
    source = tmp_path / "in.wav"
    write_sound(source, ("pcm_s16le", 440), duration_s=10.0)
    with files_of_at_most(200_000), pytest.raises(OutputUnwritableError, match="cannot be written"):
        written_with(source, tmp_path / "out.mkv", 10.0)
    assert [entry.name for entry in tmp_path.iterdir()] == ["in.wav"]


@pytest.mark.parametrize(
    ("rate", "taken"), [(44_100, 44_100), (192_000, 96_000), (50_000, 64_000), (1, 7350)]
)
def test_rates_lose_as_little_as_they_may(rate: int, taken: int) -> None:
    assert nearest_rate("aac", rate) == taken
