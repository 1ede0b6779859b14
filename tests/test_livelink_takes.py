"""Tables of Live Link Face: played, written, and what is wrong with them told by the line."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from program import run

from facepuppet.core.errors import OutputUnwritableError, RecordingError
from facepuppet.core.types import Blendshapes, Expression
from facepuppet.drivers import RecordedDriver, RecordingDriver, ScriptedDriver
from facepuppet.drivers.driver_words import open_driver
from facepuppet.drivers.livelink_take import LiveLinkTakeDriver
from facepuppet.drivers.livelink_take_writer import LiveLinkTakeWriter
from facepuppet.drivers.recording_words import open_writer
from facepuppet.face import ARKIT_INDEX
from facepuppet.session.record import record
from facepuppet.testing import FakeClock, ListDriver
from facepuppet.wires import WireFace, face_of_wire, sample_of_expression
from facepuppet.wires.livelink_csv import HEADER, LiveLinkTable, MalformedTableError, read_table, table_row

SMALL = "Timecode,BlendshapeCount,jawOpen,EYEBLINKLEFT,HeadYaw,HeadPitch,HeadRoll"


def table(*rows: str, header: str = SMALL) -> LiveLinkTable:
    return read_table(f"{line}\n" for line in (header, *rows))


def face_at(take: LiveLinkTable, n: int) -> WireFace:
    face = take.samples[n].face
    assert face is not None
    return face


def write(path: Path, *rows: str, header: str = SMALL) -> Path:
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


def all_of(driver: LiveLinkTakeDriver) -> list[Expression]:
    with driver:
        return list(iter(driver.read, None))


def random_face(rng: np.random.Generator) -> WireFace:
    return WireFace(
        rng.uniform(0, 1, 52).astype(np.float32),
        rng.uniform(-0.7, 0.7, 3).astype(np.float32),
        rng.uniform(-0.4, 0.4, (2, 2)).astype(np.float32),
    )


def test_out_and_in_again_nothing_but_rounding_is_lost() -> None:
    rng = np.random.default_rng(3)
    faces = [random_face(rng) for _ in range(130)]
    take = table(*(table_row(face, n / 59.94) for n, face in enumerate(faces)), header=HEADER)
    for n, told in enumerate(faces):
        face = face_at(take, n)
        np.testing.assert_allclose(face.weights, told.weights, atol=1e-6)
        np.testing.assert_allclose(face.head_rad, told.head_rad, atol=1e-6)
        np.testing.assert_allclose(face.eyes_rad, told.eyes_rad, atol=1e-6)  # type: ignore[arg-type]
        assert take.samples[n].sent_s == pytest.approx(n / 59.94, abs=1e-4)
    assert take.fps == pytest.approx(59.94, abs=0.02)


def test_the_header_is_that_of_the_app() -> None:
    names = HEADER.split(",")
    assert len(names) == 63 and names[:3] == ["Timecode", "BlendShapeCount", "EyeBlinkLeft"]
    assert names[16:20] == ["JawForward", "JawRight", "JawLeft", "JawOpen"]
    assert names.index("MouthLeft") == names.index("MouthRight") + 1
    assert names[-9:-6] == ["HeadYaw", "HeadPitch", "HeadRoll"]
    assert names[-6:] == [
        f"{side}Eye{turn}" for side in ("Left", "Right") for turn in ("Yaw", "Pitch", "Roll")
    ]


def test_a_jaw_to_the_left_is_written_under_its_name() -> None:
    weights = np.zeros(52, np.float32)
    weights[ARKIT_INDEX["jawLeft"]] = 0.25
    row = dict(
        zip(
            HEADER.split(","),
            table_row(WireFace(weights, np.zeros(3, np.float32)), 1.5).split(","),
            strict=True,
        )
    )
    assert row["Timecode"] == "00:00:01:30.000" and row["BlendShapeCount"] == "61"
    assert (float(row["JawLeft"]), float(row["JawRight"])) == (0.25, 0.0)


def test_columns_go_by_their_names_in_any_order_and_case() -> None:
    take = table("0.5,9,01:00:00:00.0,0.25,0.3", header="HEADYAW,Confidence,timecode,JAWRIGHT,jawLeft")
    face = face_at(take, 0)
    assert face.weights[ARKIT_INDEX["jawRight"]] == 0.25
    assert face.weights[ARKIT_INDEX["jawLeft"]] == pytest.approx(0.3)
    assert face.head_rad[0] == -0.5  # against ours, as in packets
    assert face.eyes_rad is None


@pytest.mark.parametrize(
    "row", ["10:00:00:00.1,0,0,0,0,0,0", "10:00:00:00.1,0", "10:00:00:00.1", "10:00:00:00.1,7,,,,,"]
)
def test_a_row_without_a_face_is_nobody(row: str) -> None:
    assert table(row).samples[0].face is None


@pytest.mark.parametrize(
    ("codes", "times_s"),
    [
        pytest.param(
            ["10:00:00:00.0", "10:00:00:30.5", "10:00:01:59.0"], [0, 30.5 / 60, 1 + 59 / 60], id="60"
        ),
        pytest.param(["10:00:00:23", "10:00:01:12"], [23 / 24, 1.5], id="24"),
        pytest.param(["10:00:00:29", "10:00:01:15"], [29 / 30, 1.5], id="30"),
        pytest.param(["10:00:00:00", "10:00:00:30"], [0, 0.5], id="less than a second"),
        pytest.param(["10:00:00:000", "10:00:00:999", "10:00:01:500"], [0, 0.999, 1.5], id="thousandths"),
        pytest.param(
            ["10:00:00;10", "10:00:00:05", "10:00:01:59"], [10 / 60, 10 / 60, 1 + 59 / 60], id="back"
        ),
        pytest.param(["23:59:59:00", "00:00:00:59"], [50399, 50400 + 59 / 60], id="midnight"),
    ],
)
def test_time_codes_become_seconds(codes: list[str], times_s: list[float]) -> None:
    take = table(*(f"{code},7,0,0,0,0,0" for code in codes))
    told = [(sample.sent_s or 0.0) - 36_000 for sample in take.samples]
    assert told == pytest.approx(times_s)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            ["10:00:00:00,7,0,0,0,0,0", "10:00:00:01,7,0,x,0,0,0"],
            "line 3: 'x' in place of a number for EyeBlinkLeft",
        ),
        (["10:00:00:00,7,nan,0,0,0,0"], "line 2: nan for JawOpen"),
        (["10:00:00:00,7,0,1e300,0,0,0"], "line 2: .* for EyeBlinkLeft"),
        (["", "10:00:00:00,7,0.5,0.2"], "line 3: no value for HeadYaw"),
        (["noon,7,0,0,0,0,0"], "line 2: 'noon' is no time code"),
        (["10:61:00:00,7,0,0,0,0,0"], "line 2: .* is no time code"),
        (["10:00:00:00," + "9" * 200_000], "line 2: field larger"),
        ([], "no row below the header"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(rows: list[str], told: str) -> None:
    with pytest.raises(MalformedTableError, match=told):
        table(*rows)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("", "line 1: a header without Timecode"),
        ("a,b,c", "line 1: a header without Timecode"),
        ("Timecode,BlendShapeCount,HeadYaw", "line 1: a header without any of ARKit's shapes"),
    ],
)
def test_another_table_is_none_of_the_apps(header: str, told: str) -> None:
    with pytest.raises(MalformedTableError, match=told):
        table("10:00:00:00,7,0", header=header)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "line 1"),
        (b"\x00\xff\xfe\x89PNG" * 50, "no whole table"),
        (b"Timecode,jawOpen\n10:00:00:00,0.5\xff\n", "line"),
        (b"Timecode,jawOpen\n10:00:00:00," + b"1" * 1_000_000, "line 2"),
    ],
)
def test_bad_files_are_recording_errors(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=told):
        LiveLinkTakeDriver(path)
    with pytest.raises(RecordingError, match="cannot be opened"):
        LiveLinkTakeDriver(tmp_path / "none.csv")


def test_a_take_plays_in_order_and_the_same_each_time(tmp_path: Path) -> None:
    rows = [f"12:30:00:{n:02d}.0,7,{n / 100},0,0,0,0" for n in range(30)]
    path = write(tmp_path / "Take 1.CSV", *rows)
    driver = open_driver(path)
    assert isinstance(driver, LiveLinkTakeDriver) and driver.n_frames == 30 and driver.fps == 60.0
    played = all_of(driver)
    assert [e.frame_id for e in played] == list(range(30))
    np.testing.assert_allclose([e.captured_ns for e in played], [n / 60e-9 for n in range(30)], atol=2)
    for n, (a, b) in enumerate(zip(played, all_of(LiveLinkTakeDriver(path)), strict=True)):
        assert a.face is not None and b.face is not None
        assert isinstance(a.face.deformation, Blendshapes) and isinstance(b.face.deformation, Blendshapes)
        assert a.face.deformation.weights[ARKIT_INDEX["jawOpen"]] == pytest.approx(n / 100)
        assert a.face.deformation.weights.tobytes() == b.face.deformation.weights.tobytes()
        assert a.face.head.turn.tobytes() == b.face.head.turn.tobytes()


def test_live_it_plays_at_its_own_pace(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", *(f"12:30:0{n}:00.0,7,0,0,0,0,0" for n in range(3)))
    clock = FakeClock()
    with LiveLinkTakeDriver(path) as driver:
        driver.start(clock)
        start_ns = clock.now_ns()
        times_ns = [e.captured_ns - start_ns for e in iter(driver.read, None)]
    np.testing.assert_allclose(times_ns, [0, 1e9, 2e9], atol=1e6)


def test_a_phones_place_is_no_turn_and_a_programs_angles_are(tmp_path: Path) -> None:
    rows = [f"{{}}:00:00:{n:02d},7,0,0,0.3,0,0" for n in range(30)]
    rows.append("{}:00:01:59,7,0,0,0.5,0,0")
    phone = all_of(LiveLinkTakeDriver(write(tmp_path / "a.csv", *(row.format(12) for row in rows))))
    program = all_of(LiveLinkTakeDriver(write(tmp_path / "b.csv", *(row.format("00") for row in rows))))
    for played, first, last in ((phone, 0.0, 0.2), (program, 0.3, 0.5)):
        turns = [float(np.linalg.norm(e.face.head.turn)) for e in played if e.face is not None]
        assert (turns[0], turns[-1]) == (pytest.approx(first, abs=1e-4), pytest.approx(last, abs=1e-4))


def test_what_a_driver_does_is_written_and_plays_again(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with ScriptedDriver(fps=6.0) as script:
        told = [*islice(iter(script.read, None), 20), Expression.absent(20, 20 * 166_666_667)]
    with open_writer(path) as writer:
        assert isinstance(writer, LiveLinkTakeWriter)
        done = record(ListDriver(told), writer)
    assert (done.n, done.n_with_face, writer.n) == (21, 20, 21)
    played = all_of(LiveLinkTakeDriver(path))
    assert played[-1].face is None
    for a, b in zip(told[:-1], played[:-1], strict=True):
        assert b.captured_ns - played[0].captured_ns == pytest.approx(
            a.captured_ns - told[0].captured_ns, abs=1e5
        )
        sent = sample_of_expression(a).face
        assert sent is not None and b.face is not None
        told_again = face_of_wire(sent)
        assert isinstance(b.face.deformation, Blendshapes) and isinstance(told_again.deformation, Blendshapes)
        np.testing.assert_allclose(b.face.deformation.weights, told_again.deformation.weights, atol=1 / 255)
        np.testing.assert_allclose(b.face.head.turn, told_again.head.turn, atol=np.radians(0.1))


def test_a_take_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "of before")
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError), LiveLinkTakeWriter(path) as writer:
        writer.add(Expression.absent(0, 0))
        raise ZeroDivisionError
    with LiveLinkTakeWriter(path):
        pass  # nothing to write
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_only_names_that_can_be_played_are_recorded_into(tmp_path: Path) -> None:
    with pytest.raises(OutputUnwritableError, match=r"\.npz or \.csv"):
        open_writer(tmp_path / "a.mp4")
    with pytest.raises(OutputUnwritableError, match=r"ends in \.csv"):
        LiveLinkTakeWriter(tmp_path / "a.npz")
    with RecordingDriver(ListDriver([Expression.absent(0, 0)]), open_writer(tmp_path / "a.npz")) as driver:
        assert driver.read() is not None
    assert not isinstance(driver, RecordedDriver)


def test_the_program_records_a_take_and_plays_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    take, again = str(tmp_path / "a.csv"), str(tmp_path / "b.npz")
    assert run(capsys, "record", "--camera", "script", "--seconds", "0.5", "--output", take)[0] == 0
    assert run(capsys, "record", "--camera", take, "--output", again)[0] == 0
    with LiveLinkTakeDriver(Path(take)) as a, RecordedDriver(Path(again)) as b:
        assert a.n_frames == b.n_frames == 16
    write(Path(take), "noon,7,0,0,0,0,0")
    status, _, err = run(capsys, "record", "--camera", take, "--output", again)
    assert status != 0 and "line 2: 'noon' is no time code" in err
