"""`facepuppet engines` and --engine as a user meets them."""

from __future__ import annotations

import hashlib
import json
import threading
import types
from dataclasses import replace
from pathlib import Path

import engine_results
import numpy as np
import onnx
import pytest
from avatars import hopper
from emulated_cuda import needs_compiler
from fake_gpu import Machine
from fakes import PATIENCE_S, MemorySink, StreamingCamera, wait_until
from liveportrait_files import untaught_networks, write_import
from networks import unet, write_manifest
from program import one_line, run
from scripted_faces import tracking_at

from facepuppet.cli.bench_table import table
from facepuppet.cli.options import ENGINE_WORDS, MAKER_WORDS, QUALITY_WORDS, TRACKER_WORDS, engine_line
from facepuppet.core.hardware import describe_hardware
from facepuppet.core.types import Frame
from facepuppet.diagnose import doctor, verify
from facepuppet.diagnose.bench import BenchResult
from facepuppet.diagnose.doctor import Check, Verdict, examine_machine
from facepuppet.drivers.camera.camera_driver import CameraDriver
from facepuppet.drivers.camera.tracking import Tracking
from facepuppet.frames import MAKERS
from facepuppet.frames.cpu.compose import Composer, Corner
from facepuppet.frames.cpu.render import painter
from facepuppet.inference import (
    ENGINES,
    SIGNATURES,
    Runtime,
    liveportrait_folder,
    read_generators,
)
from facepuppet.inference.deviation import Feed
from facepuppet.inference.engine_cache import EngineCache
from facepuppet.inference.manifest import Network, read_manifest, read_verified
from facepuppet.session.ladder import BY_NAME
from facepuppet.session.live import LivePipeline
from facepuppet.session.puppet import Puppet
from facepuppet.vision import TRACKERS

WALL = np.full((180, 320, 3), 90, np.uint8)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest with one network, and an empty engine cache."""
    own = types.SimpleNamespace(user_cache_dir=lambda *name, **options: str(tmp_path / "cache"))
    monkeypatch.setattr("facepuppet.inference.engine_cache.platformdirs", own)
    return write_manifest(tmp_path / "networks")


@pytest.fixture
def machine(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine.install(monkeypatch, "tensorrt_rtx")
    return machine


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Network, list[Feed]]]:
    """What the networks of a manifest like `folder`'s see in a performance."""
    return list(verify.record(write_manifest(tmp_path_factory.mktemp("tape"))))


