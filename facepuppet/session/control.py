"""One door to a live run: commands go in, from any thread; a snapshot of figures comes out."""

from __future__ import annotations

import logging
import queue
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from facepuppet.character.bit_stage import BitStage
from facepuppet.character.bits import Bit
from facepuppet.character.code_stage import CodeStage
from facepuppet.character.style import Style
from facepuppet.core.errors import ControlError, FacepuppetError
from facepuppet.core.types import Expression, Presence
from facepuppet.drivers.base import Driver
from facepuppet.frames.cpu.compose.scene import Scene
from facepuppet.retarget.manner import REGIONS, Manner
from facepuppet.session.commands import (
    Away,
    Command,
    Freeze,
    Panic,
    Play,
    Recentre,
    Reset,
    SetBackdrop,
    SetDirection,
    SetGain,
    SetHeadSpeed,
    SetLabel,
    SetMirror,
    SetQuality,
    SetSmoothing,
    SetStill,
    SetStyle,
    SetVoice,
    ShowPuppet,
    StopPlaying,
)
from facepuppet.session.ladder import AUTO, BY_NAME, LADDER, Step, check_quality
from facepuppet.session.puppet import Puppet
from facepuppet.voice.voice_manner import Region, VoiceManner

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ControlState:
    """How a run stands at one moment.

    Attributes:
        puppet: name of the one that is shown.
        puppets: names of all.
        presence: how it stands to its driver.
        frozen, away, panic: as commanded.
        manner: how the puppet that is shown follows.
        scene: what is around it.
        smoothing: how much tremble is taken out of the driver's motion; 1 is as usual.
        voice: how a voice that drives moves the face; None where none does.
        bits: what can be played, by name.
        playing: the bit that is played, and those that wait, in order.
        style: the personality of the puppet that is shown; None for the driver's own.
        directions: where the sliders of the expression code are, by name (`SLIDERS`).
        refused: the last command that could not be obeyed, in one line; empty if none.
        quality: name of the present one.
        asked_quality: "auto", or the one that was asked for.
    """

    puppet: str
    puppets: tuple[str, ...]
    presence: Presence
    frozen: bool
    away: bool
    panic: bool
    manner: Manner
    scene: Scene
    smoothing: float
    voice: VoiceManner | None
    bits: tuple[str, ...]
    playing: tuple[str, ...]
    style: Style | None
    directions: Mapping[str, float]
    refused: str
    quality: str
    asked_quality: str


