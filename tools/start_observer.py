"""Runs the program and notes when what happens until its first frame is out; tools/start_time.py calls it.

    python start_observer.py REPORT.json BEGUN_NS run --avatar ...

BEGUN_NS is the monotonic clock when the process was started. Imports nothing of the program before the
program does, so that it changes neither what is imported nor when.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

# What to time, by the module that has it: attribute, label, and whether the end of its first call is noted.
WATCHED = {
    "facepuppet.portrait.load": ("load_as_pack", "portrait", False),
    "facepuppet.session.puppet": ("Puppet.__init__", "puppet", False),
    "facepuppet.inference.onnx_session": ("OnnxSession.__init__", "networks", False),
    "facepuppet.drivers.driver_words": ("open_driver", "camera", False),
    "facepuppet.sinks.sink_words": ("open_sink", "sink", False),
    "facepuppet.session.live": ("LivePipeline.start", "loop", True),
    "facepuppet.drivers.camera.tracker": ("Tracker.track", "tracking", True),
    "facepuppet.sinks.metered_sink": ("MeteredSink._write", "first frame", True),
}


class Observer:
    """Times spans of the main thread, each without those inside it, and notes when others first ended.

    Attributes:
        spent_ns: on each kind of span.
        noted_ns: when something first ended, since the start of the process.
        cpu_ns: the time of CPUs that the process had used by then.
    """

    def __init__(self, begun_ns: int) -> None:
        self._begun_ns = begun_ns
        self._open: list[tuple[str, int]] = []
        self.spent_ns: dict[str, int] = defaultdict(int)
        self.noted_ns: dict[str, int] = {}
        self.cpu_ns: dict[str, int] = {}

    def note(self, what: str) -> None:
        """Remember when this happened first."""
        if what not in self.noted_ns:
            self.noted_ns[what] = time.monotonic_ns() - self._begun_ns
            self.cpu_ns[what] = time.process_time_ns()

    @contextmanager
    def span(self, label: str) -> Iterator[None]:
        """Time a piece of work, if the main thread does it before the first frame."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._count()
        self._open.append((label, time.monotonic_ns()))
        try:
            yield
        finally:
            self._count()
            self._open.pop()
            if self._open:
                self._open[-1] = self._open[-1][0], time.monotonic_ns()

    def _count(self) -> None:
        """Add what has passed to the innermost span, until the loop runs: then the main thread waits."""
        if self._open and "loop" not in self.noted_ns:
            label, since_ns = self._open[-1]
            now_ns = time.monotonic_ns()
            self.spent_ns[label] += now_ns - since_ns
            self._open[-1] = label, now_ns

    def wrap(self, work: Callable[..., Any], label: str, noted: bool) -> Callable[..., Any]:
        """The same function, timed."""

        @wraps(work)
        def timed(*arguments: Any, **options: Any) -> Any:
            with self.span(label):
                result = work(*arguments, **options)
            if noted:
                self.note(label)
            return result

        return timed

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module as Python would, with a loader that is timed (see sys.meta_path)."""
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            execute = self.wrap(loader.exec_module, "imports", False)

            def exec_module(module: ModuleType) -> None:
                execute(module)
                if name in WATCHED:
                    self._watch(module, *WATCHED[name])

            loader.create_module = self.wrap(loader.create_module, "imports", False)
            loader.exec_module = exec_module
        return spec

    def _watch(self, module: ModuleType, attribute: str, label: str, noted: bool) -> None:
        owner: Any = module
        *parents, last = attribute.split(".")
        for parent in parents:
            owner = getattr(owner, parent)
        setattr(owner, last, self.wrap(getattr(owner, last), label, noted))


def main() -> None:
    """Run the program; write what was seen, in nanoseconds."""
    report, begun_ns, *words = sys.argv[1:]
    observer = Observer(int(begun_ns))
    observer.note("interpreter")
    sys.meta_path.insert(0, observer)
    try:
        with observer.span("else"):
            from facepuppet.cli import main as program

            program(words)
    finally:
        seen = {"spent_ns": observer.spent_ns, "noted_ns": observer.noted_ns, "cpu_ns": observer.cpu_ns}
        Path(report).write_text(json.dumps(seen), encoding="utf-8")


if __name__ == "__main__":
    main()
