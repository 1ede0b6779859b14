"""Network cameras: what breaks off or falls silent is waited for, and nobody waits for it to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest
from fakes import PATIENCE_S, FakeClock, MemorySink, wait_until
from mjpeg_server import MjpegServer
from test_live import CANVAS, loop
from test_media_video import write_video

from facepuppet.core.errors import CameraMissingError, MediaUnreadableError
from facepuppet.core.types import Frame
from facepuppet.media import open_source
from facepuppet.media.network_source import NetworkSource
from facepuppet.media.patience import Patience

SHORT_S = 5.0  # less than FFmpeg's own patience with a mute network


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    with MjpegServer() as server:
        yield server


def frames_of(source: NetworkSource, n: int) -> list[Frame]:
    frames = [source.read() for _ in range(n)]
    return [frame for frame in frames if frame is not None]


def lines(caplog: pytest.LogCaptureFixture, words: str) -> int:
    return sum(words in record.getMessage() for record in caplog.records)


def assert_going_on(frames: list[Frame]) -> None:
    assert [frame.frame_id for frame in frames] == list(range(len(frames)))
    for before, after in pairwise(frames):
        assert before.captured_ns <= after.captured_ns
        assert before.pts_s is not None and after.pts_s is not None
        assert before.pts_s < after.pts_s


def test_a_network_camera_is_a_live_source(server: MjpegServer) -> None:
    with open_source(server.url) as source:
        assert isinstance(source, NetworkSource)
        assert source.live and source.n_frames is None and source.size_px == (64, 48)
        frames = frames_of(source, 5)
    assert_going_on(frames)
    assert abs(frames[0].rgb.mean() - 100) < 3
    assert source.read() is None


def test_one_that_dies_and_comes_back_is_waited_for(
    server: MjpegServer, caplog: pytest.LogCaptureFixture
) -> None:
    with NetworkSource(server.url) as source:
        frames = frames_of(source, 5)
        server.stop()
        revival = threading.Timer(1.0, server.start)
        revival.start()
        while source.reconnects == 0:  # what was under way comes first
            frames += frames_of(source, 1)
        frames += frames_of(source, 5)
        revival.join()
        assert not source.reconnecting.is_set()
    assert_going_on(frames)
    assert server.connections == 2
    assert (lines(caplog, "lost, trying to reconnect"), lines(caplog, ": back"), len(caplog.records)) == (
        1,
        1,
        2,
    )


def test_one_that_stalls_is_opened_anew(server: MjpegServer, caplog: pytest.LogCaptureFixture) -> None:
    with NetworkSource(server.url, stalled_after_s=0.3) as source:
        frames = frames_of(source, 5)
        server.stalled.set()
        threading.Timer(1.0, server.stalled.clear).start()
        while source.reconnects == 0:
            frames += frames_of(source, 1)
        frames += frames_of(source, 5)
    assert_going_on(frames)
    assert server.connections >= 2
    assert lines(caplog, "lost, trying to reconnect") == 1


def test_one_that_never_comes_back_is_missing(server: MjpegServer) -> None:
    with NetworkSource(server.url, patience_s=0.5) as source:
        server.stop()
        with pytest.raises(CameraMissingError, match=r"gone for 0 s.*Check the camera and the network"):
            frames_of(source, 1000)
        assert source.reconnecting.is_set()


@pytest.mark.parametrize(
    "outage", [MjpegServer.stop, lambda server: server.stalled.set()], ids=["dead", "mute"]
)
def test_close_wakes_a_read_at_once(server: MjpegServer, outage: Callable[[MjpegServer], None]) -> None:
    source = NetworkSource(server.url)
    frames_of(source, 2)
    outage(server)
    reading = threading.Thread(target=lambda: frames_of(source, 1000), daemon=True)
    reading.start()
    threading.Event().wait(0.5)
    assert reading.is_alive()
    closing = threading.Thread(target=source.close, daemon=True)
    closing.start()
    closing.join(SHORT_S)
    reading.join(SHORT_S)
    assert not closing.is_alive() and not reading.is_alive()


def test_the_output_goes_on_while_a_network_camera_is_away(server: MjpegServer) -> None:
    source, sink = NetworkSource(server.url), MemorySink(CANVAS)
    with loop(source, [sink]) as live:
        live.start()
        wait_until(lambda: live.stats().frames_with_face > 5)
        server.stop()
        wait_until(source.reconnecting.is_set)
        tracked, sent = live.stats().frames_tracked, live.stats().frames_out
        wait_until(lambda: live.stats().frames_out > sent + 20)
        server.start()
        wait_until(lambda: live.stats().frames_tracked > tracked + 10)
        server.stalled.set()
        stopping = threading.Thread(target=live.stop, daemon=True)
        stopping.start()
        stopping.join(SHORT_S)
        assert not stopping.is_alive()
    live.raise_if_failed()


def test_a_recording_by_url_ends_where_it_ends(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mkv", [40 * n for n in range(12)])

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with open_source(f"http://127.0.0.1:{server.server_address[1]}/clip.mkv") as source:
            assert not source.live
            frames = [frame for frame in iter(source.read, None) if frame is not None]
        assert source.read() is None
        with pytest.raises(MediaUnreadableError, match="cannot be opened"):
            open_source(f"http://127.0.0.1:{server.server_address[1]}/nothing.mkv")
        server.shutdown()
    assert [frame.pts_s for frame in frames] == pytest.approx([0.04 * n for n in range(12)], abs=1e-3)


def test_one_that_comes_and_goes_is_asked_no_faster_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    clock, asked_ns = FakeClock(), []
    patience = Patience("camera", clock, threading.Event(), PATIENCE_S)

    def back_at_once() -> bool:
        asked_ns.append(clock.now_ns())
        return True

    for _ in range(6):
        assert patience.until_back(back_at_once, lambda: "Wait.")
    gaps_s = [(b - a) * 1e-9 for a, b in pairwise(asked_ns)]
    assert gaps_s == pytest.approx([0.25, 0.5, 0.5, 0.5, 0.5])
    assert len(caplog.records) == 2
    clock.advance_s(60.0)
    lost_ns = clock.now_ns()
    assert patience.until_back(back_at_once, lambda: "Wait.")
    assert asked_ns[-1] == lost_ns
    assert (patience.reconnects, len(caplog.records)) == (7, 4)
