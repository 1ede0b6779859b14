"""The counter that tells calls apart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from facepuppet.session.call_counter import next_session


def test_counts_from_one_and_remembers(tmp_path: Path) -> None:
    assert [next_session(tmp_path / "state") for _ in range(3)] == [1, 2, 3]


def test_a_folder_that_cannot_be_written_costs_only_the_count(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert next_session(tmp_path / "file") == 0


def test_a_damaged_counter_costs_only_the_count(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_text("many")
    assert next_session(tmp_path) == 0


def test_calls_that_start_at_once_get_numbers_of_their_own(tmp_path: Path) -> None:
    """Counted by several processes together."""
    code = (
        "import sys; from pathlib import Path; from facepuppet.session.call_counter import next_session\n"
        "for _ in range(20): print(next_session(Path(sys.argv[1])))"
    )
    root = Path(__file__).resolve().parents[1]
    counting = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=root
        )
        for _ in range(3)
    ]
    numbers = [int(line) for process in counting for line in process.communicate()[0].split()]
    assert sorted(numbers) == list(range(1, 61))
