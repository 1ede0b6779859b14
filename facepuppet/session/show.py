"""A live run as its user sees and handles it: the one thing that page, program, API and keys speak to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from facepuppet.character.emotion_in_face import emotion_of
from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import ControlError
from facepuppet.core.types import Expression
from facepuppet.drivers.base import Driver
from facepuppet.portrait.avatar import Avatar
from facepuppet.session.commands import Command, Mute, Record, ShowPuppet
from facepuppet.session.live import LivePipeline
from facepuppet.session.meters import Meters
from facepuppet.session.snapshot import state_to_json
from facepuppet.session.verbs import verb_named
from facepuppet.sinks.recording_switch import RecordingSwitch


class Sound(Protocol):
    """What the show needs of a microphone that is passed on."""

    muted: bool

    def to_json(self) -> dict[str, Any]:
        """Return how it stands, as plain values."""


@dataclass(frozen=True, slots=True)
class Felt:
    """Where somebody stands on the plane of moods.

    Attributes:
        of: what tells it, "voice" or "face".
        valence: −1 unpleasant to 1 pleasant.
        arousal: −1 sleepy to 1 excited.
    """

    of: str
    valence: float
    arousal: float


@dataclass(frozen=True, slots=True)
class Extras:
    """What a run may have beside its pipeline.

    Attributes:
        recording: records on demand.
        sound: the microphone that is passed on.
        readers: tells which programs read the virtual camera now; asked seldom, may take some milliseconds.
        missing: tells, in sentences, which outputs show nothing at present, and what to do.
    """

    recording: RecordingSwitch | None = None
    sound: Sound | None = None
    readers: Callable[[], tuple[str, ...]] = tuple
    missing: Callable[[], tuple[str, ...]] = tuple


class Show:
    """Takes what is asked for by name, and tells how things stand; any thread may do both.

    Args:
        live: the run.
        extras: what it has beside.
        clock: tells when.
    """

    def __init__(self, live: LivePipeline, extras: Extras | None = None, clock: Clock | None = None) -> None:
        self._live, self._extras = live, extras or Extras()
        self._meters = Meters(live.stats, lambda: live.latencies_s, clock or SystemClock())

    def do(self, verb: str, values: Mapping[str, Any] | None = None) -> None:
        """Ask for something by name, as page, program and API do (see `verbs`).

        Raises:
            ControlError: no such verb, or a value that does not fit.
            FacepuppetError: it cannot be done.
        """
        self.send(verb_named(verb).command(values or {}))

    def send(self, command: Command) -> None:
        """Ask for something.

        Raises:
            ControlError: this run has no recordings, no microphone, or no puppet of that name.
            SinkError: a recording cannot be opened or finished.
        """
        match command:
            case Record(on):
                if self._extras.recording is None:
                    raise _without("recordings", "Run it from the command line.")
                self._extras.recording.switch(on)
            case Mute(on):
                sound = self._extras.sound
                if sound is None:
                    raise _without("a microphone", "Start again with --mic.")
                sound.muted = not sound.muted if on is None else on
            case ShowPuppet(name):
                self.avatar(name)  # says at once if there is none
                self._live.control.send(command)
            case _:
                self._live.control.send(command)

    @property
    def driver(self) -> Driver:
        """Who moves the puppet."""
        return self._live.driver

    @property
    def expression(self) -> Expression | None:
        """The driver's newest one; None before the first."""
        return self._live.expression

    @property
    def felt(self) -> Felt | None:
        """Where who drives stands on valence and arousal now: heard if a voice drives, else seen in the face.

        Worked out when it is asked for, and kept nowhere; None where nobody is seen or heard.
        """
        heard = self._live.driver.mood
        if heard is not None:
            return Felt("voice", *heard)
        expression = self._live.expression
        seen = None if expression is None else emotion_of(expression)
        return None if seen is None else Felt("face", seen.valence, seen.arousal)

    def avatar(self, name: str) -> Avatar:
        """Return the portrait of one of the run's puppets.

        Raises:
            ControlError: there is none of that name.
        """
        puppets = self._live.control.puppets
        if name not in puppets:
            raise ControlError(f"avatar {name[:60]!r}", f"one of {', '.join(puppets)}", "Correct the name.")
        return puppets[name].avatar

    def to_json(self) -> dict[str, Any]:
        """Return all that a page shows, as plain values."""
        live, extras = self._live, self._extras
        expression = live.expression
        state, recording = live.control.state, extras.recording
        return {
            "state": state_to_json(state),
            "figures": asdict(self._meters.read()),
            "driver": live.driver.description,
            "light": live.driver.light,
            "hidden": [] if expression is None else sorted(part.value for part in expression.hidden),
            "output": live.description,
            "readers": extras.readers(),
            "missing": extras.missing(),
            "mark": live.control.puppet.mark,
            "recording": None
            if recording is None
            else {"on": recording.on, "path": str(recording.path or ""), "problem": recording.problem},
            "sound": None if extras.sound is None else extras.sound.to_json(),
        }


def _without(what: str, todo: str) -> ControlError:
    return ControlError(f"a command for {what}, which this run has not", f"a run with {what}", todo)
