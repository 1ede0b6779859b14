"""Styles in files: what is shipped, what is refused, and on which line."""

from __future__ import annotations

import math
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facepuppet.character import SETTINGS, STYLE_NAMES, Style, load_style
from facepuppet.character.units_of_style import value_of, written
from facepuppet.core.errors import StyleError

REFUSED = {
    "an unknown key": ("schema = 1\n\n[gains]\nbrows = 1.0\nnose = 2.0\n", 5, "unknown key 'gains.nose'"),
    "an unknown table": ("schema = 1\n[wings]\nleft = 1\n", 2, "unknown key 'wings'"),
    "an unknown word at the top": ("schema = 1\nbrows = 2\n", 2, "unknown key 'brows'"),
    "a number where a time is": ("schema = 1\n[timing.head]\nonset = 0.2\n", 3, "with its unit"),
    "a weight where a time is": ('schema = 1\n[timing.head]\nonset = "3 kg"\n', 3, '"120 ms"'),
    "an angle where a rate is": ('schema = 1\n[habits]\nnods = "3 deg"\n', 3, '"6 / min"'),
    "a unit where none is": ('schema = 1\n[gains]\njaw = "2 x"\n', 3, "without a unit"),
    "true for a gain": ("schema = 1\n[gains]\njaw = true\n", 3, "without a unit"),
    "NaN": ("schema = 1\n[gains]\n# a remark\njaw = nan\n", 4, "from 0.0 to 3.0"),
    "infinity": ("schema = 1\n[gains]\njaw = inf\n", 3, "from 0.0 to 3.0"),
    "NaN in a look": ("schema = 1\n[emotion.pleasant]\nmouthSmile = nan\n", 3, "-1.0 to 1.0"),
    "less than nothing": ("schema = 1\n[gains]\njaw = -1\n", 3, "from 0.0 to 3.0"),
    "too much": ('schema = 1\n[habits]\nblinks = "900 / min"\n', 3, "60 / min"),
    "no shape of a face": ("schema = 1\n[emotion.pleasant]\nears = 0.2\n", 3, "ARKit"),
    "no mood": ("schema = 1\n[emotion.hungry]\njawOpen = 0.2\n", 2, "unknown key 'emotion.hungry'"),
    "a table that is a number": ("schema = 1\ngains = 3\n", 2, "a table"),
    "a timing of lips": ('schema = 1\n[timing.mouth]\nonset = "1 s"\n', 2, "brows, head, smile"),
    "itself as its base": ('schema = 1\nbased_on = "it.toml"\n', 2, "no loop"),
    "an unknown base": ('schema = 1\n\nbased_on = "shy"\n', 3, "one of reserved"),
    "a base of no word": ("schema = 1\nbased_on = 3\n", 2, "a word in quotes"),
    "a later schema": ("# x\nschema = 2\n", 2, "schema = 1"),
    "an inline table": ('schema = 1\n[timing]\nhead = { hold = "1 s", decay = 1 }\n', 3, "decay = 1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_with_a_style_is_told_with_its_line(case: str, tmp_path: Path) -> None:
    text, line, told = REFUSED[case]
    path = tmp_path / "it.toml"
    path.write_text(text)
    with pytest.raises(StyleError) as caught:
        load_style(path)
    assert f"line {line}" in str(caught.value) and told in str(caught.value)
    assert len(str(caught.value)) < 400


def test_styles_that_are_based_on_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('schema = 1\nbased_on = "b.toml"\n')
    (tmp_path / "b.toml").write_text('schema = 1\n\nbased_on = "c.toml"\n')
    (tmp_path / "c.toml").write_text('schema = 1\nname = "c"\nbased_on = "./a.toml"\n')
    with pytest.raises(StyleError, match=r"c\.toml', line 3: based_on './a.toml', which is based on this"):
        load_style(tmp_path / "a.toml")


def test_a_chain_of_bases_without_end_is_refused(tmp_path: Path) -> None:
    for n in range(20):
        (tmp_path / f"{n}.toml").write_text(f'schema = 1\nbased_on = "{n + 1}.toml"\n')
    with pytest.raises(StyleError, match="fewer"):
        load_style(tmp_path / "0.toml")


NO_FILES = ("missing.toml", "shy", "", "\0.toml", "~nobody-there/x.toml", "x" * 300 + ".toml")


@pytest.mark.parametrize("word", NO_FILES)
def test_what_is_no_style_is_one_sentence(word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StyleError) as caught:
        load_style(word)
    assert caught.value.line is None and len(str(caught.value)) < 500


def test_bytes_that_are_no_text_and_text_that_is_no_toml_are_refused(tmp_path: Path) -> None:
    for content in (b"\xff\xfe\x00", b"schema = ", b"[" * 5000, b"x" * 200_000):
        (tmp_path / "it.toml").write_bytes(content)
        with pytest.raises(StyleError):
            load_style(tmp_path / "it.toml")


def test_what_is_shipped_is_what_is_named_and_each_differs() -> None:
    folder = files("facepuppet.character") / "styles"
    assert {one.name for one in folder.iterdir()} == {f"{name}.toml" for name in STYLE_NAMES}
    styles = [load_style(name) for name in STYLE_NAMES]
    assert [style.name for style in styles] == list(STYLE_NAMES)
    assert len({tuple(sorted(style.values.items())) for style in styles}) == len(STYLE_NAMES)


def test_a_style_has_what_its_base_has_and_its_own_on_top(tmp_path: Path) -> None:
    (tmp_path / "it.toml").write_text(
        'schema = 1\nbased_on = "theatrical"\n[habits]\nnods = "1 / min"\n[emotion.pleasant]\njawOpen = 0.1\n'
    )
    style, base = load_style(tmp_path / "it.toml"), load_style("theatrical")
    assert style[("habits", "nods")] == 1.0 and style[("gains", "brows")] == base[("gains", "brows")]
    assert style.looks["pleasant"] == {**base.looks["pleasant"], "jawOpen": 0.1}
    assert style.looks["excited"] == base.looks["excited"]


def test_units_mean_what_they_say(tmp_path: Path) -> None:
    (tmp_path / "it.toml").write_text(
        'schema = 1\n[timing.head]\nonset = "120 ms"\nhold = "1.5s"\n[thresholds]\nhead = "3 deg"\n'
        '[habits]\nnods = "6 per minute"\nblinks = "17/min"\n'
    )
    style = load_style(tmp_path / "it.toml")
    assert style[("timing", "head", "onset")] == pytest.approx(0.12)
    assert style[("timing", "head", "hold")] == pytest.approx(1.5)
    assert style[("thresholds", "head")] == pytest.approx(math.radians(3.0))
    assert style[("habits", "nods")] == 6.0 and style[("habits", "blinks")] == 17.0


@given(st.sampled_from(list(SETTINGS)), st.floats(0.0, 1.0))
def test_a_value_that_is_written_reads_back(key: tuple[str, ...], share: float) -> None:
    import tomllib

    setting = SETTINGS[key]
    value = share * setting.most
    text = written(value, setting)
    again = value_of(tomllib.loads(f"x = {text}")["x"], setting)
    assert again == pytest.approx(value, rel=0.01, abs=6e-3)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=200))
def test_whatever_a_file_says_is_a_style_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text("schema = 1\n" + text, encoding="utf-8", errors="replace")
    try:
        assert isinstance(load_style(path), Style)
    except StyleError as problem:
        assert "\n" not in problem.expected
