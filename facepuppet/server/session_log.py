"""Logs for programs: a JSON object a line, with ids of sessions; no picture, SDP or address of a person."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

KNOWN = (
    "session",
    "why",
    "error",
    "avatar",
    "seconds",
    "step",
    "errand",
)  # what a line may carry beside its text
_LARGEST = 8 * 2**20  # bytes of one file
_FILES = 3


class JsonLines(logging.Formatter):
    """Sets a record as {"time", "level", "what", "where", "line", …}.

    Only what `KNOWN` names is taken over from a record's extras: what is not foreseen cannot leak.

    Args:
        what: kind of process.
    """

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; an exception is told by its type and place, as its words may quote anything."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "time": f"{stamp}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "what": self._what,
            "where": record.name,
            "line": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in KNOWN if hasattr(record, name)}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["at"] = _places(record)
        return json.dumps(line, ensure_ascii=False, default=str)


def _places(record: logging.LogRecord) -> list[str]:
    trace = record.exc_info[2] if record.exc_info else None
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places[-8:]


def log_as_json(what: str, folder: Path | None, level: int = logging.INFO) -> None:
    """Send what this package logs in this process to a file of its own, or to standard error.

    Args:
        what: kind of process, "host" or "reception"; the file's name begins with it.
        folder: for files, made if need be; each is 8 MiB at most, and two older ones are kept.
        level: from which on.
    """
    handler: logging.Handler
    if folder is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        path = (
            folder / f"{what}-{os.uname().nodename if hasattr(os, 'uname') else 'here'}-{os.getpid()}.jsonl"
        )
        handler = RotatingFileHandler(path, maxBytes=_LARGEST, backupCount=_FILES - 1, encoding="utf-8")
    handler.setFormatter(JsonLines(what))
    for chatty in ("aiortc", "aioice"):  # a line for each packet of noise that somebody sends
        logging.getLogger(chatty).setLevel(logging.ERROR)
    logger = logging.getLogger("facepuppet")
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False
