"""The program run inside the test's process, and what it says."""

from __future__ import annotations

import pytest

from facepuppet.cli import main


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run the program; returns exit status, standard output and standard error."""
    with pytest.raises(SystemExit) as left:
        main(list(words))
    told = capsys.readouterr()
    return int(left.value.code or 0), told.out, told.err


def one_line(err: str) -> str:
    """The error, which must be one line and no traceback."""
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if line.startswith("facepuppet:")]
    assert len(lines) == 1, err
    return lines[0]
