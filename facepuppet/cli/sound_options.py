"""The options about sound, and what they open."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from facepuppet.drivers.voice.voice_words import is_mic, mic_word

if TYPE_CHECKING:
    from facepuppet.sound.microphone import Microphone

# What no clock here sees of the picture's way: exposure and transfer before a camera hands a frame over, and
# half a frame until a call fetches it from the virtual camera.
ALLOWANCE_S = 0.030
MAX_DELAY_MS = 2000.0

MicOption = Annotated[
    str | None,
    typer.Option(
        "--mic",
        help="Pass this microphone on, in time with the picture: 'default', a name, a number; with "
        "--driver mic the one that drives.",
    ),
]
MicToOption = Annotated[
    str | None,
    typer.Option("--mic-to", help="Where its sound goes: the virtual microphone that doctor names."),
]
MicDelayOption = Annotated[
    str,
    typer.Option(
        "--mic-delay",
        help="'auto': what the picture takes, and 30 ms for cameras; 'auto+MS', 'auto-MS'; or milliseconds.",
    ),
]


@dataclass(frozen=True, slots=True)
class SoundWanted:
    """What was asked for.

    Attributes:
        source: word for the microphone.
        sink: word for the output; None where the microphone drives and is not passed on.
        fixed_s: the delay; None to follow the picture.
        allowance_s: added to the picture's.
    """

    source: str
    sink: str | None
    fixed_s: float | None
    allowance_s: float

    def microphone(self, picture_s: Callable[[], float | None]) -> Microphone:
        """Make the microphone, not started.

        Args:
            picture_s: asked for how late pictures are.

        Raises:
            SoundError: PortAudio is not installed.
        """
        from facepuppet.sound.microphone import Microphone
        from facepuppet.sound.portaudio import PortAudio

        return Microphone(self.source, self.sink, PortAudio(), lambda: self.delay_s(picture_s()))

    def delay_s(self, picture_s: float | None) -> float | None:
        """The delay to have while pictures are so late."""
        if self.fixed_s is not None:
            return self.fixed_s
        return None if picture_s is None else max(0.0, picture_s + self.allowance_s)

    def __str__(self) -> str:
        if self.sink is None:
            return f"microphone '{self.source}' is heard, and not passed on (--mic-to)"
        how = "as late as the picture" if self.fixed_s is None else f"{1e3 * self.fixed_s:g} ms late"
        return f"microphone '{self.source}' → '{self.sink}', {how}"


def sound_wanted(
    mic: str | None, mic_to: str | None, mic_delay: str, drivers: Sequence[str] = ()
) -> SoundWanted | None:
    """Read the options; None where no microphone is wanted.

    Args:
        mic: word for a microphone.
        mic_to: word for the output.
        mic_delay: as `--mic-delay` has it.
        drivers: words for who drives, of which one may be a microphone: it is the same one.

    Raises:
        typer.BadParameter: one without the other, two microphones, or no delay.
    """
    fixed_s, allowance_s = _delay(mic_delay)
    driving = [word for word in drivers if is_mic(word)]
    named = list(dict.fromkeys(word for word in (mic, *map(mic_word, driving)) if word))
    if mic is None and mic_to is None and not driving:
        return None
    if len(named) > 1:
        raise typer.BadParameter(
            f"got microphones {' and '.join(map(repr, named))}, expected one: a run has one microphone"
        )
    if not named and not driving:
        raise typer.BadParameter("--mic-to says where sound goes, --mic is missing: --mic default")
    if not mic_to and not driving:
        raise typer.BadParameter(
            "--mic needs --mic-to, the output that calls take for a microphone; `facepuppet doctor` names it"
        )
    return SoundWanted(named[0] if named else "default", mic_to or None, fixed_s, allowance_s)


def loaded_sound(
    mic: str | None, mic_to: str | None, mic_delay: str, drivers: Sequence[str] = ()
) -> SoundWanted | None:
    """Read the options as `sound_wanted`, and see to it early that sound can be had at all.

    Raises:
        typer.BadParameter: one without the other, two microphones, or no delay.
        SoundError: PortAudio is not installed.
    """
    wanted = sound_wanted(mic, mic_to, mic_delay, drivers)
    if wanted is not None:
        from facepuppet.sound.portaudio import PortAudio

        PortAudio()
    return wanted


def _delay(text: str) -> tuple[float | None, float]:
    """A fixed delay in s or None, and what is added to the picture's."""
    word = text.strip().lower()
    follows = word.startswith("auto")
    rest = word.removeprefix("auto")
    if follows and not rest:
        return None, ALLOWANCE_S
    try:
        ms = math.nan if follows and rest[0] not in "+-" else float(rest)
    except ValueError:
        ms = math.nan
    if not (-MAX_DELAY_MS if follows else 0.0) <= ms <= MAX_DELAY_MS:
        raise typer.BadParameter(
            f"--mic-delay: got {text!r}, expected auto, auto+40, auto-10, or up to {MAX_DELAY_MS:g} ms"
        )
    return (None, ms / 1e3) if follows else (ms / 1e3, 0.0)
