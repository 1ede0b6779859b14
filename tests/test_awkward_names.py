"""Names that FFmpeg would take for addresses, and names as long as a folder bears."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from fakes import marked
from PIL import Image
from test_media_video import read_all, write_video
from test_sinks_video import SIZE_PX, write_sound

from facepuppet.media import load_picture
from facepuppet.sinks import open_sink
from facepuppet.sinks.audio_track import has_audio
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
    assert has_audio(Path(name))
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
