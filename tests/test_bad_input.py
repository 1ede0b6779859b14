"""Whatever a user hands over ends in one clear sentence and status 2, or in a safe picture."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from bad_files import (
    Make,
    climbing_pack,
    content,
    cut_short,
    driver_rgb,
    folder,
    manifest,
    npy,
    npy_of,
    one_pixel_pack,
    pack_with,
    picture_of,
    png_bomb,
    png_of,
    video_of,
    zip_bomb,
)
from pictures import hopper_rgb, nearest
from PIL import Image
from program import one_line, run

from facepuppet.media.webcam import Webcam
from facepuppet.portrait.consent.sample import sample_consent
from facepuppet.portrait.load import sample_portrait_path

PORTRAIT = str(sample_portrait_path())
RIGHT = sample_consent().sentence()  # what is told at the start
WALL = np.full((300, 300, 3), 110, np.uint8)
LEAK = np.array([255, 0, 255], np.uint8)  # a colour that neither portrait nor background has
NOISE = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
SMALL = np.asarray(Image.fromarray(hopper_rgb()).resize((140, 164)))
TWO = np.concatenate([hopper_rgb(), hopper_rgb()[:, ::-1]], axis=1)
A_SHAPE = b"{'descr': '<f4', 'fortran_order': False, 'shape': ("
NEUTRAL = "schema=1\n[neutral]\neye_opening=[0.3,0.3]\nlandmarks_head=["

PORTRAITS: dict[str, tuple[str, Make, str]] = {
    "no face": ("a.png", picture_of(NOISE), "no human face"),
    "two faces": ("a.png", picture_of(TWO), "2 faces"),
    "a face of 50 pixels": ("a.png", picture_of(SMALL), "at least 64 px"),
    "a face upside down": ("a.png", picture_of(hopper_rgb()[::-1].copy()), "upright"),
    "one pixel": ("a.png", picture_of(WALL[:1, :1]), "no human face"),
    "one row": ("a.png", picture_of(np.zeros((1, 20_000, 3), np.uint8)), "no human face"),
    "text": ("a.png", content(b"hello"), "not a known picture format"),
    "nothing": ("a.png", content(b""), "empty file"),
    "half a PNG": ("a.png", cut_short(picture_of(hopper_rgb())), "damaged"),
    "half a JPEG": ("a.jpg", cut_short(picture_of(hopper_rgb())), "damaged"),
    "a PNG bomb": ("a.png", content(png_bomb()), "at most 60 megapixels"),
    "a drawing": ("a.svg", content(b"<svg/>"), "SVG"),
    "a folder": ("a.png", folder, "not a file"),
    "no file": ("a.png", lambda path: None, "No such file"),
    "text as a pack": ("a.puppet", content(b"hello"), "no intact zip"),
    "a folder as a pack": ("a.puppet", folder, "directory"),
    "a zip bomb": ("a.puppet", zip_bomb, "unpacks to 50 MB"),
    "a pack that climbs": ("a.puppet", climbing_pack, "../../evil"),
    "a pack of one pixel": ("a.puppet", one_pixel_pack, "no face in its picture"),
    "a pack without landmarks": (
        "a.puppet",
        pack_with(landmarks_px_npy=npy_of(np.full((478, 3), 5.0))),
        "no face in its picture",
    ),
    "a pack of wild landmarks": (
        "a.puppet",
        pack_with(landmarks_px_npy=npy_of(np.random.default_rng(0).normal(0, 9e3, (478, 3)))),
        "no face in its picture",
    ),
    "a pack with a torn array": ("a.puppet", pack_with(landmarks_px_npy=npy(A_SHAPE)), "no plain array"),
    "a pack with a vast array": (
        "a.puppet",
        pack_with(landmarks_px_npy=npy(A_SHAPE + b"10000000000000,3)}\n")),
        "no plain array",
    ),
    "a pack with a false digest": (
        "a.puppet",
        pack_with(manifest_json=manifest(source_sha256="../x")),
        "source_sha256",
    ),
    "a pack from the future": ("a.puppet", pack_with(manifest_json=manifest(version=9)), "version '9'"),
}

INPUTS: dict[str, tuple[str, Make, str]] = {
    "no face at all": ("v.mp4", video_of([WALL] * 5), "no frame shows a face"),
    "text": ("v.mp4", content(b"hello " * 99), "cannot be opened"),
    "nothing": ("v.mp4", content(b""), "cannot be opened"),
    "half a video": ("v.mp4", cut_short(video_of([WALL] * 5)), "cannot be opened"),
    "zero frames": ("v.mkv", cut_short(video_of([NOISE] * 5), 0.05), "no decodable video frame"),
    "a playlist of the network": ("v.m3u8", content(b"#EXTM3U\n#EXTINF:5,\nhttp://[::1]:9/x.ts\n"), "opened"),
    "an empty folder": ("v", folder, "no readable image"),
    "a PNG bomb": ("v.png", content(png_bomb()), "no readable image"),
    "no file": ("v.mp4", lambda path: None, "does not exist"),
    "a broken picture": ("v.png", content(png_of(NOISE)[:999]), "no readable image"),
}

PROFILES = {
    "text": "nonsense [[[",
    "nothing": "",
    "a string": 'schema=1\nneutral="x"',
    "nested without end": "a=" + "[" * 50_000,
    "no numbers": NEUTRAL + "[nan,0,0]," * 478 + "]",
    "no extent": NEUTRAL + "[0,0,0]," * 478 + "]",
    "no finite numbers": NEUTRAL + "[1e300,0,0]," * 478 + "]",
    "ragged rows": NEUTRAL + "[1,2],[3]]",
}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr("facepuppet.sinks.virtual_camera.list_virtual_cameras", tuple)


@pytest.fixture
def driver() -> str:
    video_of([driver_rgb(i) for i in range(4)])(Path("driver.mp4"))
    return "driver.mp4"


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run the program, which must refuse in one line and leave nothing behind; returns the line."""
    before = sorted(Path.cwd().rglob("*"))
    status, _, err = run(capsys, *words)
    assert status == 2
    assert sorted(Path.cwd().rglob("*")) == before, "nothing is left behind"
    line = one_line(err)
    assert "unexpected" not in line
    assert "Got " in line and "expected " in line
    return line


