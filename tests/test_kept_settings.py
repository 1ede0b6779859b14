"""Settings come back in the next run: those of an avatar with it, those of a camera with that."""

import math
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import program
import pytest
import typer
from avatars import hopper
from fakes import FakeClock, ListDriver, MemorySink, wait_until
from hypothesis import given, settings
from hypothesis import strategies as st
from test_control import CANVAS, endless

from facepuppet import (
    Backdrop,
    Composer,
    Corner,
    FrameMaker,
    Gains,
    LivePipeline,
    Manner,
    Motion,
    Puppet,
    Scene,
)
from facepuppet.character import STYLE_NAMES, Style, load_style
from facepuppet.cli.live_parts import said
from facepuppet.cli.options import BackgroundOption, LabelOption, MirrorOption, NoLabelOption
from facepuppet.core.errors import FacepuppetError
from facepuppet.portrait.load import sample_portrait_path
from facepuppet.retarget.manner import REGIONS
from facepuppet.session.commands import Command, Reset, SetBackdrop, SetLabel, ShowPuppet
from facepuppet.session.kept_settings import KeptSettings
from facepuppet.session.setting_values import avatar_values, camera_name, with_avatar_settings
from facepuppet.session.settings_file import SettingsFile
from facepuppet.session.verbs import VERBS
from facepuppet.watermark import Marked

ONE, TWO = hopper(), replace(hopper(), name="two", source_sha256="2" * 64)
WEBCAM = "camera 3 (HD Webcam)"


class Camera(ListDriver):
    """A driver before a camera, which remembers how much tremble it is to take out."""

    live, strength = True, 1.0

    def __init__(self, description: str = WEBCAM) -> None:
        super().__init__(endless())
        self.description = description

    def set_smoothing(self, strength: float) -> None:
        self.strength = strength


class Unseen(FrameMaker):
    """Makes no frame, as the loop stands still."""

    description = "nothing"

    def make(self, motion: Motion) -> Marked:
        raise NotImplementedError

    def set_scene(self, scene: Scene) -> None:
        self.scene = scene


class Run:
    """A run with kept settings whose loop stands still: commands are obeyed when they are given."""

    def __init__(self, kept: KeptSettings, live: LivePipeline, clock: FakeClock) -> None:
        self.kept, self.live, self.clock = kept, live, clock
        self.live.control.obey()

    def do(self, verb: str, **values: Any) -> None:
        self.send(VERBS[verb].command(values))

    def send(self, command: Command) -> None:
        self.live.control.send(command)
        self.live.control.obey()

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.5)):
            self.clock.advance_s(0.5)
            self.kept.look()

    def scene(self, name: str = "one") -> Scene:
        return self.live.control.puppets[name].scene

    def manner(self, name: str = "one") -> Manner:
        return self.live.control.puppets[name].manner


@contextmanager
def run(folder: Path, camera: str = WEBCAM, said: tuple[str, ...] = (), **look: Any) -> Iterator[Run]:
    puppets = {
        name: Puppet(avatar, Composer(avatar, CANVAS, **look), maker=Unseen())
        for name, avatar in (("one", ONE), ("two", TWO))
    }
    live, clock = LivePipeline(Camera(camera), puppets, [MemorySink(CANVAS)]), FakeClock()
    with KeptSettings(live, said=said, folder=folder, clock=clock) as kept:
        yield Run(kept, live, clock)


def kept_of(folder: Path, kind: str = "avatars", thing: str = ONE.source_sha256) -> dict[str, Any]:
    path = folder / f"{kind}.toml"
    table: dict[str, Any] = (
        tomllib.loads(path.read_text("utf-8"))[kind].get(thing, {}) if path.exists() else {}
    )
    return table


def test_each_avatar_has_its_own_settings_and_each_camera_too(tmp_path: Path) -> None:
    with run(tmp_path) as first:
        first.do("gain", region="mouth", amount=0.5)
        first.do("still", region="torso", on=True)
        first.do("head-speed", degrees=90)
        first.do("background", word="#102030")
        first.do("label", corner="tl")
        first.do("smoothing", strength=2.5)
        first.do("mirror", on=True)
        first.do("avatar", name="two")
        first.do("gain", region="head", amount=2)
    with run(tmp_path) as again:
        gains, still = Gains(mouth=0.5), frozenset({"torso"})
        assert again.manner() == Manner(gains, still, math.pi / 2)
        assert again.manner("two") == Manner(Gains(head=2.0))
        assert again.scene().backdrop.rgb == (16, 32, 48) and again.scene().label is Corner.TOP_LEFT
        assert again.scene("two").backdrop == Backdrop()
        assert again.scene().mirror and again.scene("two").mirror, "a camera's, whoever is shown"
        assert again.live.control.state.smoothing == 2.5
        driver = again.live.driver
        assert isinstance(driver, Camera) and driver.strength == 2.5
    with run(tmp_path, "camera 0 (another)") as elsewhere:
        assert elsewhere.manner("two").gains.head == 2.0
        assert not elsewhere.scene().mirror and elsewhere.live.control.state.smoothing == 1.0
    with run(tmp_path, "camera 7 (HD Webcam)") as replugged:
        assert replugged.scene().mirror, "the same camera under another number"


