"""The program as a user meets it: words in, files and one-line errors out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from compare import Tolerance, assert_pictures_differ
from fakes import wait_until
from PIL import Image
from program import one_line, run

from facepuppet.cli import main
from facepuppet.cli.options import camera_word
from facepuppet.core.types import Expression
from facepuppet.drivers.recording_reader import RecordingReader
from facepuppet.portrait.load import sample_portrait_path
from facepuppet.session.puppet import Puppet
from facepuppet.watermark import Marked

PORTRAIT = str(sample_portrait_path())


@pytest.fixture(scope="module")
def performance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `facepuppet demo` wrote: a folder, whose video is also a driver with a real face."""
    folder = tmp_path_factory.mktemp("cli") / "demo"
    with pytest.raises(SystemExit) as left:
        main(["demo", "--out", str(folder), "--seconds", "1.5"])
    assert left.value.code in (0, None)
    return folder


def test_help_names_every_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from facepuppet.cli import main; main()", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for command in ("demo", "run", "render", "detect", "devices", "doctor", "bench", "style"):
        assert command in done.stdout


@pytest.mark.parametrize("command", ["demo", "run", "render", "detect", "devices", "doctor", "bench"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, command, "--help")
    assert status == 0
    assert "--help" in out


def test_demo_writes_video_sheet_and_stats(performance: Path) -> None:
    for name in ("demo.mp4", "demo-collins.mp4"):
        with av.open(str(performance / name)) as video:
            frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
        assert (len(frames), frames[0].shape) == (45, (720, 1280, 3))
        assert_pictures_differ(frames[20], frames[0], Tolerance(most=60))  # the puppet moves
    with Image.open(performance / "sheet.png") as sheet:
        assert sheet.width > 1000
    stats = json.loads((performance / "stats.json").read_text())["demo.mp4"]
    assert stats["frames_out"] == 45
    assert {"retarget", "render", "compose", "mark", "sink"} == set(stats["stages"])
    assert set(stats["networks"]) == {"mouth", "eye"} and not stats["fallbacks"]


def test_demo_is_marked(performance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "detect", str(performance / "demo.mp4"), "--json")
    assert status == 0
    assert json.loads(out)["marked"] is True


def test_render_follows_a_real_face(
    performance: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(
        capsys,
        *("render", "--avatar", PORTRAIT, "--input", str(performance / "demo.mp4")),
        *("--output", str(tmp_path / "out.mp4"), "--canvas", "320x180", "--no-label", "--neutral", "auto"),
        *("--stats", str(tmp_path / "stats.json"), "--tracking", str(tmp_path / "seen.npz")),
    )
    assert status == 0
    assert "45 frames" in out
    stats = json.loads((tmp_path / "stats.json").read_text())
    assert stats["frames_with_face"] == stats["frames_out"] == 45
    assert np.load(tmp_path / "seen.npz")["frames_000000"]["offsets"].shape == (45, 478, 3)
    with av.open(str(tmp_path / "out.mp4")) as video:
        assert (video.streams.video[0].width, video.streams.video[0].height) == (320, 180)


@pytest.mark.thorough
def test_what_is_recorded_plays_live_and_offline(
    performance: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take = str(tmp_path / "take.npz")
    status, _, err = run(capsys, "record", "--camera", str(performance / "demo.mp4"), "--output", take)
    assert status == 0 and "45 expressions, 45 with a face" in err
    played = {
        "render": ("--input", take, "--output", str(tmp_path / "a.mp4")),
        "run": ("--camera", take, "--sink", str(tmp_path / "b.mp4"), "--tracking", str(tmp_path / "c.npz")),
    }
    for command, words in played.items():
        status, _, err = run(capsys, command, "--avatar", PORTRAIT, "--canvas", "320x180", *words)
        assert status == 0, err
    assert RecordingReader(tmp_path / "c.npz").n_frames == 45


def test_nobody_to_record_is_one_line_and_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "wall.png")
    for camera, words in (("wall.png", "no frame shows a face"), ("none.npz", "No such file")):
        status, _, err = run(
            capsys, "record", "--camera", str(tmp_path / camera), "--output", str(tmp_path / "a.npz")
        )
        assert status == 2 and words in err and len(err.strip().splitlines()) <= 2
    assert [path.name for path in tmp_path.iterdir()] == ["wall.png"]


def test_run_plays_a_file_into_a_file(
    performance: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = run(
        capsys,
        *("run", "--avatar", PORTRAIT, "--camera", str(performance / "demo.mp4"), "--seconds", "4"),
        *("--sink", str(tmp_path / "live.mp4"), "--canvas", "320x180", "--stats", str(tmp_path / "s.json")),
    )
    assert status == 0, err
    stats = json.loads((tmp_path / "s.json").read_text())
    assert stats["frames_in"] == 45
    assert stats["frames_out"] > 0
    assert stats["latency"]["n"] == stats["frames_out"]
    assert (tmp_path / "live.mp4").stat().st_size > 1000


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("camera", "told"), [("demo.mp4", True), pytest.param("script", False, marks=pytest.mark.thorough)]
)
def test_a_source_that_is_slower_than_the_output_is_told(
    performance: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], camera: str, told: bool
) -> None:
    film, source = tmp_path / "sixty.mkv", str(performance / camera) if told else camera
    status, _, err = run(
        capsys,
        *("run", "--avatar", PORTRAIT, "--camera", source, "--seconds", "1.5", "--sink", str(film)),
        *("--canvas", "320x180", "--fps", "60", "--quality", "low", "--stats", str(tmp_path / "s.json")),
    )
    assert status == 0, err
    assert ("The source gives 30 frames a second: of the 60 that go out" in err) is told
    assert "; quality low" in err
    assert json.loads((tmp_path / "s.json").read_text())["quality"] == "low"
    with av.open(str(film)) as video:
        assert video.streams.video[0].guessed_rate == 60


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_crash_keeps_the_recording_so_far(
    performance: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was shown until a stage failed is a finished file, and the failure is told."""
    start, shown = Puppet.start, []

    def failing(puppet: Puppet, expression: Expression) -> Callable[[], Marked]:
        shown.append(expression)
        if len(shown) > 5:  # few, for a busy machine drops most
            raise RuntimeError("told to fail")
        return start(puppet, expression)

    monkeypatch.setattr(Puppet, "start", failing)
    out = tmp_path / "live.mp4"
    status, _, err = run(
        capsys,
        *("run", "--avatar", PORTRAIT, "--camera", f"loop:{performance / 'demo.mp4'}", "--seconds", "60"),
        *("--sink", str(out), "--canvas", "320x180"),
    )
    assert status == 2
    assert "told to fail" in err
    with av.open(str(out)) as video:
        assert sum(1 for _ in video.decode(video=0)) > 0


@pytest.mark.parametrize(
    "stop",
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.thorough)],  # test_bad_input has the other
)
def test_a_stopped_run_leaves_a_finished_file(tmp_path: Path, stop: signal.Signals) -> None:
    faces = tmp_path / "faces"
    faces.mkdir()
    with Image.open(PORTRAIT) as portrait:
        portrait.reduce(2).save(faces / "0000.jpg")
    for i in range(1, 2000):
        (faces / f"{i:04}.jpg").symlink_to(faces / "0000.jpg")
    words = ["run", "--avatar", PORTRAIT, "--camera", str(faces), "--sink", str(tmp_path / "live.mp4")]
    program = [sys.executable, "-c", "from facepuppet.cli import main; main()", *words, "--canvas", "320x180"]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        while "→" not in (line := running.stderr.readline()):
            assert line, "ended before it began"
        # What is not empty has a frame in it.
        wait_until(lambda: any(part.stat().st_size for part in tmp_path.glob(".*.part.mp4")))
        running.send_signal(stop)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    assert "frames in" in err and "Traceback" not in err
    with av.open(str(tmp_path / "live.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) > 0


def test_devices_and_doctor_speak_json(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "devices", "--json")
    assert status == 0
    assert set(json.loads(out)) == {"cameras", "virtual_cameras"}
    status, out, _ = run(capsys, "doctor", "--json")
    told = json.loads(out)
    assert status == (0 if told["ok"] else 1)
    assert told["ok"], told
    assert {"python", "packages", "networks", "virtual camera", "gpu", "cache folder"} <= {
        check["name"] for check in told["checks"]
    }
    assert all(check["mend"] for check in told["checks"] if check["verdict"] != "ok")


def test_doctor_speaks_plainly(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "doctor")
    assert "ok    python" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "--avatar", "none.jpg", "--sink", "out.mp4"), "none.jpg"),
        (("run", "--avatar", PORTRAIT, "--camera", "none.mp4", "--sink", "out.mp4"), "none.mp4"),
        (("run", "--avatar", PORTRAIT, "--camera", "No Such Camera", "--sink", "out.mp4"), "No Such Camera"),
        (("run", "--avatar", PORTRAIT, "--camera", "987"), "987"),
        (("run", "--avatar", PORTRAIT, "--profile", "none.toml"), "none.toml"),
        (("run", "--avatar", PORTRAIT, "--background", "none.png"), "none.png"),
        (("render", "--avatar", PORTRAIT, "--input", "none.mp4", "--output", "out.mp4"), "none.mp4"),
        (("render", "--avatar", PORTRAIT, "--input", PORTRAIT, "--output", "out.doc"), "out.doc"),
        (("demo", "--out", PORTRAIT), "grace_hopper.jpg"),
    ],
)
def test_errors_are_one_clear_line(
    words: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    status, _, err = run(capsys, *words)
    assert status == 2
    assert said in one_line(err)
    assert not list(tmp_path.iterdir()), "nothing is left behind"


@pytest.mark.parametrize(
    "words",
    [
        ("run",),
        ("nonsense",),
        ("render", "--avatar", PORTRAIT, "--input", "a", "--output", "b", "--canvas", "big"),
        ("render", "--avatar", PORTRAIT, "--input", "a", "--output", "b", "--canvas", "10x10"),
        ("run", "--avatar", PORTRAIT, "--label", "middle"),
        ("run", "--avatar", PORTRAIT, "--quality", "superb"),
        ("run", "--avatar", PORTRAIT, "--fps", "61"),
    ],
)
def test_wrong_usage_is_told_without_a_traceback(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = run(capsys, *words)
    assert status == 2
    assert "Traceback" not in err


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"none\.jpg"):
        main(["run", "--avatar", str(tmp_path / "none.jpg"), "--debug"])


def test_unforeseen_errors_are_one_line_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("told to fail")

    monkeypatch.setattr("facepuppet.media.devices.list_cameras", broken)
    status, _, err = run(capsys, "devices")
    assert status == 2
    assert "ZeroDivisionError: told to fail" in one_line(err)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("0", "0"),
        ("Logitech", "camera:Logitech"),
        ("camera:Logitech", "camera:Logitech"),
        ("rtsp://there/1", "rtsp://there/1"),
        ("talk.mp4", "talk.mp4"),
        (str(Path(__file__).parent), str(Path(__file__).parent)),
    ],
)
def test_camera_words(word: str, meant: str) -> None:
    assert camera_word(word) == meant


@pytest.mark.slow
def test_bench_measures_both_portraits(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "bench", "--seconds", "3", "--json")
    assert status == 0
    told = json.loads(out)
    assert set(told["runs"]) == {"512x512", "1024x1024"}
    for stats in told["runs"].values():
        assert stats["frames_with_face"] > 0
        assert {"track", "render", "mark", "sink"} <= set(stats["stages"])
    for use in told["cpu"].values():
        spent = use["process"]["user_ms"] + use["process"]["system_ms"]
        assert 0 < sum(use["stages_ms"].values()) < spent, "helpers and decoders are in no stage"
        assert use["stages_ms"]["render"] > use["stages_ms"]["smooth"] > 0
