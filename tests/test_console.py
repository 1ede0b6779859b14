"""Output into files and terminals that are not UTF-8."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
THOROUGH = pytest.mark.thorough
PROGRAM = "from facepuppet.cli import main; main()"


def output(encoding: str, code: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    """What a program of its own says in an encoding."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code, *words], env=environment, capture_output=True, check=False
    )


@pytest.mark.parametrize(
    "encoding",
    ["shift_jis", *(pytest.param(name, marks=THOROUGH) for name in ("cp1252", "latin-1", "cp850"))],
)
def test_doctor_says_all_it_has_to_say(encoding: str) -> None:
    said = output(encoding, PROGRAM, "doctor")
    assert b"Traceback" not in said.stderr
    assert said.returncode in (0, 1)
    assert "cache folder" in said.stdout.decode(encoding)
    if encoding == "cp1252" and "→" in output("utf-8", PROGRAM, "doctor").stdout.decode():
        assert " -> " in said.stdout.decode(encoding)


@pytest.mark.parametrize("program", [PROGRAM, "from calibrate.cli import main; main()"])
def test_every_command_begins_so(program: str) -> None:
    """Whatever is said after the start: arrows, sums, names that are no text, and other scripts."""
    code = "import sys, typer; sys.argv[1:] = ['--help']\ntry:\n " + program.replace("; ", "\n ")
    code += "\nexcept SystemExit:\n typer.echo('a → b ≤ “é” 王 \\udce9'); typer.echo('→', err=True)"
    said = output("cp1252", code)
    assert said.returncode == 0, said.stderr
    assert said.stdout.decode("cp1252").splitlines()[-1] == "a -> b <= “é” \\u738b \\udce9"
    assert said.stderr.decode("cp1252").splitlines()[-1] == "->"


def test_json_stays_json() -> None:
    said = output("cp1252", PROGRAM, "doctor", "--json")
    assert json.loads(said.stdout.decode("cp1252"))["checks"]