def test_mirror_stays_when_another_avatar_comes(tmp_path: Path) -> None:
    with run(tmp_path) as one:
        one.do("mirror")
        one.send(ShowPuppet("two"))
        assert one.scene("two").mirror
    with run(tmp_path) as again:
        again.send(ShowPuppet("two"))
        again.do("mirror")
        again.send(ShowPuppet("one"))
        assert not again.scene("one").mirror
    assert "mirror" not in kept_of(tmp_path, "cameras", "HD Webcam")


def test_a_slider_that_is_dragged_is_written_once_when_it_rests(tmp_path: Path) -> None:
    with run(tmp_path) as one:
        for amount in np.linspace(0.1, 2.0, 20).tolist():
            one.do("gain", region="head", amount=amount)
            one.wait(0.5)
        assert not list(tmp_path.glob("*.toml"))
        one.wait(1.0)
        assert kept_of(tmp_path)["gain"] == {"head": 2.0}
        written = (tmp_path / "avatars.toml").stat()
        one.wait(5.0)
        assert (tmp_path / "avatars.toml").stat() == written
        one.do("gain", region="head", amount=3)
    assert kept_of(tmp_path)["gain"] == {"head": 3.0}, "what has not rested yet is written in the end"


def test_a_run_in_which_nothing_is_set_writes_nothing(tmp_path: Path) -> None:
    with run(tmp_path) as one:
        one.wait(3.0)
        one.do("freeze")
        one.do("avatar", name="two")
        one.wait(3.0)
    assert not list(tmp_path.iterdir())


def test_the_command_line_wins_for_its_run_and_is_not_kept(tmp_path: Path) -> None:
    with run(tmp_path) as first:
        first.do("background", word="red")
        first.do("label", corner="tr")
        first.do("mirror")
    before = kept_of(tmp_path), kept_of(tmp_path, "cameras", "HD Webcam")
    look = {"backdrop": Backdrop.parse("blur"), "label": Corner.OFF, "mirror": False}
    with run(tmp_path, said=("background", "label", "mirror"), **look) as second:
        scene = second.scene()
        assert (scene.backdrop.word, scene.label, scene.mirror) == ("blur", Corner.OFF, False)
        second.do("gain", region="lids", amount=0)
    assert kept_of(tmp_path) == {**before[0], "gain": {"lids": 0.0}}
    assert kept_of(tmp_path, "cameras", "HD Webcam") == before[1]
    with run(tmp_path, said=("background",), **look) as third:
        third.do("background", word="green")
    assert kept_of(tmp_path)["background"] == "green", "unless it is changed in mid-run"


def test_reset_goes_back_to_how_the_run_would_have_started_and_keeps_nothing(tmp_path: Path) -> None:
    with run(tmp_path) as first:
        first.do("background", word="red")
        first.do("gain", region="head", amount=2)
        first.do("smoothing", strength=3)
        first.do("mirror")
    with run(tmp_path, backdrop=Backdrop.parse("blur")) as second:
        assert second.scene().backdrop.word == "red" and second.manner() != Manner()
        second.send(Reset())
        assert second.scene() == Scene(Backdrop.parse("blur")) and second.manner() == Manner()
        assert second.live.control.state.smoothing == 1.0
    assert set(kept_of(tmp_path)) == {"name"} and kept_of(tmp_path, "cameras", "HD Webcam") == {}


def test_that_the_label_is_off_is_never_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with run(tmp_path) as first:
        first.send(SetLabel(Corner.TOP_LEFT))
        first.wait(2.0)
        first.send(SetLabel(Corner.OFF))
        first.do("gain", region="head", amount=2)
    assert kept_of(tmp_path)["label"] == "tl"
    path = tmp_path / "avatars.toml"
    path.write_text(path.read_text("utf-8").replace('"tl"', '"off"'), "utf-8")
    with run(tmp_path) as second:
        assert second.scene().label is Corner.BOTTOM_RIGHT and second.manner().gains.head == 2.0
    assert "--label off" in caplog.text


