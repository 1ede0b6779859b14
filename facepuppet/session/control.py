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
    SetQuality,
    ShowPuppet,
)
from facepuppet.session.ladder import AUTO, BY_NAME, LADDER, Step, check_quality
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
        quality: name of the present one.
        asked_quality: "auto", or the one that was asked for.
    """

    puppet: str
    puppets: tuple[str, ...]
    presence: Presence
    frozen: bool
    away: bool
    refused: str
    quality: str
    asked_quality: str


class Control:
    """Takes commands and obeys them between two frames, in the order in which they came.

    `send` may be called from any thread and from a signal handler, `state` from any thread. Everything
    else belongs to the thread that makes frames.

    Args:
        driver: whom a re-centre is for.
        puppets: by name, of one canvas size; the first is shown.
        quality: name of the one to keep, or "auto" for what `adapt` says.

    Attributes:
        asked_quality: as commanded.
        step: the present quality.

    Raises:
        ControlError: no puppet, puppets of several canvas sizes, or an unknown quality.
    """

    def __init__(self, driver: Driver, puppets: Mapping[str, Puppet], quality: str = AUTO) -> None:
        sizes = {puppet.canvas_px for puppet in puppets.values()}
        if len(sizes) != 1:
            raise ControlError(
                f"{len(puppets)} puppets of {len(sizes)} canvas sizes",
                "at least one puppet, all of one canvas size",
                "Give every puppet a Composer with the same canvas.",
            )
        self._driver, self._puppets = driver, dict(puppets)
        self._name = next(iter(self._puppets))
        self._commands: queue.SimpleQueue[Command | Step] = queue.SimpleQueue()
        self._frozen = self._away = False
        self._held: Expression | None = None  # while frozen: the expression that is held
        self._refused = ""
        self.asked_quality = check_quality(quality)
        self._use(LADDER[BY_NAME.get(quality, 0)])  # whatever an earlier run left the puppet at

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
        return ControlState(
            puppet=name,
            puppets=tuple(self._puppets),
            presence=presence,
            frozen=self._frozen,
            away=self._away,
            refused=self._refused,
            quality=self.step.name,
            asked_quality=self.asked_quality,
        )

    def send(self, command: Command) -> None:
        """Ask for something; it is done before the next frame."""
        self._commands.put(command)

    def adapt(self, step: Step) -> None:
        """Use a quality from the next frame on, unless one is asked for by name; from any thread."""
        self._commands.put(step)

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

    def _waiting(self) -> Iterator[Command | Step]:
        with suppress(queue.Empty):
            while True:
                yield self._commands.get_nowait()

    def _do(self, command: Command | Step) -> None:
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
            case SetQuality(name):
                self._set_quality(name)
            case Step():
                if self.asked_quality == AUTO:
                    self._use(command)

    def _show(self, name: str) -> None:
        if name not in self._puppets:
            raise ControlError(
                f"puppet {name[:60]!r}, which is not in this run",
                f"one of {', '.join(self._puppets)}",
                "The picture stays as it is.",
            )
        self._name = name
        self._use(self.step)

    def _set_quality(self, name: str) -> None:
        self.asked_quality = check_quality(name)
        if name != AUTO:
            self._use(LADDER[BY_NAME[name]])

    def _use(self, step: Step) -> None:
        self.step = step
        self.puppet.set_quality(step.quality)