def render(portrait: str = PORTRAIT, source: str = "none.mp4", output: str = "out.mp4") -> tuple[str, ...]:
    return "render", "--avatar", portrait, "--input", source, "--output", output, "--canvas", "192x144"


@pytest.mark.parametrize(("name", "make", "said"), PORTRAITS.values(), ids=PORTRAITS.keys())
def test_bad_portraits(name: str, make: Make, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    make(Path(name))
    assert said in refused(capsys, *render(portrait=name))


@pytest.mark.parametrize(("name", "make", "said"), INPUTS.values(), ids=INPUTS.keys())
def test_bad_inputs(name: str, make: Make, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    make(Path(name))
    assert said in refused(capsys, *render(source=name))


@pytest.mark.parametrize("text", PROFILES.values(), ids=PROFILES.keys())
def test_bad_profiles(text: str, driver: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("me.toml").write_text(text)
    assert "me.toml" in refused(capsys, *render(source=driver), "--neutral", "me.toml")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("out.xyz", ".mp4"),
        ("", ".mp4"),
        ("nowhere/out.mp4", "existing folder"),
        ("taken.mp4", "is a folder"),
        ("x" * 300 + ".mp4", "too long"),
        ("driver.mp4", "another input or output"),
        ("./driver.mp4", "another input or output"),
    ],
)
def test_bad_outputs(name: str, said: str, driver: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("taken.mp4").mkdir()
    before = Path(driver).read_bytes()
    assert said in refused(capsys, *render(source=driver, output=name))
    assert Path(driver).read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ("--stats", "driver.mp4"),
        ("--stats", "out.mp4"),
        ("--tracking", "out.mp4"),
        ("--stats", "x", "--tracking", "./x"),
    ],
)
def test_outputs_never_replace_what_is_in_use(
    words: tuple[str, ...], driver: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "another input or output" in refused(capsys, *render(source=driver), *words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--camera", "7", "--sink", "a.mp4"), "No camera is connected"),
        (("--camera", "camera:Nobody's", "--sink", "a.mp4"), "Nobody's"),
        (("--camera", "/dev/null", "--sink", "a.mp4"), "/dev/null"),
        (("--camera", "http://127.0.0.1:9/x", "--sink", "a.mp4"), "refused"),
        (("--camera", "driver.mp4"), "v4l2loopback"),
        (("--camera", "driver.mp4", "--sink", "window"), "no display"),
        (("--camera", "driver.mp4", "--sink", "driver.mp4"), "another input or output"),
        (("--camera", "driver.mp4", "--sink", "a.mp4", "--sink", "a.mp4"), "another input or output"),
        (("--camera", "driver.mp4", "--sink", "a.mp4", "--sink", "window"), "no display"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere OpenCV only finds out by opening cameras")
def test_bad_runs(
    words: tuple[str, ...],
    said: str,
    driver: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(Webcam.__init__.__kwdefaults__, "cameras", tuple)
    assert said in refused(capsys, "run", "--avatar", PORTRAIT, *words)


@pytest.mark.parametrize(
    "words",
    [
        *(("run", "--avatar", PORTRAIT, "--seconds", amount) for amount in ("0", "-1", "nan", "inf")),
        *(("run", "--avatar", PORTRAIT, "--fps", amount) for amount in ("0", "nan", "1000")),
        *(
            (*render(), "--canvas", size)
            for size in ("", "0x0", "-1x5", "1280", "9999x9999", "1e9x1e9", "²x²")
        ),
        *(("demo", "--seconds", amount) for amount in ("0", "nan", "1e9")),
        ("bench", "--seconds", "nan"),
        ("detect", PORTRAIT, "--seconds", "nan"),
        ("record", "--output", "take.npz", "--seconds", "nan"),
        ("run", "--avatar", PORTRAIT, "--label-every", "nan"),
    ],
    ids=lambda words: " ".join(words[-2:]),
)
def test_absurd_numbers(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, *words)
    assert status == 2
    assert "Invalid value" in err and "Traceback" not in err


@pytest.mark.parametrize("word", ["", "nonsense", "#zzz", "x" * 5000, "bomb.png", "text.png"])
def test_bad_backgrounds(word: str, driver: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bomb.png").write_bytes(png_bomb())
    Path("text.png").write_bytes(b"hello")
    refused(capsys, *render(source=driver), "--background", word)


@pytest.mark.parametrize("name", [name for name in INPUTS if name not in ("no face at all", "a PNG bomb")])
def test_garbage_is_neither_marked_nor_not(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    file, make, _ = INPUTS[name]
    make(Path(file))
    status, out, err = run(capsys, "detect", file, "--json")
    assert status == 2
    told = json.loads(out)
    assert told["marked"] is None and "expected" in told["error"]
    assert "Traceback" not in err


def test_json_is_json_when_it_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise OSError(5, "Input/output error", "/dev/video0")

    monkeypatch.setattr("facepuppet.media.devices.list_cameras", broken)
    status, out, err = run(capsys, "devices", "--json")
    assert status == 2
    assert "/dev/video0" in json.loads(out)["error"] == one_line(err)


SEEN = [driver_rgb(i, wall=LEAK) for i in range(6)]
EMPTY = np.broadcast_to(LEAK, SEEN[0].shape).copy()
ODD_VIDEOS = {
    "one frame": (SEEN[:1], None),
    "odd sides": ([driver_rgb(i, (255, 255), LEAK) for i in range(3)], None),
    "a face that leaves and returns": (SEEN[:3] + [EMPTY] * 30 + SEEN[3:], None),
    "times that jump": (SEEN, [0, 33, 40, 900, 901, 3000]),
    "two people": ([np.concatenate([SEEN[0], rgb], axis=1) for rgb in SEEN[:4]], None),
    "face in the first frame only": ([*SEEN[:1], *[EMPTY] * 9], None),
}


@pytest.mark.parametrize(("pictures", "times_ms"), ODD_VIDEOS.values(), ids=ODD_VIDEOS.keys())
def test_odd_videos_become_safe_pictures(
    pictures: list[np.ndarray], times_ms: list[int] | None, capsys: pytest.CaptureFixture[str]
) -> None:
    video_of(pictures, times_ms)(Path("odd.mp4"))
    status, _, err = run(capsys, *render(source="odd.mp4"), "--no-label")
    assert (status, err.strip()) == (0, RIGHT)
    with av.open("out.mp4") as video:
        shown = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert len(shown) == len(pictures)
    assert min(nearest(rgb, LEAK) for rgb in shown) > 60, "the driver's room is not seen"


def test_a_fresh_render_says_nothing_but_its_result(driver: str) -> None:
    """Analysis, tracking and rendering in a process of their own: MediaPipe's chatter stays inside."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(Path("cache").absolute())}
    done = subprocess.run(
        [sys.executable, "-c", "from facepuppet.cli import main; main()", *render(source=driver)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert (done.returncode, done.stderr.strip()) == (0, RIGHT)
    assert done.stdout.startswith("out.mp4: 4 frames")


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize("stop", [pytest.param("SIGINT", marks=pytest.mark.thorough), "SIGTERM"])
def test_stopped_in_the_middle_nothing_stays(stop: str) -> None:
    Path("frames").mkdir()
    Path("written").mkdir()
    picture_of(driver_rgb())(Path("frames/0.png"))
    for i in range(1, 600):
        Path(f"frames/{i}.png").symlink_to("0.png")
    words = render(source="frames", output="written/out.mp4")
    program = subprocess.Popen(
        [sys.executable, "-c", "from facepuppet.cli import main; main()", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(Path("written").iterdir()):
        assert program.poll() is None, program.communicate()
        time.sleep(0.02)
    program.send_signal(getattr(signal, stop))
    _, err = program.communicate(timeout=60)
    assert program.returncode == 130
    assert "Traceback" not in err
    assert not list(Path("written").iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
@pytest.mark.parametrize("order", [("good.mp4", "full.mp4"), ("full.mp4", "good.mp4")])
def test_a_full_disk_under_one_output_does_not_cost_the_other(
    order: tuple[str, str], driver: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "facepuppet.sinks.video_file.temporary_beside",
        lambda path, ending="": Path(f".{path.stem}.part{ending}"),
    )
    Path(".full.part.mp4").symlink_to("/dev/full")
    sinks = [word for name in order for word in ("--sink", name)]
    status, _, err = run(
        capsys, "run", "--avatar", PORTRAIT, "--camera", driver, *sinks, "--canvas", "192x144"
    )
    assert status == 2
    assert "No space left" in one_line(err)
    assert not Path("full.mp4").exists()
    with av.open("good.mp4") as video:
        assert next(video.decode(video=0)).width == 192
