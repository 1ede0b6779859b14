"""The options about a voice that drives, and what they mean. Imports nothing heavy."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from facepuppet.voice.voice_manner import VoiceManner

LIVELINESS = MappingProxyType({"still": 0.0, "calm": 0.5, "natural": 1.0, "lively": 2.0})
# The same as voice.Region, which would import NumPy.
REGION_WORDS = ("mouth", "face", "head", "shoulders")
_MOST = 2.0

LivelinessOption = Annotated[
    str,
    typer.Option(
        "--liveliness", help="Head of a voice-driven puppet: still, calm, natural, lively, or 0 to 2."
    ),
]
VoiceRegionOption = Annotated[
    str,
    typer.Option(
        "--voice-region", help="What a voice moves: mouth, face, head (and face) or shoulders (all)."
    ),
]
VoiceIntensityOption = Annotated[
    float,
    typer.Option(
        "--voice-intensity", min=0.0, max=_MOST, help="How far a voice moves the mouth; 1 as heard."
    ),
]
EmotionOption = Annotated[
    str,
    typer.Option(
        "--emotion",
        help="Feeling of a voice-driven face: off, on (heard in the voice), or VALENCE,AROUSAL, -1 to 1.",
    ),
]
SeedOption = Annotated[
    int, typer.Option("--seed", min=0, help="Of a voice-driven puppet's blinks, gaze and nods.")
]


def voice_manner(liveliness: str, region: str, intensity: float, emotion: str) -> VoiceManner:
    """Read the options.

    Raises:
        typer.BadParameter: one of them is no such word or number.
    """
    amount, (heard, mood) = _liveliness(liveliness), _emotion(emotion)
    if region not in REGION_WORDS:
        raise typer.BadParameter(f"--voice-region: got {region!r}, expected one of {', '.join(REGION_WORDS)}")
    if not 0.0 <= intensity <= _MOST:  # nor NaN
        raise typer.BadParameter(f"--voice-intensity: got {intensity}, expected a number from 0 to {_MOST:g}")
    from facepuppet.voice.voice_manner import Region, VoiceManner

    return VoiceManner(
        liveliness=amount, region=Region(region), intensity=intensity, emotion=heard, mood=mood
    )


def _liveliness(word: str) -> float:
    text = word.strip().lower()
    amount = LIVELINESS[text] if text in LIVELINESS else _number(text)
    if not 0.0 <= amount <= _MOST:
        raise typer.BadParameter(
            f"--liveliness: got {word!r}, expected {', '.join(LIVELINESS)}, or a number from 0 to {_MOST:g}"
        )
    return amount


def _emotion(word: str) -> tuple[bool, tuple[float, float] | None]:
    """Whether it is heard, and the mood that is set by hand in its place."""
    text = word.strip().lower()
    if text in {"off", "on"}:
        return text == "on", None
    valence, _, arousal = text.partition(",")
    mood = _number(valence), _number(arousal)
    if not all(-1.0 <= one <= 1.0 for one in mood):
        raise typer.BadParameter(
            f"--emotion: got {word!r}, expected off, on, or valence and arousal from -1 to 1, such as 0.6,0.3"
        )
    return True, mood


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
