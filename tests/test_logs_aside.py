"""A log that cannot be written holds nobody up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest
from fakes import PATIENCE_S

from facepuppet.cli import logs_aside as module
from facepuppet.cli.logs_aside import logs_aside

log = logging.getLogger("facepuppet.test")


class Stalled(logging.Handler):
    """A terminal or a disk that takes nothing until it flows."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.flows, self.lines = threading.Event(), list[str]()

    def emit(self, record: logging.LogRecord) -> None:
        assert self.flows.wait(PATIENCE_S)
        self.lines.append(record.getMessage())


@pytest.fixture
def stalled() -> Iterator[Stalled]:
    root, handler = logging.getLogger(), Stalled()
    before, root.handlers[:] = list(root.handlers), [handler]
    yield handler
    handler.flows.set()
    root.handlers[:] = before


def test_whoever_logs_goes_on_and_every_line_comes_in_order(stalled: Stalled) -> None:
    changing = [1]
    with logs_aside():
        log.warning("first %s", changing)
        changing.append(2)
        log.info("not told")
        log.error("second")
        assert stalled.lines == []
        stalled.flows.set()
    assert stalled.lines == ["first [1]", "second"]
    log.warning("third")
    assert stalled.lines[-1] == "third"


def test_a_log_that_stays_stalled_is_left_behind(stalled: Stalled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.05)
    monkeypatch.setattr(module, "ROOM", 3)
    with logs_aside():
        for number in range(20):
            log.warning("line %d", number)
    assert stalled.lines == []
    assert stalled in logging.getLogger().handlers


def test_a_handler_that_fails_does_not_silence_the_others(stalled: Stalled) -> None:
    broken = logging.Handler()
    broken.emit = lambda record: 1 // 0  # type: ignore[assignment, method-assign, return-value]
    logging.getLogger().handlers[:] = [broken, stalled]
    stalled.flows.set()
    with logs_aside():
        log.warning("one")
        log.warning("two")
    assert stalled.lines == ["one", "two"]
