"""A performance on disk: to the bit, whole or not at all, and never trusted."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import PATIENCE_S, Follower, ListDriver, wait_until
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_faces import tracking_at

from facepuppet.core.errors import OutputUnwritableError, RecordingError
from facepuppet.core.types import Expression, FacePose, HeadPose, LandmarkOffsets, Part, TorsoPose
from facepuppet.drivers import recorded
from facepuppet.drivers.camera.rest import Rest
from facepuppet.drivers.recorded import RecordedDriver, RecordingDriver
from facepuppet.drivers.recording_format import FRAME, FRAMES, row_of
from facepuppet.drivers.recording_reader import RecordingReader
from facepuppet.drivers.recording_writer import RecordingWriter
from facepuppet.drivers.scripted import Performance
from facepuppet.session.record import record
from facepuppet.testing import FakeClock


def scripted(n: int = 5) -> list[Expression]:
    return [Performance().expression(i / 30, i) for i in range(n)]


def tracked(n: int = 5) -> list[Expression]:
    rest = Rest(settle_frames=1)
    return [rest.express(tracking_at(i / 30, i)) for i in range(n)]


def write(path: Path, expressions: list[Expression]) -> Path:
    with RecordingWriter(path, "a test", 30.0) as writer:
        for expression in expressions:
            writer.add(expression)
    return path


def same(a: Any, b: Any) -> bool:
    """Whether two messages are equal to the bit, arrays and their types included."""
    if isinstance(a, np.ndarray):
        return bool(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())
    if is_dataclass(a):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return bool(a == b and type(a) is type(b))


@pytest.mark.parametrize("made", [scripted, tracked])
def test_what_is_written_is_read_to_the_bit(tmp_path: Path, made: Callable[[int], list[Expression]]) -> None:
    given = [*made(300), Expression.absent(300, 10**10), replace(made(1)[0], torso=None, frame_id=302)]
    with RecordedDriver(write(tmp_path / "a.npz", given)) as driver:
        assert (driver.n_frames, driver.fps) == (302, 30.0)
        played = list(iter(driver.read, None))
    assert len(played) == 302 and all(same(a, b) for a, b in zip(played, given, strict=True))
    assert driver.read() is None


def test_what_was_hidden_is_kept(tmp_path: Path) -> None:
    given = [replace(one, hidden=frozenset({part})) for one, part in zip(scripted(5), Part, strict=True)]
    given.append(replace(given[0], hidden=frozenset(Part)))
    assert [one.hidden for one in RecordingReader(write(tmp_path / "a.npz", given))] == [
        one.hidden for one in given
    ]


def test_a_recording_of_the_first_format_is_read_with_nothing_hidden(tmp_path: Path) -> None:
    given = scripted(3)
    older = np.zeros(len(given), FRAMES[1])
    for name in FRAMES[1].names or ():
        older[name] = [row_of(one)[name] for one in given]
    path = rewritten(
        write(tmp_path / "a.npz", given),
        lambda m: m.update(
            {
                "about.json": json.dumps({"facepuppet_recording": 1}).encode(),
                "frames_000000.npy": array(older),
            }
        ),
    )
    assert all(same(a, b) for a, b in zip(RecordingReader(path), given, strict=True))


numbers = st.floats(-1e3, 1e3, allow_subnormal=False)


@given(st.tuples(numbers, numbers), numbers, st.integers(0, 2**62), st.booleans())
@settings(max_examples=25, deadline=None)
def test_any_numbers_survive(pair: tuple[float, float], number: float, t_ns: int, torso: bool) -> None:
    head = HeadPose(np.float32([number, *pair]), pair, number)
    face = FacePose(head, np.array([pair, pair]), np.float32(pair), LandmarkOffsets(OFFSETS, number))
    expression = Expression(face, TorsoPose(pair, number, number) if torso else None, t_ns, t_ns)
    content = _written(expression)
    assert same(next(iter(content)), expression)


OFFSETS = np.random.default_rng(0).normal(0, 0.1, (478, 3)).astype(np.float32)


def _written(expression: Expression) -> RecordingReader:
    import tempfile

    folder = Path(tempfile.mkdtemp())
    return RecordingReader(write(folder / "a.npz", [expression]))


def test_numpy_alone_reads_it(tmp_path: Path) -> None:
    with np.load(write(tmp_path / "a.npz", scripted(3)), allow_pickle=False) as archive:
        assert archive["frames_000000"]["frame_id"].tolist() == [0, 1, 2]


def test_a_live_recording_counts_from_its_first_moment(tmp_path: Path) -> None:
    clock = FakeClock(now_ns=10**15)
    driver = ListDriver(scripted(4))
    with RecordingWriter(tmp_path / "a.npz") as writer:
        recording = RecordingDriver(driver, writer)
        recording.start(clock)
        stamps = [expression.captured_ns for expression in iter(recording.read, None)]
    assert stamps[0] == 10**15
    with RecordedDriver(tmp_path / "a.npz") as played:
        assert [e.captured_ns for e in iter(played.read, None)] == [s - 10**15 for s in stamps]


def test_played_live_it_keeps_its_own_pace(tmp_path: Path) -> None:
    clock = FakeClock()
    with RecordedDriver(write(tmp_path / "a.npz", scripted(4))) as driver:
        driver.start(clock)
        stamps = [expression.captured_ns for expression in iter(driver.read, None)]
    assert np.diff(stamps) == pytest.approx([1e9 / 30] * 3, abs=2)


def test_recording_alone_stops_in_time_and_counts(tmp_path: Path) -> None:
    absent = [Expression.absent(i, round(i / 30 * 1e9)) for i in range(10)]
    later = [replace(e, frame_id=10 + e.frame_id, captured_ns=e.captured_ns + 10**9) for e in scripted(90)]
    with RecordingWriter(tmp_path / "a.npz") as writer:
        done = record(ListDriver([*absent, *later]), writer, seconds=2.0)
    assert (done.n, done.n_with_face) == (41, 31) and done.seconds == pytest.approx(2.0)
    assert RecordingReader(tmp_path / "a.npz").n_frames == 41


def test_the_same_motions_from_video_and_recording(tmp_path: Path) -> None:
    from avatars import hopper

    trackings = [tracking_at(i / 30, i) for i in range(40)]
    rest, live = Rest(settle_frames=1), Follower(hopper())
    path = write(tmp_path / "a.npz", [rest.express(tracking) for tracking in trackings])
    again = Follower(hopper()).retargeter
    with RecordedDriver(path) as driver:
        for tracking in trackings:
            expression = driver.read()
            assert expression is not None
            assert same(again.update(expression), live.update(tracking))


# Bad input


def test_nothing_is_left_of_an_aborted_or_empty_recording(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"former")
    with pytest.raises(ZeroDivisionError), RecordingWriter(tmp_path / "a.npz") as writer:
        writer.add(scripted(1)[0])
        1 / 0  # noqa: B018
    with RecordingWriter(tmp_path / "b.npz"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    assert (tmp_path / "a.npz").read_bytes() == b"former"


def test_places_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    with pytest.raises(OutputUnwritableError, match=r"ends in \.npz"):
        RecordingWriter(tmp_path / "a.mp4")
    with pytest.raises(OutputUnwritableError, match="does not exist"):
        RecordingWriter(tmp_path / "no" / "a.npz")


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = RecordingWriter(tmp_path / "a.npz")
    writer.add(scripted(1)[0])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OutputUnwritableError, match="No space left"):
        writer.close()
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def endless() -> Iterator[Expression]:
    return (replace(Performance().expression(i / 30 % 12, i), captured_ns=i * 10**6) for i in count())


def test_a_stalled_disk_holds_no_live_driver_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever drives goes on; what found no room is missing in the recording, and told once."""
    monkeypatch.setattr(recorded, "ROOM", 100)
    flows, add = threading.Event(), RecordingWriter.add

    def stalled(self: RecordingWriter, expression: Expression) -> None:
        assert flows.wait(PATIENCE_S)
        add(self, expression)

    monkeypatch.setattr(RecordingWriter, "add", stalled)
    with RecordingWriter(tmp_path / "a.npz") as writer:
        with RecordingDriver(ListDriver(endless()), writer) as driver:
            driver.start(FakeClock())
            assert all(driver.read() is not None for _ in range(300))
            flows.set()
        assert driver.failure is None
    assert len(caplog.messages) == 1 and "parts are left out" in caplog.messages[0]
    with RecordedDriver(tmp_path / "a.npz") as played:
        ids = [expression.frame_id for expression in iter(played.read, None)]
    assert ids[:100] == [*range(100)] and 100 <= len(ids) <= 101


