"""`run` and `render` understand the same words, by the same objects."""

from __future__ import annotations

import inspect

import pytest
import typer

from facepuppet.cli import live_parts
from facepuppet.cli import render as render_module
from facepuppet.cli import run as run_module
from facepuppet.cli.app import app
from facepuppet.cli.render import render
from facepuppet.cli.run import run
from facepuppet.portrait import sample_portrait_path

HOW_PICTURES_ARE_MADE = {
    *(
        "canvas",
        "background",
        "mirror",
        "label",
        "label_every",
        "no_label",
        "profile",
        "engine",
        "tracker",
        "maker",
    ),
    *("key", "signed_by", "right", "subject", "granted", "revoked", "stats", "tracking", "fps"),
    *("liveliness", "voice_region", "voice_intensity", "emotion", "seed"),
}
ONLY_OFFLINE = {"neutral"}  # a live run finds rest by itself, or takes a profile
SAME_PLACE = {"camera": "source", "sink": "output"}  # where frames come from and go to, by other types
SEVERAL_LIVE = {"avatar"}  # to switch between


def spellings(command: str, name: str) -> set[str]:
    params = typer.main.get_command(app).commands[command].params  # type: ignore[attr-defined]
    return set(next(param for param in params if param.name == name).opts)


SHOW = ("--avatar", str(sample_portrait_path()), "--right", "public-domain")


class Seen(BaseException):
    """All that was to be seen; nothing else raises it, nothing catches it."""


def test_what_both_take_is_the_same_object_with_the_same_default() -> None:
    of_run, of_render = inspect.signature(run).parameters, inspect.signature(render).parameters
    both = (of_run.keys() & of_render.keys()) - SEVERAL_LIVE
    assert both >= HOW_PICTURES_ARE_MADE
    for name in both:
        word = of_run[name].annotation  # as it is written: the name of an option
        assert getattr(run_module, word) is getattr(render_module, of_render[name].annotation), name
        assert of_run[name].default == of_render[name].default, name


def test_a_live_run_takes_whatever_a_film_does() -> None:
    of_run, of_render = set(inspect.signature(run).parameters), set(inspect.signature(render).parameters)
    assert of_render - of_run == ONLY_OFFLINE | set(SAME_PLACE.values())


def test_where_from_and_where_to_are_understood_by_either_word() -> None:
    for name in SEVERAL_LIVE:
        assert spellings("run", name) == spellings("render", name)
    for live, offline in SAME_PLACE.items():
        assert spellings("render", offline) - spellings("run", live) <= spellings("run", "driver")
        assert spellings("run", live) <= spellings("render", offline)
    assert "--driver" in spellings("render", "source")
    assert spellings("record", "camera") == spellings("run", "camera") == {"--camera", "--input"}


@pytest.mark.parametrize("words", [["--no-label"], ["--label", "off"]])
def test_what_was_last_set_does_not_bring_the_label_back(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def kept(live: object, *, said: list[str]) -> object:
        seen.append(said)
        raise Seen

    monkeypatch.setattr("facepuppet.session.kept_settings.KeptSettings", kept)
    with pytest.raises(Seen):
        app(["run", *SHOW, "--sink", "page", "--camera", "script", *words], standalone_mode=False)
    assert seen == [["label"]]


@pytest.mark.parametrize("command", ["run", "render"])
@pytest.mark.parametrize("words", [["--no-label"], ["--label", "off"], ["--no-label", "--label", "tl"]])
def test_the_label_goes_off_by_either_word(
    command: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as the composer, which is what draws it."""
    seen: list[str] = []

    def composer(*given: object) -> object:
        seen.append(str(given[4]))
        raise Seen

    monkeypatch.setattr({"run": live_parts, "render": render_module}[command], "composer", composer)
    module = {"run": run_module, "render": render_module}[command]
    monkeypatch.setattr(module, "open_engines", lambda *_: (None, None))
    with pytest.raises(Seen):
        app([command, *SHOW, *words, "--input", "x.mp4", "--output", "out.mp4"], standalone_mode=False)
    assert seen == ["off"]


@pytest.mark.parametrize(
    ("command", "builds"),
    [("run", "facepuppet.session.puppet.Puppet"), ("render", "facepuppet.session.offline.render_video")],
)
@pytest.mark.parametrize(("words", "maker"), [([], "auto"), (["--maker", "liveportrait"], "liveportrait")])
def test_who_draws_is_told_to_whoever_makes_the_puppet(
    command: str, builds: str, words: list[str], maker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[object, object]] = []

    def made(*given: object, **how: object) -> object:
        seen.append((how["maker"], how["fps"]))
        raise Seen

    monkeypatch.setattr(builds, made)
    monkeypatch.setattr(
        {"run": run_module, "render": render_module}[command], "open_engines", lambda *_: (None, None)
    )
    with pytest.raises(Seen):
        show = [command, *SHOW, *words, "--fps", "24", "--input", "x.mp4", "--output", "out.mp4"]
        app(show, standalone_mode=False)
    assert seen == [(maker, 24.0)]
