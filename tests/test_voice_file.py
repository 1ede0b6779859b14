"""A file's voice drives: what is read, when each moment is shown, the sound that goes along, bad input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
import pytest
import typer
from bad_files import only_sound
from program import one_line, run
from spoken import SHUT, Sound, frames_of, jaw, silence, talk, vowel, write_sound, write_wav

from facepuppet.cli.voice_options import REGION_WORDS, voice_manner
from facepuppet.core.errors import FacepuppetError, MediaUnreadableError
from facepuppet.core.types import Expression
from facepuppet.drivers.driver_words import open_driver
from facepuppet.drivers.recorded import RecordedDriver
from facepuppet.drivers.voice.voice_file_driver import VoiceFileDriver
from facepuppet.drivers.voice.voice_setup import VoiceSetup
from facepuppet.drivers.voice.voice_words import voice_file
from facepuppet.frames.cpu.compose import Composer, Corner
from facepuppet.media.sound_reader import SoundReader
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.load import load_avatar, sample_portrait_path
from facepuppet.session.offline import render_video
from facepuppet.testing import FakeClock
from facepuppet.voice import Region, VoiceManner

RATE_HZ, FPS = 16_000, 30.0
CLICKS_S = (0.4, 1.0, 1.6)


@lru_cache(maxsize=1)
def avatar() -> Avatar:
    return load_avatar(sample_portrait_path())


def clicks(rate_hz: int, seconds: float = 2.01) -> Sound:
    sound = silence(seconds, rate_hz)
    for click_s in CLICKS_S:
        at = round(click_s * rate_hz)
        sound[at : at + max(2, rate_hz // 4000)] = 0.9
    return sound


def heard(path: Path) -> Sound:
    reader = SoundReader(path, RATE_HZ)
    blocks = []
    while (block := reader.read()) is not None:
        blocks.append(block)
    reader.close()
    return np.concatenate(blocks)


def onsets(sound: Sound) -> list[int]:
    """Samples with which clicks begin."""
    loud = np.flatnonzero(np.abs(sound) > 0.4 * np.abs(sound).max())
    return [int(at) for at in loud[np.diff(loud, prepend=-len(sound)) > 0.1 * RATE_HZ]]


def spoken(path: Path, **how: object) -> list[Expression]:
    with VoiceFileDriver(path, FPS, VoiceSetup(**how)) as driver:  # type: ignore[arg-type]
        return list(iter(driver.read, None))


def same(one: Sequence[Expression], other: Sequence[Expression]) -> bool:
    return len(one) == len(other) and all(
        jaw(a) == jaw(b)
        and np.array_equal(a.face.head.turn, b.face.head.turn)  # type: ignore[union-attr]
        and np.array_equal(a.face.eye_opening, b.face.eye_opening)  # type: ignore[union-attr]
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 96_000])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_every_rate_and_number_of_channels_is_heard_at_its_time(
    tmp_path: Path, rate_hz: int, channels: int
) -> None:
    sound = heard(write_wav(tmp_path / "a.wav", clicks(rate_hz), rate_hz, channels))
    assert len(sound) == pytest.approx(2.01 * RATE_HZ, abs=2)
    assert onsets(sound) == pytest.approx([RATE_HZ * one for one in CLICKS_S], abs=8)
    assert np.abs(sound).max() <= 1.0


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp3", "libmp3lame"), ("a.opus", "libopus"), ("a.flac", "flac"), ("a.mkv", "aac")]
)
def test_every_usual_format_is_heard_at_its_time(tmp_path: Path, name: str, codec: str) -> None:
    path = write_sound(tmp_path / name, codec, clicks(48_000))
    assert voice_file(path) == path
    sound = heard(path)
    assert onsets(sound) == pytest.approx([RATE_HZ * one for one in CLICKS_S], abs=16)
    assert len(sound) == pytest.approx(2.01 * RATE_HZ, abs=0.05 * RATE_HZ)


def film(path: Path, sound_at_s: Sequence[float], *, picture: bool = True) -> Path:
    """A film whose sound has a click at the start of each piece of 0.2 s, and nothing between them."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=30)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=48_000)
        audio.codec_context.layout = "mono"
        for i in range(30):
            shown = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            shown.pts = i
            container.mux(video.encode(shown))
        container.mux(video.encode(None))
        piece = silence(0.2, 48_000)
        piece[:24] = 0.9
        for at_s in sound_at_s:
            for frame in frames_of(piece, 48_000, audio.codec_context):
                frame.pts = round(at_s * 48_000)
                container.mux(audio.encode(frame))
    return path


