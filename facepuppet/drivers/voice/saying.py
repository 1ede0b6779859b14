"""How text is read out, as the user asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from facepuppet.drivers.voice.typed_lines import TypedLines

ESPEAK = "espeak-ng -v en --stdin --stdout -z"
NOWHERE = "none"


@dataclass(frozen=True, slots=True)
class Saying:
    """How text is read out.

    Attributes:
        command: that speaks (`SpeechCommand`).
        raw_hz: it answers bare samples, 16 bits, mono, so many a second; None for WAV.
        to: word for the output that the voice is played on; NOWHERE for none.
        typed: hands lines over that a terminal's reader takes for text; None: standard input is read here.
        picture_s: asked for how late pictures are; None while nobody knows.
    """

    command: str = ESPEAK
    raw_hz: int | None = None
    to: str = "default"
    typed: TypedLines | None = None
    picture_s: Callable[[], float | None] = lambda: None