@pytest.mark.thorough
def test_a_full_disk_ends_a_live_recording_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with RecordingWriter(tmp_path / "a.npz") as writer:
        driver = RecordingDriver(ListDriver(endless()), writer)
        driver.start(FakeClock())
        monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
        wait_until(lambda: driver.read() is not None and driver.failure is not None)
        assert driver.read() is not None and driver.read() is not None
        driver.close()
    monkeypatch.undo()
    assert isinstance(driver.failure, OutputUnwritableError)
    assert len([line for line in caplog.messages if "the run goes on" in line]) == 1
    assert list(tmp_path.iterdir()) == []


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write a recording's members anew, changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def array(rows: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, rows, allow_pickle=rows.dtype == object)
    return content.getvalue()


FAULTS: dict[str, tuple[Callable[[dict[str, bytes]], object], str]] = {
    "another version": (
        lambda m: m.update({"about.json": json.dumps({"facepuppet_recording": 3}).encode()}),
        "format 3",
    ),
    "no version": (lambda m: m.update({"about.json": b"{}"}), "no recording of facepuppet's"),
    "not a table": (lambda m: m.update({"about.json": b"[]"}), "no recording of facepuppet's"),
    "no header": (lambda m: m.pop("about.json"), "lacks about"),
    "damaged header": (lambda m: m.update({"about.json": b"\xff{"}), "damaged about"),
    "cut off": (lambda m: m.pop("end.json"), "cut off"),
    "no length": (lambda m: m.update({"end.json": b"{}"}), "how long"),
    "longer than told": (lambda m: m.update({"end.json": b'{"frames": 4}'}), "frames_000000"),
    "a part is missing": (lambda m: m.update({"end.json": b'{"frames": 300}'}), "frames_000000"),
    "no array": (lambda m: m.update({"frames_000000.npy": b"text"}), "damaged frames"),
    "other fields": (lambda m: m.update({"frames_000000.npy": array(np.zeros(5, "f4"))}), "float32"),
    "objects": (lambda m: m.update({"frames_000000.npy": array(np.array([{}] * 5))}), "damaged frames"),
    "more than there is": (
        lambda m: m.update({"frames_000000.npy": array(np.zeros(2000, FRAME))}),
        "larger than any",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_recording_is_one_clear_error(tmp_path: Path, fault: str) -> None:
    change, words = FAULTS[fault]
    path = rewritten(write(tmp_path / "a.npz", scripted(5)), change)
    with pytest.raises(RecordingError, match=words) as caught, RecordedDriver(path) as driver:
        list(iter(driver.read, None))
    assert "a.npz" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04"])
def test_what_is_no_recording_at_all_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(RecordingError, match="no recording at all"):
        RecordedDriver(tmp_path / "a.npz")
    with pytest.raises(RecordingError, match="No such file"):
        RecordedDriver(tmp_path / "none.npz")


def test_every_cut_and_every_flipped_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.npz", scripted(3)).read_bytes()
    random = np.random.default_rng(0)
    for stop in random.integers(1, len(whole), 20).tolist():
        (tmp_path / "cut.npz").write_bytes(whole[:stop])
        with pytest.raises(RecordingError):
            list(RecordingReader(tmp_path / "cut.npz"))
    for at in random.integers(0, len(whole), 60).tolist():
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        (tmp_path / "bit.npz").write_bytes(damaged)
        try:
            played = list(RecordingReader(tmp_path / "bit.npz"))
        except RecordingError:
            continue
        assert all(same(a, b) for a, b in zip(played, scripted(3), strict=True)), at