def test_a_picture_is_kept_by_its_whole_name_and_one_without_a_file_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("room.png", np.full((40, 60, 3), 77, np.uint8))
    with run(tmp_path / "kept") as first:
        first.do("background", word="room.png")
        first.wait(2.0)
        dropped = Backdrop("image", image_rgb=np.zeros((8, 8, 3), np.uint8), word="dropped onto the page")
        first.send(SetBackdrop(dropped))
    monkeypatch.chdir("/")
    assert kept_of(tmp_path / "kept")["background"] == str(tmp_path / "room.png")
    with run(tmp_path / "kept") as second:
        picture = second.scene().backdrop.image_rgb
        assert picture is not None and (picture == 77).all()
    (tmp_path / "room.png").unlink()
    with run(tmp_path / "kept") as third:
        assert third.scene().backdrop == Backdrop()
    assert "room.png" in caplog.text and "\n" not in caplog.messages[-1]


BY_HAND = f"""
schema = 1
[avatars.{ONE.source_sha256}]
gain = {{ head = 9, mouth = 0.25, tail = 1, brows = "much" }}
still = ["torso", 3, "wings"]
head-speed = nan
background = ["blur"]
label = 1
hat = "a later version's"
"""


def test_what_does_not_fit_is_told_line_by_line_and_the_rest_counts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "avatars.toml").write_text(BY_HAND)
    (tmp_path / "cameras.toml").write_text(
        'schema = 1\n[cameras."HD Webcam"]\nsmoothing = "much"\nmirror = true'
    )
    with run(tmp_path) as one:
        assert one.manner() == Manner(Gains(mouth=0.25), frozenset({"torso"}))
        assert one.scene() == Scene(mirror=True)
        one.do("gain", region="mouth", amount=0.5)
    assert len(caplog.messages) == 9 and all("\n" not in line and len(line) < 300 for line in caplog.messages)
    kept = kept_of(tmp_path)
    assert kept["hat"] == "a later version's" and kept["gain"]["head"] == 9 and kept["gain"]["mouth"] == 0.5


@pytest.mark.parametrize("content", ["schema = 1\n[avatars", "schema = 7\n"], ids=["damaged", "too new"])
def test_a_file_that_cannot_be_used_is_told_once_and_the_run_goes_on(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "avatars.toml").write_text(content)
    with run(tmp_path) as one:
        for amount in (2, 3):
            one.do("gain", region="head", amount=amount)
            one.wait(2.0)
        one.do("mirror")
        assert one.manner().gains.head == 3.0
    assert kept_of(tmp_path, "cameras", "HD Webcam") == {"mirror": True}
    assert len(caplog.messages) == 2 if "7" not in content else 1, caplog.messages
    assert any(path.read_text() == content for path in tmp_path.glob("avatars*.toml"))


def test_a_folder_that_comes_back_gets_what_could_not_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "kept").write_text("in the way")
    with run(tmp_path / "kept") as one:
        for amount in (3, 2):
            one.do("gain", region="head", amount=amount)
            one.wait(5.0)
        assert len(caplog.messages) == 1, "told once, however often it was tried"
        (tmp_path / "kept").unlink()
    assert kept_of(tmp_path / "kept")["gain"] == {"head": 2.0}


def test_a_disk_that_hangs_does_not_keep_a_run_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hanging, back = threading.Event(), threading.Event()

    def hang(*words: Any) -> None:
        hanging.set()
        back.wait(20.0)

    monkeypatch.setattr("facepuppet.session.kept_settings._JOIN_S", 0.1)
    monkeypatch.setattr(SettingsFile, "change", hang)
    with run(tmp_path) as one:
        one.do("gain", region="head", amount=2)
        one.kept.look()
        one.clock.advance_s(5.0)
        assert hanging.wait(20.0), "its own thread writes"
    back.set()
    assert "still being written" in caplog.text


CAMERAS = {
    "camera 0 (HD (2) Webcam)": "HD (2) Webcam",
    "rtsp://me:secret@house:554/door?token=secret": "rtsp://house:554/door",
    "somebody's driver": "somebody's driver",
}


@pytest.mark.parametrize("description", CAMERAS)
def test_a_camera_is_known_by_what_stays_of_it(description: str) -> None:
    assert camera_name(Camera(description)) == CAMERAS[description]


def test_a_film_is_no_camera(tmp_path: Path) -> None:
    assert camera_name(ListDriver(())) is None
    live = LivePipeline(ListDriver(endless()), Puppet(ONE, Composer(ONE, CANVAS)), [MemorySink(CANVAS)])
    with KeptSettings(live, folder=tmp_path):
        live.control.send(VERBS["mirror"].command({}))
        live.control.send(VERBS["still"].command({"region": "head"}))
        live.control.obey()
    assert [path.name for path in tmp_path.glob("*.toml")] == ["avatars.toml"]