def engines(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> tuple[int, str, str]:
    return run(capsys, "engines", *words, "--networks", str(folder))


def states(capsys: pytest.CaptureFixture[str], folder: Path) -> list[str]:
    _, out, _ = engines(capsys, folder, "list", "--json")
    return sorted(entry["state"] for entry in json.loads(out))


def test_the_words_are_the_engines() -> None:
    assert ("auto", *ENGINES) == ENGINE_WORDS
    assert TRACKERS == TRACKER_WORDS
    assert MAKERS == MAKER_WORDS
    assert ("auto", *BY_NAME) == QUALITY_WORDS


def test_build_list_clean(machine: Machine, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = engines(capsys, folder, "build")
    assert status == 0 and "sm89" in out and "fp16" in out
    assert machine.builds == 1
    status, out, _ = engines(capsys, folder, "build", "--for", "SM86, sm120,sm86,sm89", "--json")
    assert status == 0
    assert [(o["target"], o["seconds"] > 0) for o in json.loads(out)] == [
        ("sm86", True),
        ("sm120", True),
        ("sm89", False),
    ], "what is there is not built again"
    assert states(capsys, folder) == ["for another machine", "for another machine", "ready"]
    _, out, _ = engines(capsys, folder, "clean")
    assert "0 files deleted" in out
    _, out, _ = engines(capsys, folder, "clean", "--all")
    assert "3 files deleted" in out
    assert states(capsys, folder) == []


def test_anew_and_fp32(machine: Machine, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engines(capsys, folder, "build")
    _, out, _ = engines(capsys, folder, "build", "--anew", "--fp32")
    assert "fp32" in out
    engines(capsys, folder, "build", "--anew")
    assert machine.builds == 3


def test_what_is_damaged_foreign_or_stale_is_told_and_cleaned(
    machine: Machine, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engines(capsys, folder, "build", "--for", "sm80,sm86,sm89")
    first, second, _ = sorted(EngineCache().folder.iterdir())
    first.write_bytes(first.read_bytes()[:-9])
    second.rename(second.with_name("renamed.engine"))
    assert states(capsys, folder) == ["damaged", "ready", "stale"]
    _, out, _ = engines(capsys, folder, "clean")
    assert "2 files deleted" in out
    assert states(capsys, folder) == ["ready"]
    write_manifest(folder, unet(seed=3))
    assert states(capsys, folder) == ["stale"], "its network was replaced"
    write_manifest(folder)
    machine.install(monkeypatch, "tensorrt_rtx", version="1.8.0")
    assert states(capsys, folder) == ["stale"], "its TensorRT was replaced"
    status, out, _ = engines(capsys, folder, "build")
    assert status == 0 and machine.builds == 4
    assert states(capsys, folder) == ["ready", "stale"]


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An import of tiny networks, in the user's data folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return write_import(liveportrait_folder(), untaught_networks())


def test_engines_of_an_import_are_listed_and_kept(
    machine: Machine, folder: Path, imported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Runtime("tensorrt-rtx").open_alone(read_generators()["lips"], "tensorrt-rtx")
    assert states(capsys, folder) == ["ready"]
    _, out, _ = engines(capsys, folder, "list")
    assert "liveportrait-lips" in out and f"LivePortrait, imported: 1 MB in {imported}" in out
    _, out, _ = engines(capsys, folder, "clean")
    assert "0 files deleted" in out
    (imported / "manifest.toml").unlink()
    assert states(capsys, folder) == ["stale"]


@pytest.mark.thorough
def test_an_import_is_verified_part_by_part(
    imported: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (imported / "manifest.toml").read_text()
    head, _, decoder = text.partition('name = "liveportrait-decoder"')
    (imported / "manifest.toml").write_text(
        head + 'name = "liveportrait-decoder"' + decoder.replace('"fp32"', '"fp16"', 1)
    )
    monkeypatch.setattr(verify, "record", lambda folder: [])
    status, out, _ = run(capsys, "engines", "verify", "--json")
    told = json.loads(out)
    assert status == 0 and [(one["network"], one["engine"]) for one in told] == [
        ("liveportrait-decoder", verify.HALF)  # else the CPU would be compared with itself
    ]
    assert told[0]["passes"] and 0 < told[0]["deviation"]["max_error"] < 1 / 255
    assert {network.name for network, _ in verify.record_head()} == {f"liveportrait-{p}" for p in SIGNATURES}


def test_the_doctor_knows_of_an_import(imported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> Check:
        return next(check for check in examine_machine() if check.name == "liveportrait")

    monkeypatch.setattr("facepuppet.diagnose.doctor._CHECKS", (doctor._liveportrait,))
    monkeypatch.setattr("facepuppet.inference.runtime.candidates", lambda: ("cpu",))
    assert found().verdict is Verdict.OK and "auto leaves it" in found().detail
    monkeypatch.setattr("facepuppet.inference.runtime.candidates", lambda: ("cuda", "cpu"))
    assert "tried on cuda by --maker auto" in found().detail
    (imported / "eyes.onnx").write_bytes(bytes((imported / "eyes.onnx").stat().st_size))
    assert found().verdict is Verdict.WARN and "facepuppet engines import" in found().mend
    (imported / "manifest.toml").unlink()
    assert found().detail == "not imported, none is needed"


def test_the_real_flavour_builds_without_a_gpu(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX has no wheel for this system")
    status, out, _ = engines(capsys, folder, "build", "--for", "sm86,sm120", "--json")
    assert status == 0
    told = json.loads(out)
    assert [o["target"] for o in told] == ["sm86", "sm120"]
    assert all(o["size"] > 10_000 and o["seconds"] > 0 for o in told)
    assert states(capsys, folder) == ["for another machine"] * 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--for", "sm61"), "target 'sm61'"),
        (("--for", "gpu"), "target 'gpu'"),
        (("--engine", "cuda"), "one of tensorrt, tensorrt-rtx"),
        (("--engine", "tensorrt"), "no usable TensorRT"),
    ],
)
def test_what_cannot_be_built_is_one_line(
    machine: Machine, folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], expected: str
) -> None:
    status, _, err = engines(capsys, folder, "build", *words)
    assert status == 2 and expected in one_line(err)


def test_building_for_this_gpu_without_one_names_the_way_out(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Machine(driver=0).install(monkeypatch, "tensorrt_rtx")
    status, _, err = engines(capsys, folder, "build")
    assert status == 2 and "no NVIDIA driver" in one_line(err) and "--for sm75" in err


def test_tensorrt_builds_only_at_home(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine()
    machine.install(monkeypatch, "tensorrt", version="11.4.0")
    status, _, err = engines(capsys, folder, "build", "--engine", "tensorrt", "--for", "sm86")
    assert status == 2 and "builds only on the GPU" in one_line(err)
    assert engines(capsys, folder, "build", "--engine", "tensorrt")[0] == 0 and machine.builds == 1


def test_verify_passes_what_is_close_and_refuses_what_is_not(
    machine: Machine,
    folder: Path,
    tape: list[tuple[Network, list[Feed]]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verify, "record", lambda given: tape)
    status, out, _ = engines(capsys, folder, "verify")
    assert status == 0 and "FAIL" not in out
    assert verify.HALF in out and "TensorRT-RTX" in out
    machine.wrong = 0.02
    status, out, _ = engines(capsys, folder, "verify", "--json")
    assert status == 1
    told = {finding["engine"]: finding["passes"] for finding in json.loads(out)}
    assert told == {verify.HALF: True, "tensorrt-rtx": False, "cpu": True}


@pytest.mark.parametrize(("off", "passes"), [(0.0, True), (0.2, False)])
def test_verify_runs_the_8_bits_that_cpus_run(
    tape: list[tuple[Network, list[Feed]]], monkeypatch: pytest.MonkeyPatch, off: float, passes: bool
) -> None:
    ((network, feeds),) = tape
    model = onnx.load_model_from_string(read_verified(network))
    model.doc_string = "another file"
    for weight in model.graph.initializer:
        if len(weight.dims) == 4:
            changed = onnx.numpy_helper.to_array(weight) * np.float32(1.0 + off)
            weight.CopyFrom(onnx.numpy_helper.from_array(changed, weight.name))
    small = model.SerializeToString()
    twin = replace(network, content=small, sha256=hashlib.sha256(small).hexdigest())
    monkeypatch.setattr(verify, "record", lambda given: [(replace(network, int8=twin), feeds)])
    (finding,) = verify.verify(["cpu"])
    assert finding.description.endswith("in 8 bits") and finding.passes is passes


def test_verify_tells_what_could_not_run(
    folder: Path,
    tape: list[tuple[Network, list[Feed]]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verify, "record", lambda given: tape)
    Machine(driver=0).install(monkeypatch, "tensorrt_rtx")
    status, out, _ = engines(capsys, folder, "verify")
    assert status == 0 and "not run" in out and "no NVIDIA driver" in out
    status, out, _ = engines(capsys, folder, "verify", "--engine", "tensorrt-rtx")
    assert status == 1, "it was asked for"
    assert engines(capsys, folder, "verify", "--engine", "hope")[0] == 2


def test_what_is_recorded_is_a_performance(tape: list[tuple[Network, list[Feed]]]) -> None:
    """Each frame in which the mouth moves, once, and not the same picture again and again."""
    ((network, feeds),) = tape
    assert network.name == "mouth" and verify.BURSTS < len(feeds) <= verify.BURSTS * verify.BURST
    assert len({feed["warped"].tobytes() for feed in feeds}) > len(feeds) // 2
    assert all(np.array_equal(feed["source"], feeds[0]["source"]) for feed in feeds)


def test_eyes_are_recorded_one_after_the_other(tmp_path: Path) -> None:
    ((_, feeds),) = verify.record(write_manifest(tmp_path, unet(), name="eye", region="eye"))
    rest = [feed["source"].tobytes() for feed in feeds]
    n = rest.count(rest[0])
    assert rest == [rest[0]] * n + [rest[-1]] * (len(rest) - n) and rest[0] != rest[-1]
    assert verify.BURSTS < min(n, len(rest) - n) <= max(n, len(rest) - n) <= verify.BURSTS * verify.BURST


def test_the_page_of_results_names_the_machine_and_every_engine(
    machine: Machine,
    folder: Path,
    tape: list[tuple[Network, list[Feed]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_results, "record", lambda given: tape)
    answer = types.SimpleNamespace(stdout="580.95.05\n580.95.05\n")  # a line for each GPU
    monkeypatch.setattr(engine_results.subprocess, "run", lambda *words, **options: answer)
    words = ["--seconds", "0.1", "--engine", "tensorrt-rtx", "--engine", "coreml", "--engine", "cpu"]
    monkeypatch.setattr("sys.argv", ["engine_results", str(tmp_path / "page.md"), *words])
    engine_results.main()
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert describe_hardware().cpu in page and "onnxruntime" in page
    assert "GPU: NVIDIA GeForce RTX 4090, sm89, 24576 MiB, driver 580.95.05 for CUDA 13.0" in page
    table = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("|")]
    heads, rows = [head.strip() for head in table[0]], table[2:]
    assert [len(row) for row in table] == [len(heads)] * 5
    assert "TensorRT-RTX" in rows[0][1] and "not run" in rows[1][-1]
    for row in (rows[0], rows[2]):
        figures = {head: float(cell) for head, cell in zip(heads[2:-1], row[2:-1], strict=True)}
        assert 0 < figures["median ms"] <= figures["p95 ms"] <= figures["longest ms"]
        assert figures["runs"] > 0 and figures["start s"] >= 0


def test_a_driver_that_nothing_tells_the_version_of_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert engine_results._driver() == "of unknown version (no nvidia-smi)"


def test_nothing_to_do_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "manifest.toml").write_text("format = 1")
    pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX has no wheel for this system")
    for words in (("build", "--for", "sm89"), ("verify",)):
        status, out, _ = engines(capsys, tmp_path, *words)
        assert status == 0 and "no network" in out


def test_an_engine_that_is_not_here_stops_run_and_render(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Machine(driver=0).install(monkeypatch, "tensorrt_rtx")
    status, _, err = run(capsys, "run", "--avatar", "a.jpg", "--engine", "vulkan")
    assert status == 2 and "expected one of auto, tensorrt" in err
    with pytest.raises(Exception, match="no NVIDIA driver"):
        Puppet(hopper(), engine="tensorrt-rtx")


@needs_compiler
def test_doctor_names_what_makes_frames(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def check() -> object:
        return next(check for check in examine_machine() if check.name == "frames")

    assert check().verdict is Verdict.OK and check().detail == "CUDA kernels on NVIDIA GeForce RTX 4090"
    monkeypatch.setattr("facepuppet.frames.cuda.device.source", lambda: "no C++")
    assert check().verdict is Verdict.WARN and "made on the CPU" in check().detail
    machine.gpus = []
    assert check().verdict is Verdict.OK and check().detail == "made on the CPU"


def test_doctor_names_the_engine(machine: Machine) -> None:
    def check() -> object:
        return next(check for check in examine_machine() if check.name == "engines")

    assert check().verdict is Verdict.OK and "TensorRT-RTX 1.7.1 on NVIDIA" in check().detail
    machine.driver = 12020
    assert check().verdict is Verdict.WARN and "too old" in check().detail
    assert check().mend == "Update the NVIDIA driver."


@needs_compiler
def test_a_gpu_lost_in_a_call_keeps_the_cadence(
    machine: Machine, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The whole live loop: pictures go on, and statistics say that the CPU took over."""
    monkeypatch.setattr(painter, "read_manifest", lambda given: read_manifest(given or folder))
    puppet = Puppet(hopper(), Composer(hopper(), (320, 180), label=Corner.OFF))
    ran_by = engine_line(puppet.networks, puppet.fallbacks, puppet.frame_path)
    assert "TensorRT-RTX" in ran_by and "frames by CUDA kernels on NVIDIA" in ran_by
    asked_s: list[float] = []
    time_is_over = threading.Event()

    def wait_for(stream: object, patience_s: float) -> None:
        """Let the test decide when the patience with a hung GPU is at an end."""
        if not stream.done:
            asked_s.append(patience_s)
            assert time_is_over.wait(PATIENCE_S)
            raise TimeoutError("told to")

    monkeypatch.setattr("facepuppet.frames.cuda.device.wait_for", wait_for)
    sink = MemorySink((320, 180))
    with LivePipeline(CameraDriver(StreamingCamera(WALL), make_tracker=_Actor), puppet, [sink]) as live:
        live.start()
        wait_until(lambda: live.stats().frames_out > 5)
        machine.hung = True
        wait_until(lambda: len(asked_s) > 0)
        repeated = live.stats().frames_repeated
        wait_until(lambda: live.stats().frames_repeated > repeated + 10)
        time_is_over.set()
        wait_until(lambda: puppet.frame_path == "CPU")
        sent = live.stats().frames_out
        wait_until(lambda: live.stats().frames_out > sent + 10)
        stats = live.stats()
    assert len(asked_s) == 1 and asked_s[0] < 1.0, "less than a second, and once"
    assert "CPU" in stats.networks["mouth"] and stats.frame_path == "CPU"
    assert len(stats.fallbacks) == 1 and "mid-stream" in stats.fallbacks[0]
    assert "mid-stream" in json.dumps(stats.to_json()["fallbacks"])
    assert caplog.text.count("mid-stream") == 1
    result = BenchResult(describe_hardware(), "320x180", {"512x512": stats})
    assert "mid-stream" in table(result) and "network mouth: ONNX Runtime" in table(result)


class _Actor:
    """A tracker that sees the built-in piece, from where its speech begins: the mouth keeps moving."""

    def __init__(self) -> None:
        self._begun_ns: int | None = None

    def track(self, frame: Frame) -> Tracking:
        self._begun_ns = self._begun_ns or frame.captured_ns
        t_s = 6.3 + (frame.captured_ns - self._begun_ns) * 1e-9
        return replace(tracking_at(t_s, frame.frame_id), captured_ns=frame.captured_ns)

    def close(self) -> None:
        return None
