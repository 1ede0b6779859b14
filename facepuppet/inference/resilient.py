"""A session that outlives the engine it runs on."""

from __future__ import annotations

from typing import Protocol

from facepuppet.core.errors import EngineError
from facepuppet.core.types import F32
from facepuppet.inference.onnx_session import Feed, Session


class Keeper(Protocol):
    """Who remembers which engines were lost (`opening.Runtime`)."""

    def is_lost(self, engine: str) -> bool:
        """Whether an engine failed in mid-stream: other networks need not wait for it too."""

    def lose(self, engine: str, problem: EngineError) -> None:
        """Give an engine up for the rest of the run."""


class ResilientSession:
    """A session that the CPU takes over from when it fails in mid-stream.

    Args:
        session: what runs the network.
        spare: ONNX Runtime on the CPU, already open: a call must not wait for it.
        engines: told of the loss.
    """

    def __init__(self, session: Session, spare: Session, engines: Keeper) -> None:
        self._session, self._spare, self._engines = session, spare, engines
        self._dead: Session | None = None  # kept: destructors of a lost GPU may hang
        self.input_shapes, self.output_names = spare.input_shapes, spare.output_names

    @property
    def engine(self) -> str:
        """One of ENGINES, at present."""
        return self._session.engine

    @property
    def description(self) -> str:
        """Engine, version and device, at present."""
        return self._session.description

    def run(self, feed: Feed) -> dict[str, F32]:
        """Return every output by name; an engine that fails costs this frame some time, no more."""
        if self._session is not self._spare:
            if not self._engines.is_lost(self._session.engine):
                try:
                    return self._session.run(feed)
                except EngineError as problem:
                    self._engines.lose(self._session.engine, problem)
            self._dead, self._session = self._session, self._spare
        return self._session.run(feed)
