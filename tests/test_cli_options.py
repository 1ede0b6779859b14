"""`run` and `render` understand the same words, by the same objects."""

from __future__ import annotations

import inspect
from typing import get_type_hints

import pytest
import typer

from facepuppet.cli import live_parts
from facepuppet.cli import render as render_module
from facepuppet.cli import run as run_module
from facepuppet.cli.app import app
from facepuppet.cli.render import render
from facepuppet.cli.run import run

# A film has its own length and pace and is always at its best; nobody watches or switches in the middle.
ONLY_LIVE = {"seconds", "fps", "quality", "card", "recordings", "ui", "ui_port"}
ONLY_OFFLINE = {"neutral"}  # a live run finds rest by itself, or takes a profile
SAME_PLACE = {"camera": "source", "sink": "output"}  # where frames come from and go to, by other types
SEVERAL_LIVE = {"avatar"}  # to switch between


def hints(command: object) -> dict[str, object]:
    return get_type_hints(command, include_extras=True)


def spellings(command: str, name: str) -> set[str]:
    params = typer.main.get_command(app).commands[command].params  # type: ignore[attr-defined]
    return set(next(param for param in params if param.name == name).opts)


class Seen(BaseException):
    """All that was to be seen; nothing else raises it, nothing catches it."""


def test_what_both_take_is_the_same_object_with_the_same_default() -> None:
    of_run, of_render = inspect.signature(run).parameters, inspect.signature(render).parameters
    both = (of_run.keys() & of_render.keys()) - SEVERAL_LIVE
    assert {"label", "no_label", "label_every", "profile", "canvas", "key", "right"} <= both
    for name in both:
        assert hints(run)[name] == hints(render)[name], name
        assert of_run[name].default == of_render[name].default, name
        if name in vars(run_module):  # written as one name in both files
            assert vars(run_module)[name] is vars(render_module)[name]


def test_what_only_one_takes_has_no_meaning_in_the_other() -> None:
    of_run, of_render = set(inspect.signature(run).parameters), set(inspect.signature(render).parameters)
    assert of_run - of_render == ONLY_LIVE | SAME_PLACE.keys()
    assert of_render - of_run == ONLY_OFFLINE | set(SAME_PLACE.values())


def test_where_from_and_where_to_are_understood_by_either_word() -> None:
    for name in SEVERAL_LIVE:
        assert spellings("run", name) == spellings("render", name)
    for live, offline in SAME_PLACE.items():
        assert spellings("run", live) == spellings("render", offline)
    assert spellings("record", "camera") == spellings("run", "camera") == {"--camera", "--input"}


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
    from facepuppet.portrait import sample_portrait_path

    arguments = [command, "--avatar", str(sample_portrait_path()), "--right", "public-domain", *words]
    arguments += ["--input", "x.mp4", "--output", "out.mp4"]
    with pytest.raises(Seen):
        app(arguments, standalone_mode=False)
    assert seen == ["off"]
