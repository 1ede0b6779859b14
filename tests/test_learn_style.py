"""A style learnt from a recording of somebody, and what is too little to learn from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import program
import pytest
from performances import moment

from facepuppet.character import LEAST_S, Style, learn_style, load_style, style_text
from facepuppet.core.errors import StyleError
from facepuppet.core.types import Expression
from facepuppet.drivers import RecordingWriter

FPS = 10


def performed(seconds: float, lively: float, blinks: float = 0.0, nods: float = 0.0) -> Iterator[Expression]:
    """Somebody who sways, smiles and raises the brows by so much, blinks and nods so many times a minute."""
    for n in range(round(seconds * FPS)):
        t_s = n / FPS
        shut = blinks > 0.0 and t_s % (60.0 / blinks) < 0.25 and t_s > 1.0
        nod = max(0.0, 1.0 - abs(t_s % (60.0 / nods) - 0.4) / 0.4) if nods else 0.0
        yield moment(
            t_s,
            yaw=lively * math.sin(0.7 * t_s),
            smile=lively * max(0.0, math.sin(0.31 * t_s)),
            brows=lively * max(0.0, math.sin(0.5 * t_s)),
            pitch=0.6 * nod,
            lids=1.0 / 0.3 if shut else 0.0,
        )


def test_who_moves_more_gets_larger_gains_and_each_rate_is_counted() -> None:
    small, large = (learn_style(performed(40, lively), "x") for lively in (0.25, 0.75))
    for channel in ("yaw", "smile", "brows"):
        key = ("gains", channel)
        assert large[key] > small[key]
        if small[key] > 0.25 and large[key] < 2.0:  # within bounds the gains are as the movements
            assert large[key] / small[key] == pytest.approx(3.0, rel=0.1)
    counted = learn_style(performed(60, 0.3, blinks=15, nods=12), "x")
    assert counted[("habits", "blinks")] == pytest.approx(15, abs=1.5)
    assert counted[("habits", "nods")] == pytest.approx(6, abs=1)  # half: the driver's own come, too


def test_a_learnt_style_is_a_commented_file_that_reads_back(tmp_path: Path) -> None:
    style = learn_style(performed(30, 0.5, blinks=20), 'a "name"\n')
    (tmp_path / "me.toml").write_text(style_text(style, "Learnt from\nsomebody."))
    again = load_style(tmp_path / "me.toml")
    assert again.values == {key: pytest.approx(value, abs=6e-3) for key, value in style.values.items()}
    assert again.name == "a name" and "# Learnt from\n# somebody.\n" in (tmp_path / "me.toml").read_text()


@pytest.mark.parametrize("seconds", [0.0, 0.1, LEAST_S - 1.0])
def test_too_little_of_somebody_is_refused(seconds: float) -> None:
    with pytest.raises(StyleError, match="at least 20 s"):
        learn_style(performed(seconds, 0.5), "x")


def test_time_without_a_face_does_not_count() -> None:
    seen = list(performed(15, 0.5))
    seen += [Expression.absent(n, round(n / FPS * 1e9)) for n in range(150, 600)]
    seen += [moment(t_s) for t_s in (60.0, 60.1)]
    with pytest.raises(StyleError, match=r"for 15\.1 s"):
        learn_style(seen, "x")


def recording(path: Path, seconds: float) -> Path:
    with RecordingWriter(path, "somebody", float(FPS)) as writer:
        for expression in performed(seconds, 0.5):
            writer.add(expression)
    return path


def test_the_command_learns_and_says_what_it_cannot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    me, other = tmp_path / "me.toml", tmp_path / "b.toml"
    take, short = recording(tmp_path / "take.npz", 25), recording(tmp_path / "short.npz", 5)
    code, _, _ = program.run(capsys, "style", "learn", str(take), "--output", str(me))
    assert code == 0 and isinstance(load_style(me), Style)
    for source, output, told in (
        (short, other, "at least 20 s"),
        (tmp_path / "none.npz", other, "none.npz"),
        (tmp_path / "film.mp4", other, ".npz or .csv"),
        (take, tmp_path / "me.txt", ".toml"),
    ):
        code, _, err = program.run(capsys, "style", "learn", str(source), "--output", str(output))
        assert code == 2 and told in program.one_line(err) and not output.exists()


def test_the_command_lists_shows_and_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = program.run(capsys, "style", "list")
    assert len(out.splitlines()) == 5 and "Deadpan" in out
    own = tmp_path / "own.toml"
    own.write_text(program.run(capsys, "style", "show", "calm")[1])
    assert "calm" in program.run(capsys, "style", "check", str(own))[1]
    own.write_text("schema = 1\n[gains]\nnose = 1\n")
    code, _, err = program.run(capsys, "style", "check", str(own))
    assert code == 2 and "line 3" in program.one_line(err)