def test_gaps_and_a_late_start_are_silence(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", [0.05, 0.6, 1.4])
    sound = heard(path)
    assert onsets(sound) == pytest.approx([0.05 * RATE_HZ, 0.6 * RATE_HZ, 1.4 * RATE_HZ], abs=32)


def test_a_films_sound_drives_when_it_is_told_to(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", [0.0])
    assert voice_file(path) is None
    assert voice_file(f"voice:{path}") == path
    with open_driver(f"voice:{path}") as driver:
        assert isinstance(driver, VoiceFileDriver) and not driver.live


def test_a_films_name_without_pictures_in_it_is_sound(tmp_path: Path) -> None:
    only_sound(tmp_path / "a.mp4")
    assert voice_file(tmp_path / "a.mp4") == tmp_path / "a.mp4"


@pytest.mark.parametrize(("name", "codec"), [("a.mp3", "libmp3lame"), ("a.flac", "flac")])
def test_the_picture_of_a_cover_is_no_video(tmp_path: Path, name: str, codec: str) -> None:
    bare, path = write_sound(tmp_path / f"bare-{name}", codec, talk(48_000), 48_000), tmp_path / name
    with av.open(str(bare)) as source, av.open(str(path), "w") as container:
        audio = container.add_stream_from_template(source.streams.audio[0])
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        for packet in cover.encode(av.VideoFrame(64, 64, "yuvj420p")):
            container.mux(packet)
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = audio
                container.mux(packet)
    with av.open(str(path)) as written:
        assert len(written.streams.video) == 1
    assert voice_file(path) == path


def test_the_mouth_opens_and_shuts_with_the_voice(tmp_path: Path) -> None:
    shown = spoken(write_wav(tmp_path / "a.wav", talk()))
    assert [one.frame_id for one in shown] == list(range(45))
    assert [one.captured_ns for one in shown] == pytest.approx([1e9 * i / FPS for i in range(45)], abs=1)
    jaws = np.array([jaw(one) for one in shown])
    opens_s, shuts_s = np.flatnonzero(jaws > SHUT)[[0, -1]] / FPS
    assert opens_s == pytest.approx(0.5, abs=0.1)
    assert 0.9 < shuts_s < 1.3
    assert jaws.max() > 0.15


@pytest.mark.parametrize("n", [1, 533, 600, 16_000, 16_100])
def test_the_last_frame_covers_the_end_of_the_sound(tmp_path: Path, n: int) -> None:
    path = write_wav(tmp_path / "a.wav", vowel(1.1)[:n])
    assert len(spoken(path)) == math.ceil(n / RATE_HZ * FPS - 1e-9)
    with VoiceFileDriver(path, FPS) as driver:
        assert driver.n_frames == math.ceil(n / RATE_HZ * FPS - 1e-9)


def test_the_same_seed_gives_the_same_frames(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", np.concatenate([talk(), talk()]))
    assert same(spoken(path, seed=3), spoken(path, seed=3))


def test_live_it_plays_at_its_own_pace(tmp_path: Path) -> None:
    clock = FakeClock()
    with VoiceFileDriver(write_wav(tmp_path / "a.wav", talk()), FPS) as driver:
        driver.start(clock)
        begun_ns = clock.now_ns()
        stamps = [one.captured_ns - begun_ns for one in iter(driver.read, None)]
    assert stamps == pytest.approx([1e9 * i / FPS for i in range(45)], abs=2e6)


def noise(seconds: float) -> Sound:
    return np.random.default_rng(1).normal(0, 0.2, round(seconds * RATE_HZ)).astype(np.float32)


def chords(seconds: float) -> Sound:
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    notes_hz = np.array([[220.0, 277.2, 329.6], [196.0, 246.9, 293.7]])[(times_s * 2).astype(int) % 2]
    return (0.2 * np.sin(2 * np.pi * notes_hz * times_s[:, None]).sum(1)).astype(np.float32)


STRANGE = {
    "clipping": np.sign(vowel(1.0)),
    "music": chords(1.0),
    "noise": noise(1.0),
    "a constant": np.full(RATE_HZ, 0.8, np.float32),
    "beyond full scale": 40.0 * vowel(1.0),
    "no numbers": np.where(np.arange(RATE_HZ) % 97 == 0, np.nan, vowel(1.0)),
    "no numbers at all": np.full(RATE_HZ, np.nan, np.float32),
    "infinite": np.where(np.arange(RATE_HZ) % 970 == 0, np.inf, vowel(1.0)),
}


@pytest.mark.parametrize("strange", STRANGE)
def test_after_strange_sound_the_face_rests(tmp_path: Path, strange: str) -> None:
    sound = np.concatenate([STRANGE[strange].astype(np.float32), silence(0.5)])
    path = write_sound(tmp_path / "a.wav", "pcm_f32le", sound, RATE_HZ, "mono")
    assert np.isfinite(heard(path)).all() and np.abs(heard(path)).max() <= 1.0
    shown = spoken(path)
    assert all(np.isfinite(jaw(one)) for one in shown)
    assert all(jaw(one) < SHUT for one in shown if one.captured_ns > 1.3e9)


def test_silence_keeps_the_mouth_shut(tmp_path: Path) -> None:
    assert max(map(jaw, spoken(write_wav(tmp_path / "a.wav", silence(2.0))))) < SHUT


def test_a_file_that_was_cut_off_gives_what_is_there_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_wav(tmp_path / "a.wav", np.tile(talk(), 4))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert len(heard(path)) == pytest.approx(3.0 * RATE_HZ, abs=RATE_HZ // 100)
    assert "its sound ends after 3.0 s, sooner than the file says" in caplog.text
    caplog.clear()
    path.write_bytes(path.read_bytes()[:4] + b"\xff" * 4 + path.read_bytes()[8:])  # as written to a pipe
    assert len(heard(path)) == pytest.approx(3.0 * RATE_HZ, abs=RATE_HZ // 100)
    assert not caplog.messages


def test_damage_is_left_out_and_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_sound(tmp_path / "a.mka", "aac", np.tile(clicks(48_000), 2))
    damaged, random = bytearray(path.read_bytes()), np.random.default_rng(1)
    for at in random.integers(len(damaged) // 3, 2 * len(damaged) // 3, 60):
        damaged[at] = random.integers(256)
    path.write_bytes(bytes(damaged))
    assert len(heard(path)) > RATE_HZ
    assert len([line for line in caplog.messages if "damaged" in line]) == 1


def silent_film(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=30)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        container.mux(video.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(video.encode(None))
    return path


def test_what_has_no_sound_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "words.mp3").write_text("no sound at all " * 50)
    write_wav(tmp_path / "nothing.wav", silence(0.0))
    silent_film(tmp_path / "silent.mp4")
    told = {
        "empty.wav": "cannot be opened",
        "words.mp3": "cannot be opened",
        "nothing.wav": "no sound can be decoded",
        "none.wav": "cannot be opened",
        "silent.mp4": "which has no sound",
    }
    for name, problem in told.items():
        with pytest.raises(MediaUnreadableError, match=problem):
            open_driver(f"voice:{tmp_path / name}")


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        pytest.param("none.wav", "cannot be opened", marks=pytest.mark.thorough),
        ("mic", "Use `facepuppet run`"),
        ("say", "reads out live"),
        ("say:lines.txt", "write a sound file first"),
        ("vmc", "Use `facepuppet run`"),
        ("voice:", "expected voice:FILE"),
    ],
)
def test_render_tells_in_one_clear_line_what_does_not_drive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str, problem: str
) -> None:
    out = tmp_path / "out.mp4"
    show = ("render", "--avatar", str(sample_portrait_path()), "--right", "public-domain")
    status, _, err = run(capsys, *show, "--driver", word, "--output", str(out))
    assert status == 2 and not out.exists()
    assert problem in one_line(err)


def test_the_sound_goes_along_in_step_to_the_sample_and_the_mouth_moves_with_it(tmp_path: Path) -> None:
    """The pictures' times are the driver's; a recording beside them tells what they show."""
    sound = talk(44_100)
    at = [round(one * 44_100) for one in (0.7, 0.9)]
    sound[at] = 0.95
    path = write_wav(tmp_path / "a.wav", sound, 44_100)
    composer = Composer(avatar(), (256, 144), label=Corner.OFF)
    take = tmp_path / "a.npz"
    stats = render_video(path, tmp_path / "a.mp4", avatar(), composer=composer, recording_to=take, fps=FPS)
    assert stats.frames_out == stats.frames_with_face == 45
    assert "hear" in stats.stages
    with av.open(str(tmp_path / "a.mp4")) as container:
        shown_s = [float(frame.time) for frame in container.decode(video=0)]
    assert shown_s == pytest.approx([i / FPS for i in range(45)], abs=1e-4)
    with av.open(str(tmp_path / "a.mp4")) as container:
        frames = list(container.decode(audio=0))
        assert frames[0].time == 0.0
        played = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
        assert container.duration is not None
        assert container.duration / av.time_base == pytest.approx(1.5, abs=1 / FPS)
    for click in at:
        near = np.abs(played[click - 2000 : click + 2000])
        assert abs(int(near.argmax()) - 2000) <= 2
    with RecordedDriver(take) as recorded:
        jaws = [jaw(one) for one in iter(recorded.read, None)]
    assert np.flatnonzero(np.array(jaws) > SHUT)[0] / FPS == pytest.approx(0.5, abs=0.1)


def test_a_film_lends_its_voice_and_its_sound(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", [0.0, 0.4, 0.8])
    composer = Composer(avatar(), (256, 144), label=Corner.OFF)
    stats = render_video(f"voice:{path}", tmp_path / "o.mkv", avatar(), composer=composer, fps=10.0)
    assert stats.frames_out == 10
    assert onsets(heard(tmp_path / "o.mkv")) == onsets(heard(path))
    with pytest.raises(FacepuppetError, match="both input and output"):
        render_video(f"voice:{path}", path, avatar(), composer=composer)


def test_manner_reaches_the_face(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", talk())
    full = max(map(jaw, spoken(path)))
    half = max(map(jaw, spoken(path, manner=VoiceManner(intensity=0.5))))
    assert half == pytest.approx(full / 2, rel=0.05)
    assert max(map(jaw, spoken(path, manner=VoiceManner(intensity=0.0, region=Region.MOUTH)))) == 0.0


@pytest.mark.parametrize(
    ("words", "manner"),
    [
        (("natural", "shoulders", 1.0, "off"), VoiceManner()),
        (("still", "mouth", 0.5, "on"), VoiceManner(0.0, Region.MOUTH, 0.5, emotion=True)),
        (("1.5", "head", 2.0, "0.6, -1"), VoiceManner(1.5, Region.HEAD, 2.0, emotion=True, mood=(0.6, -1.0))),
    ],
)
def test_the_options_of_a_voice(words: tuple[str, str, float, str], manner: VoiceManner) -> None:
    assert voice_manner(*words) == manner
    assert set(REGION_WORDS) == {region.value for region in Region}


@pytest.mark.parametrize(
    "words",
    [
        *[("nan", "face", 1.0, "off"), ("3", "face", 1.0, "off"), ("wild", "face", 1.0, "off")],
        *[("calm", "nose", 1.0, "off"), ("calm", "face", math.nan, "off"), ("calm", "face", 2.5, "off")],
        *[("calm", "face", 1.0, "glad"), ("calm", "face", 1.0, "0.5"), ("calm", "face", 1.0, "2,0")],
    ],
)
def test_what_is_no_manner_is_told(words: tuple[str, str, float, str]) -> None:
    with pytest.raises(typer.BadParameter, match=r"got .*, expected"):
        voice_manner(*words)


def test_close_ends_it_and_lets_go_of_the_file(tmp_path: Path) -> None:
    driver = VoiceFileDriver(write_wav(tmp_path / "a.wav", talk()), FPS)
    assert driver.read() is not None
    driver.close()
    driver.close()
    assert driver.read() is None
    with pytest.raises(MediaUnreadableError, match="cannot be opened"):
        VoiceFileDriver(tmp_path / "b.wav")
