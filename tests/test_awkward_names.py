"""Names that FFmpeg would take for addresses, and names as long as a folder bears."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import marked
from PIL import Image
from program import one_line, run
from test_media_video import read_all, write_video
from test_sinks_video import SIZE_PX, write_sound

from calibrate.commands.driver import driver
from calibrate.outputs import check_pack_target, save_finished
from facepuppet.core.errors import OutputUnwritableError
from facepuppet.core.files import write_whole
from facepuppet.drivers.recorded import RecordedDriver
from facepuppet.drivers.recording_writer import RecordingWriter
from facepuppet.drivers.scripted import ScriptedDriver
from facepuppet.media import load_picture
from facepuppet.media.video_reader import open_media_file
from facepuppet.sinks import Sink, open_sink
from facepuppet.watermark import detect
from facepuppet.watermark.provenance import read_provenance

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows forbids colons in names")
COLONS = ["2024-11-28T12:30:01.mp4", "concat:a|b.mp4", "http:a.mp4"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a name with a folder before it has no protocol


@pytest.mark.parametrize("name", COLONS)
def test_a_video_is_read_whatever_its_name(name: str) -> None:
    write_video(Path("plain.mp4"), [0, 40, 80])
    Path("plain.mp4").rename(name)
    assert len(read_all(Path(name))) == 3


@pytest.mark.parametrize("name", COLONS)
def test_a_sink_writes_sound_and_manifest_whatever_the_names(name: str) -> None:
    write_sound(Path("plain.m4a"), "aac")
    Path("plain.m4a").rename("1:2.m4a")
    with open_sink(name, SIZE_PX, 25, audio_from=Path("1:2.m4a")) as sink:
        for number in range(5):
            sink.send(marked(frame_id=number))
    assert len(read_all(Path(name))) == 5
    with open_media_file(Path(name)) as media:
        assert media.streams.audio
    provenance = read_provenance(Path(name))
    assert provenance is not None
    assert provenance.intact
    assert {path.name for path in Path.cwd().iterdir()} == {name, "1:2.m4a"}


def test_the_detector_reads_them_too() -> None:
    with open_sink("12:30.mp4", SIZE_PX, 25) as sink:
        sink.send(marked())
    assert detect("12:30.mp4").n_frames == 1


def test_a_folder_that_looks_like_an_address_is_a_folder() -> None:
    Path("http:").mkdir()
    Image.new("RGB", (4, 4), (9, 9, 9)).save("http:/grey.png")
    assert np.all(load_picture("http:/grey.png") == 9)


def longest(ending: str) -> Path:
    """A name of the 255 bytes that a folder bears, half of them of letters that take two."""
    letters = 255 - len(ending)
    return Path("ö" * (letters // 4) + "x" * (letters - 2 * (letters // 4)) + ending)


def send_one(sink: Sink) -> None:
    with sink:
        sink.send(marked())


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_the_longest_name_is_long_enough_for_a_video(ending: str) -> None:
    send_one(open_sink(longest(ending), SIZE_PX, 25))
    assert [path.name for path in Path.cwd().iterdir()] == [longest(ending).name]
    assert (read_provenance(longest(ending)) is not None) == (ending == ".mp4")


def test_the_longest_name_is_long_enough_for_anything_else() -> None:
    write_whole(longest(".json"), b"{}")
    with RecordingWriter(longest(".npz")) as writer:
        writer.add(ScriptedDriver(1.0, 30.0).read() or pytest.fail("no expression"))
    assert {path.name for path in Path.cwd().iterdir()} == {longest(".json").name, longest(".npz").name}


TOO_LONG = {
    ending: Path("x" * (256 - len(ending)) + ending) for ending in (".mp4", ".npz", ".puppet", ".toml")
}


@pytest.mark.parametrize(
    "begin",
    [
        lambda: open_sink(TOO_LONG[".mp4"], SIZE_PX, 25),
        lambda: RecordingWriter(TOO_LONG[".npz"]),
        lambda: check_pack_target(TOO_LONG[".puppet"]),
        lambda: driver(out=TOO_LONG[".toml"], camera="none.mp4"),
    ],
)
def test_a_longer_name_is_refused_before_the_work(begin: Callable[[], object]) -> None:
    with pytest.raises(OutputUnwritableError, match="too long"):
        begin()
    assert not list(Path.cwd().iterdir())


@pytest.mark.parametrize("option", ["--stats", "--tracking", "--output"])
def test_render_looks_at_all_its_outputs_first(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = {"--avatar": "none.jpg", "--input": "none.mp4", "--output": "out.mp4"}
    words[option] = f"nowhere/out{'.npz' if option == '--tracking' else '.mp4'}"
    status, _, err = run(capsys, "render", *(part for pair in words.items() for part in pair))
    assert status == 2
    assert "nowhere" in one_line(err) and "mkdir" in err


def test_a_finished_video_outlives_the_loss_of_its_name() -> None:
    sink = open_sink("out.mp4", SIZE_PX, 25)
    sink.send(marked())
    Path("out.mp4").mkdir()
    with pytest.raises(OutputUnwritableError, match="kept as 'finished-") as told:
        sink.close()
    sink.abort()
    (kept,) = Path.cwd().glob("finished-*.mp4")
    assert kept.name in str(told.value)
    assert len(read_all(kept)) == 1
    assert len(list(Path.cwd().iterdir())) == 2


def test_a_finished_recording_outlives_the_loss_of_its_name() -> None:
    writer = RecordingWriter(Path("out.npz"))
    writer.add(ScriptedDriver(1.0, 30.0).read() or pytest.fail("no expression"))
    Path("out.npz").mkdir()
    with pytest.raises(OutputUnwritableError, match="kept as 'finished-"):
        writer.close()
    (kept,) = Path.cwd().glob("finished-*.npz")
    assert RecordedDriver(kept).read() is not None


def test_a_finished_pack_is_saved_beside_a_place_that_is_lost() -> None:
    Path("me.puppet").mkdir()
    with pytest.raises(OutputUnwritableError, match="kept as"):
        save_finished(lambda path: write_whole(path, b"minutes of work"), Path("me.puppet"))
    (kept,) = Path.cwd().glob("finished-*.puppet")
    assert kept.read_bytes() == b"minutes of work"
