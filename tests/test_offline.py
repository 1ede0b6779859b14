"""Rendering recordings: order, times, sound, the driver at rest, and bad input."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
import pytest
from compare import CODEC, EXACT, assert_pictures_equal, compare
from pictures import nearest
from scripted_faces import tracking_at

from facepuppet.core.errors import MediaUnreadableError, NoDriverFaceError, OutputUnwritableError
from facepuppet.core.types import U8, Frame
from facepuppet.drivers.camera.profile import most_neutral
from facepuppet.drivers.camera.tracking import Tracking
from facepuppet.drivers.scripted import Performance
from facepuppet.frames.cpu.compose import Composer, Corner
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.load import load_avatar, sample_portrait_path
from facepuppet.session.offline import Neutral, render_video
from facepuppet.session.puppet import Puppet
from facepuppet.watermark import Marked

CANVAS = (256, 144)
LEAK = (255, 0, 255)


class IndexedTracker:
    """Reads the frame's number from its brightness and sees the performance at that moment."""

    def __init__(self, faces: range = range(1000)) -> None:
        self._piece, self._faces = Performance(8.0), faces
        self.seen: list[int] = []

    def track(self, frame: Frame) -> Tracking:
        self.seen.append(frame.frame_id)
        seen = tracking_at(frame.frame_id / 10.0, frame.frame_id, self._piece)
        face = seen.face if frame.frame_id in self._faces else None
        return Tracking(face, seen.torso, seen.image_size_px, frame.frame_id, frame.captured_ns)

    def close(self) -> None:
        pass


@lru_cache(maxsize=1)
def avatar() -> Avatar:
    return load_avatar(sample_portrait_path())


def composer() -> Composer:
    return Composer(avatar(), CANVAS, label=Corner.OFF)


def write_video(path: Path, times_s: Sequence[float], *, sound: bool = False) -> Path:
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=30)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        if sound:
            audio = container.add_stream("aac", rate=48_000)
            audio.codec_context.layout = "mono"
            tone = np.sin(np.arange(48_000) * 0.05).astype(np.float32)[None, :]
            heard = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            heard.sample_rate = 48_000
            container.mux(audio.encode(heard))
            container.mux(audio.encode(None))
        for time_s in times_s:
            picture = av.VideoFrame.from_ndarray(np.full((64, 96, 3), LEAK, np.uint8), format="rgb24")
            picture.pts, picture.time_base = round(time_s * 1000), Fraction(1, 1000)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
    return path


