"""MediaPipe writes progress chatter straight to file descriptor 2; this keeps it off the terminal."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_CHATTER = re.compile(
    rb"^([WI]0000 00:00|INFO: Created TensorFlow Lite|WARNING: All log messages before absl::)"
)
_one_at_a_time = threading.RLock()


@contextmanager
def quiet_native_logs() -> Iterator[None]:
    """Hold back native log lines while the block runs; anything else on stderr is passed on afterwards.

    The chatter comes from C++ and cannot be silenced by Python's logging or by the environment. Blocks on
    several threads run one after the other. Does nothing where stderr has no file descriptor.
    """
    with _one_at_a_time:
        try:
            keep = os.dup(2)
        except OSError:
            yield
            return
        with tempfile.TemporaryFile() as held:
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(held.fileno(), 2)
            try:
                yield
            finally:
                if sys.stderr is not None:
                    sys.stderr.flush()
                os.dup2(keep, 2)
                os.close(keep)
                held.seek(0)
                rest = b"".join(line for line in held if not _CHATTER.match(line))
                if rest:
                    os.write(2, rest)