def test_a_live_run_keeps_what_is_set_while_it_goes_on(tmp_path: Path) -> None:
    """The thread, with the real clock."""
    sink, puppet = MemorySink(CANVAS), Puppet(ONE, Composer(ONE, CANVAS))
    with (
        LivePipeline(Camera(), puppet, [sink]) as live,
        KeptSettings(live, folder=tmp_path),
    ):
        live.start()
        live.control.send(VERBS["gain"].command({"region": "head", "amount": 2}))
        wait_until(lambda: kept_of(tmp_path).get("gain") == {"head": 2.0})
        assert len(sink.frames) > 5


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("", ""),
        ("--mirror", "mirror"),
        ("--label br --background portrait", "label background"),
        ("--no-label", "label"),
    ],
)
def test_the_command_line_is_asked_what_it_says_itself(
    words: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()

    @app.command()
    def some(
        context: typer.Context,
        background: BackgroundOption = "portrait",
        mirror: MirrorOption = False,
        label: LabelOption = "br",
        no_label: NoLabelOption = False,
    ) -> None:
        typer.echo(" ".join(said(context, "label", "no_label", "background", "mirror")))

    app(words.split(), standalone_mode=False)
    assert capsys.readouterr().out.strip() == named


@pytest.mark.slow
def test_the_program_takes_what_is_kept_unless_its_command_line_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("facepuppet.session.kept_settings.settings_folder", lambda: tmp_path)
    path = tmp_path / "avatars.toml"
    kept = f"schema = 1\n[avatars.{ONE.source_sha256}]\nbackground = '#00ff00'\nstill = ['head']\n"
    path.write_text(kept)

    def corner(*words: str) -> tuple[str, list[bool]]:
        film = tmp_path / "film.mkv"
        film.unlink(missing_ok=True)
        status, _, err = program.run(
            capsys,
            *("run", "--avatar", str(sample_portrait_path()), "--camera", "script", "--seconds", "0.4"),
            *("--sink", str(film), "--canvas", "320x180", "--label", "off", "--no-ui", *words),
        )
        assert status == 0, err
        with av.open(str(film)) as video:
            rgb = next(video.decode(video=0)).to_ndarray(format="rgb24")
        told = next((line for line in err.splitlines() if line.startswith("As you last set it")), "")
        return told, (rgb[2:12, 2:12].reshape(-1, 3).mean(0) > 128).tolist()

    assert corner() == ("As you last set it: background, still.", [False, True, False])
    assert corner("--background", "red") == ("As you last set it: still.", [True, False, False])
    assert corner("--background", "blue", "--no-settings") == ("", [False, False, True])
    assert path.read_text() == kept


def test_a_style_comes_back_with_its_avatar_and_goes_with_reset(tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text('schema = 1\nbased_on = "calm"\n[gains]\nbrows = 2.0\n')
    with run(tmp_path) as first:
        first.do("style", name=str(own))
        first.wait(3.0)
    with run(tmp_path) as second:
        style = second.live.control.state.style
        assert style is not None and style[("gains", "brows")] == 2.0 and style[("gains", "yaw")] == 0.7
        assert second.live.control.puppets["two"].character.style is None
        second.send(Reset())
    with run(tmp_path) as third:
        assert third.live.control.state.style is None
    with run(tmp_path, said=("style",)) as fourth:
        assert fourth.live.control.state.style is None


amounts = st.floats(0.0, 4.0).map(lambda amount: round(amount, 4))
speeds = st.none() | st.floats(5.0, 360.0).map(math.radians)
manners = st.builds(
    Manner, st.builds(Gains, *[amounts] * len(REGIONS)), st.frozensets(st.sampled_from(REGIONS)), speeds
)
words = st.sampled_from(["portrait", "blur", "#00ff00", "green", "hsl(120, 50%, 50%)"])
scenes = st.builds(Scene, words.map(Backdrop.parse), st.booleans(), st.sampled_from(Corner))


@settings(deadline=None)
@given(manner=manners, scene=scenes, style=st.none() | st.sampled_from(STYLE_NAMES).map(load_style))
def test_whatever_is_set_comes_back_the_same(manner: Manner, scene: Scene, style: Style | None) -> None:
    table: dict[str, Any] = {}
    for (name, *inner), value in avatar_values(manner, scene, style).items():
        held = list(value) if isinstance(value, tuple) else value
        table.update({name: {**table.get(name, {}), inner[0]: held}} if inner else {name: held})
    problems: list[FacepuppetError] = []
    again = with_avatar_settings(Manner(), Scene(mirror=scene.mirror), None, table, problems.append)
    assert not problems
    speed = manner.head_speed_rad_s
    assert again[0].head_speed_rad_s == (speed and pytest.approx(speed, abs=1e-4))
    assert replace(again[0], head_speed_rad_s=speed) == manner
    assert again[2] == style
    assert again[1] == (scene if scene.label is not Corner.OFF else replace(scene, label=Corner.BOTTOM_RIGHT))