def read_video(path: Path) -> tuple[list[float], list[np.ndarray]]:
    with av.open(str(path)) as container:
        frames = [(float(f.time), f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    return [t for t, _ in frames], [rgb for _, rgb in frames]


def test_every_frame_in_order_with_its_own_time(tmp_path: Path) -> None:
    times = [0.0, 0.033, 0.1, 0.15, 0.4, 0.433, 0.9]
    source = write_video(tmp_path / "in.mp4", times)
    tracker = IndexedTracker()
    stats = render_video(source, tmp_path / "out.mp4", avatar(), composer=composer(), tracker=tracker)
    told, pictures = read_video(tmp_path / "out.mp4")
    assert tracker.seen == list(range(7))
    assert told == pytest.approx(times, abs=0.002)
    assert (stats.frames_in, stats.frames_out, stats.frames_with_face) == (7, 7, 7)
    assert min(nearest(rgb, LEAK) for rgb in pictures) > 60


def test_sound_is_carried_over(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", np.arange(30) / 30.0, sound=True)
    render_video(source, tmp_path / "out.mp4", avatar(), composer=composer(), tracker=IndexedTracker())
    with av.open(str(tmp_path / "out.mp4")) as container:
        heard = sum(frame.samples for frame in container.decode(audio=0))
    assert heard / 48_000 == pytest.approx(1.0, abs=0.1)


def test_a_face_that_leaves_and_returns_is_bridged(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", np.arange(60) / 30.0)

    class Visitor(IndexedTracker):
        def track(self, frame: Frame) -> Tracking:
            tracking = super().track(frame)
            gone = 10 <= frame.frame_id < 50
            return Tracking(None if gone else tracking.face, None, *_rest(tracking))

    stats = render_video(source, tmp_path / "out.mp4", avatar(), composer=composer(), tracker=Visitor())
    _, pictures = read_video(tmp_path / "out.mp4")
    assert (stats.frames_out, stats.frames_with_face) == (60, 20)
    held, rested = (compare(pictures[i], pictures[9]).mean for i in (11, 49))
    assert held < rested, "held at first, then eased to rest"


def _rest(tracking: Tracking) -> tuple[tuple[int, int], int, int]:
    return tracking.image_size_px, tracking.frame_id, tracking.captured_ns


def test_no_face_at_all_is_one_error_and_no_file(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", np.arange(5) / 30.0)
    for neutral in Neutral:
        with pytest.raises(NoDriverFaceError, match=r"in\.mp4"):
            render_video(
                source,
                tmp_path / "out.mp4",
                avatar(),
                composer=composer(),
                neutral=neutral,
                tracker=IndexedTracker(faces=range(0)),
            )
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_a_failure_half_way_leaves_no_file(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", np.arange(5) / 30.0)

    class Broken(IndexedTracker):
        def track(self, frame: Frame) -> Tracking:
            if frame.frame_id == 3:
                raise RuntimeError("told to fail")
            return super().track(frame)

    with pytest.raises(RuntimeError, match="told to fail"):
        render_video(source, tmp_path / "out.mp4", avatar(), composer=composer(), tracker=Broken())
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_auto_tracks_once_and_rests_at_the_calmest_frame(tmp_path: Path) -> None:
    """The calmest frame shows the portrait at rest, as frames without a face do."""
    source = write_video(tmp_path / "in.mp4", np.arange(60) / 30.0)
    tracker, phases = IndexedTracker(range(20, 60)), []
    render_video(
        source,
        tmp_path / "out.mp4",
        avatar(),
        composer=composer(),
        neutral=Neutral.AUTO,
        tracker=tracker,
        progress=lambda phase, done, total: phases.append((phase, done)),
    )
    assert tracker.seen == list(range(60))
    piece = Performance(8.0)
    calmest = 20 + most_neutral([tracking_at(i / 10.0, i, piece) for i in range(20, 60)])
    _, pictures = read_video(tmp_path / "out.mp4")
    away = [compare(picture, pictures[0]).mean for picture in pictures[30:]]
    assert calmest >= 30 and away[calmest - 30] < 0.5 * max(away)
    assert phases[0] == ("tracking", 1) and phases[59] == ("tracking", 60) and phases[-1] == ("rendering", 60)


def test_a_recording_plays_back_to_the_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same pictures, mark included, whether the driver is a video or its recording."""
    shown: list[U8] = []
    show = Puppet.show
    monkeypatch.setattr(Puppet, "show", lambda puppet, e: _kept(show(puppet, e), shown))
    source, take = write_video(tmp_path / "in.mp4", np.arange(6) / 30.0), tmp_path / "take.npz"
    tracker = IndexedTracker(range(2, 6))
    first = render_video(
        source, tmp_path / "1.mp4", avatar(), composer=composer(), recording_to=take, tracker=tracker
    )
    again = render_video(take, tmp_path / "2.mp4", avatar(), composer=composer())
    for given, truth in zip(shown[6:], shown[:6], strict=True):
        assert_pictures_equal(given, truth, EXACT)
    assert len({rgb.tobytes() for rgb in shown}) > 2
    assert (first.frames_out, first.frames_with_face) == (again.frames_out, again.frames_with_face) == (6, 4)
    assert read_video(tmp_path / "1.mp4")[0] == read_video(tmp_path / "2.mp4")[0]


def _kept(marked: Marked, shown: list[U8]) -> Marked:
    shown.append(marked.rgb)
    return marked


def test_portrait_canvas_keeps_the_portraits_size(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", np.arange(3) / 30.0)
    own = Composer(avatar(), None, label=Corner.OFF)
    render_video(source, tmp_path / "out.mp4", avatar(), composer=own, tracker=IndexedTracker())
    _, pictures = read_video(tmp_path / "out.mp4")
    # The first frame is the neutral.
    assert_pictures_equal(pictures[0], avatar().portrait_rgb, CODEC.but(mean=6))


def test_the_input_is_never_overwritten(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", [0.0])
    before = source.read_bytes()
    with pytest.raises(OutputUnwritableError, match="both input and output"):
        render_video(source, source, avatar(), composer=composer(), tracker=IndexedTracker())
    assert source.read_bytes() == before


def test_missing_input_and_unwritable_output_are_clear(tmp_path: Path) -> None:
    with pytest.raises(MediaUnreadableError):
        render_video(tmp_path / "none.mp4", tmp_path / "out.mp4", avatar(), tracker=IndexedTracker())
    source = write_video(tmp_path / "in.mp4", [0.0])
    with pytest.raises(OutputUnwritableError):
        render_video(source, tmp_path / "no" / "out.mp4", avatar(), tracker=IndexedTracker())
    with pytest.raises(OutputUnwritableError):
        render_video(source, tmp_path / "out.txt", avatar(), tracker=IndexedTracker())


@pytest.mark.shared
@pytest.mark.slow
def test_a_real_clip_drives_the_portrait(shared: Path, tmp_path: Path) -> None:
    clip = shared / "clips" / "grid_bbaf2n.mp4"
    stats = render_video(clip, tmp_path / "out.mp4", avatar(), neutral=Neutral.AUTO)
    times, _ = read_video(tmp_path / "out.mp4")
    assert times == pytest.approx(read_video(clip)[0], abs=0.002)
    assert stats.frames_with_face == stats.frames_in
