"""One door to a live run: commands go in, from any thread; a snapshot of figures comes out."""

from __future__ import annotations

import logging
import queue
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from facepuppet.core.errors import ControlError, FacepuppetError
from facepuppet.core.types import Expression, Presence
from facepuppet.drivers.base import Driver
from facepuppet.session.commands import (
    Away,
    Command,
    Freeze,
    Recentre,
    SetBackdrop,
    SetGains,
    ShowPuppet,
)
from facepuppet.session.puppet import Puppet

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ControlState:
    """How a run stands at one moment.

    Attributes:
        puppet: name of the one that is shown.
        puppets: names of all.
        presence: how it stands to its driver.
        frozen, away: as commanded.
        refused: the last command that could not be obeyed, in one line; empty if none.
    """

    puppet: str
    puppets: tuple[str, ...]
    presence: Presence
    frozen: bool
    away: bool
    refused: str


class Control:
    """Takes commands and obeys them between two frames, in the order in which they came.

    `send` may be called from any thread and from a signal handler, `state` from any thread. Everything
    else belongs to the thread that makes frames.

    Args:
        driver: whom a re-centre is for.
        puppets: by name, of one canvas size; the first is shown.

    Raises:
        ControlError: no puppet, or puppets of several canvas sizes.
    """

    def __init__(self, driver: Driver, puppets: Mapping[str, Puppet]) -> None:
        sizes = {puppet.canvas_px for puppet in puppets.values()}
        if len(sizes) != 1:
            raise ControlError(
                f"{len(puppets)} puppets of {len(sizes)} canvas sizes",
                "at least one puppet, all of one canvas size",
                "Give every puppet a Composer with the same canvas.",
            )
        self._driver, self._puppets = driver, dict(puppets)
        self._name = next(iter(self._puppets))
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._frozen = self._away = False
        self._held: Expression | None = None  # while frozen: the expression that is held
        self._refused = ""

    @property
    def puppet(self) -> Puppet:
        """The puppet that is shown."""
        return self._puppets[self._name]

    @property
    def puppets(self) -> Mapping[str, Puppet]:
        """All puppets, by name."""
        return self._puppets

    @property
    def state(self) -> ControlState:
        """How things stand."""
        name = self._name
        presence = self._puppets[name].presence
        return ControlState(name, tuple(self._puppets), presence, self._frozen, self._away, self._refused)

    def send(self, command: Command) -> None:
        """Ask for something; it is done before the next frame."""
        self._commands.put(command)

    def obey(self) -> None:
        """Do what was asked for since the last call; what cannot be done is told in one line."""
        for command in self._waiting():
            try:
                self._do(command)
            except FacepuppetError as problem:
                self._refused = str(problem)
                log.warning("%s", problem)

    def heard(self, expression: Expression) -> Expression:
        """Return what is left of an expression by freeze and away; id and time stay its own."""
        if self._away:
            return Expression.absent(expression.frame_id, expression.captured_ns)
        if not self._frozen:
            return expression
        if self._held is None:
            self._held = expression
        return replace(self._held, frame_id=expression.frame_id, captured_ns=expression.captured_ns)

    def _waiting(self) -> Iterator[Command]:
        with suppress(queue.Empty):
            while True:
                yield self._commands.get_nowait()

    def _do(self, command: Command) -> None:
        match command:
            case Recentre():
                self._driver.recentre()
            case Freeze(on):
                self._frozen = not self._frozen if on is None else on
                self._held = None
            case Away(on):
                self._away = not self._away if on is None else on
            case SetGains(gains):
                self.puppet.set_gains(gains)
            case SetBackdrop(backdrop):
                self.puppet.set_backdrop(backdrop)
            case ShowPuppet(name):
                self._show(name)

    def _show(self, name: str) -> None:
        if name not in self._puppets:
            raise ControlError(
                f"puppet {name[:60]!r}, which is not in this run",
                f"one of {', '.join(self._puppets)}",
                "The picture stays as it is.",
            )
        self._name = name
