from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from facepuppet.server.session_log import log_as_json


@pytest.fixture(autouse=True)
def logger() -> Iterator[logging.Logger]:
    """The package's logger, put back as it was."""
    logger = logging.getLogger("facepuppet")
    kept = logger.handlers[:], logger.level, logger.propagate
    yield logger
    logger.handlers[:], logger.propagate = kept[0], kept[2]
    logger.setLevel(kept[1])


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for path in folder.iterdir() for line in path.read_text().splitlines()]


def test_a_line_is_json_and_carries_what_is_foreseen_alone(tmp_path: Path) -> None:
    log_as_json("host", tmp_path / "logs")
    told = {"session": "abc", "why": "left", "sdp": "v=0", "address": "192.0.2.7"}
    logging.getLogger("facepuppet.server.x").info("It is %s.", "over\nreally", extra=told)
    logging.getLogger("facepuppet.server.x").debug("not told")
    (line,) = lines(tmp_path / "logs")
    assert line.pop("time")
    assert line == {
        "level": "info",
        "what": "host",
        "where": "facepuppet.server.x",
        "line": "It is over\nreally.",
        "session": "abc",
        "why": "left",
    }


def test_an_exception_is_told_by_its_place_without_its_words(tmp_path: Path) -> None:
    log_as_json("host", tmp_path)
    try:
        raise ValueError("of 192.0.2.7")
    except ValueError:
        logging.getLogger("facepuppet").exception("a session failed", extra={"session": "abc"})
    (line,) = lines(tmp_path)
    assert line["error"] == "ValueError" and "192.0.2.7" not in json.dumps(line)
    assert "test_session_log.py" in str(line["at"])


def test_files_turn_over(tmp_path: Path, logger: logging.Logger) -> None:
    log_as_json("reception", tmp_path)
    for handler in logger.handlers:
        handler.maxBytes = 2000  # type: ignore[attr-defined]
    for _ in range(100):
        logger.info("a line")
    assert 2 <= len(list(tmp_path.iterdir())) <= 3
    assert all(path.stat().st_size <= 2000 for path in tmp_path.iterdir())
