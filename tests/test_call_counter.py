"""The counter that tells calls apart."""

from __future__ import annotations

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