class Control:
    """Takes commands and obeys them between two frames, in the order in which they came.

    `send` may be called from any thread and from a signal handler, `state` and `panic` from any thread.
    Everything else belongs to the thread that makes frames.

    Args:
        driver: whom a re-centre is for.
        puppets: by name, of one canvas size; the first is shown.
        quality: name of the one to keep, or "auto" for what `adapt` says.
        bits: what can be played over the driver, by name; the built-in ones if None.

    Attributes:
        asked_quality: as commanded.
        panic: whether a card is wanted in place of the puppet; true at once, whatever else is to be done.
        step: the present quality.

    Raises:
        ControlError: no puppet, puppets of several canvas sizes, or an unknown quality.
    """

    def __init__(
        self,
        driver: Driver,
        puppets: Mapping[str, Puppet],
        quality: str = AUTO,
        bits: Mapping[str, Bit] | None = None,
    ) -> None:
        sizes = {puppet.canvas_px for puppet in puppets.values()}
        if len(sizes) != 1:
            raise ControlError(
                f"{len(puppets)} puppets of {len(sizes)} canvas sizes",
                "at least one puppet, all of one canvas size",
                "Give every puppet a Composer with the same canvas.",
            )
        self._driver, self._puppets = driver, dict(puppets)
        self._bits = BitStage(bits)
        self._directions = CodeStage()
        self._name = next(iter(self._puppets))
        self._commands: queue.SimpleQueue[Command | Step] = queue.SimpleQueue()
        self._frozen = self._away = self.panic = False
        self._smoothing = 1.0
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
            panic=self.panic,
            manner=self._puppets[name].manner,
            scene=self._puppets[name].scene,
            smoothing=self._smoothing,
            voice=self._driver.voice,
            bits=self._bits.names,
            playing=self._bits.playing,
            style=self._puppets[name].character.style,
            directions=self._directions.sliders,
            refused=self._refused,
            quality=self.step.name,
            asked_quality=self.asked_quality,
        )

    def send(self, command: Command) -> None:
        """Ask for something; it is done before the next frame, and panic at once."""
        if isinstance(command, Panic):  # does not wait for stages that may hang
            self.panic = not self.panic if command.on is None else command.on
        else:
            self._commands.put(command)

    def adapt(self, step: Step) -> None:
        """Use a quality from the next frame on, unless one is asked for by name; from any thread."""
        self._commands.put(step)

    def obey(self) -> None:
        """Do what was asked for since the last call; what cannot be done is told in one line."""
        for command in self._waiting():
            try:
                self._do(command)
            except (FacepuppetError, ValueError) as problem:  # ValueError: a number beyond its bounds
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
            case SetGain(region, amount):
                self._set_gain(region, amount)
            case SetStill(region, on):
                self._set_still(region, on)
            case SetHeadSpeed(most_rad_s):
                self.puppet.set_manner(replace(self.puppet.manner, head_speed_rad_s=most_rad_s))
            case SetSmoothing(strength):
                self._smooth(strength)
            case SetVoice(what, value):
                self._set_voice(what, value)
            case Play(name):
                self._play(name)
            case StopPlaying():
                self._bits.stop()
            case SetStyle(style):
                self.puppet.character.style = style
            case SetDirection(name, amount):
                self._set_direction(name, amount)
            case Reset():
                self._reset()
            case SetBackdrop(backdrop):
                self._set_scene(backdrop=backdrop)
            case SetMirror(on):
                self._set_scene(mirror=not self.puppet.scene.mirror if on is None else on)
            case SetLabel(corner):
                self._set_scene(label=corner)
            case ShowPuppet(name):
                self._show(name)
            case SetQuality(name):
                self._set_quality(name)
            case Step():
                if self.asked_quality == AUTO:
                    self._use(command)

    def _set_gain(self, region: str, amount: float) -> None:
        manner = self.puppet.manner
        gains = replace(manner.gains, **{check_region(region): amount})
        self.puppet.set_manner(replace(manner, gains=gains))

    def _set_still(self, region: str, on: bool | None) -> None:
        manner, one = self.puppet.manner, frozenset({check_region(region)})
        still = manner.still ^ one if on is None else manner.still | one if on else manner.still - one
        self.puppet.set_manner(replace(manner, still=still))

    def _smooth(self, strength: float) -> None:
        self._driver.set_smoothing(strength)
        self._smoothing = strength

    def _set_voice(self, what: str, value: float | bool | Region) -> None:
        manner = self._driver.voice
        if manner is None:
            raise ControlError(
                f"{what} for a voice, which drives nobody in this run",
                "a run that a voice drives",
                "Start again with --driver mic, or with a file of sound.",
            )
        mood = None if what == "emotion" else manner.mood  # that was set by hand in its place
        self._driver.set_voice(replace(manner, **{what: value, "mood": mood}))  # type: ignore[arg-type]

    def _play(self, name: str) -> None:
        self._bits.play(name)
        for puppet in self._puppets.values():  # one stage for all: a bit goes on when the portrait changes
            puppet.character.bits = self._bits

    def _set_direction(self, name: str, amount: float) -> None:
        self._directions.set(name, amount)
        for puppet in self._puppets.values():  # one stage for all: sliders stay when the portrait changes
            puppet.character.code = self._directions

    def _reset(self) -> None:
        self._directions.reset()
        self.puppet.set_manner(Manner())
        self.puppet.set_scene(self.puppet.usual_scene)
        if self.puppet.character.style is not None:
            self.puppet.character.style = None
        self._smooth(1.0)

    def _set_scene(self, **changed: Any) -> None:
        self.puppet.set_scene(replace(self.puppet.scene, **changed))

    def _show(self, name: str) -> None:
        if name not in self._puppets:
            raise ControlError(
                f"puppet {name[:60]!r}, which is not in this run",
                f"one of {', '.join(self._puppets)}",
                "The picture stays as it is.",
            )
        mirror = self.puppet.scene.mirror
        self._name = name
        # Which way round is the camera's matter, not the portrait's.
        if mirror is not self.puppet.scene.mirror:
            self._set_scene(mirror=mirror)
        self._use(self.step)

    def _set_quality(self, name: str) -> None:
        self.asked_quality = check_quality(name)
        if name != AUTO:
            self._use(LADDER[BY_NAME[name]])

    def _use(self, step: Step) -> None:
        self.step = step
        self.puppet.set_quality(step.quality)


def check_region(name: str) -> str:
    """Let the names of regions pass.

    Raises:
        ControlError: anything else.
    """
    if name not in REGIONS:
        raise ControlError(f"region {name[:60]!r}", f"one of {', '.join(REGIONS)}", "Correct the region.")
    return name
