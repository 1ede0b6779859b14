"""What is known of the sound at one moment: what a page or a terminal shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SoundState:
    """The microphone's way at one moment.

    Attributes:
        source: the microphone, for people; the word it was asked for by while none is open.
        sink: where its sound goes, likewise.
        running: sound flows.
        muted: silence is sent in its place.
        wanted_s: the delay that the picture has, which the sound should have.
        measured_s: the delay it has, by what the devices tell of themselves; None while nothing flows.
        drift_ppm: by how much the output's clock is faster than the microphone's.
        peak_dbfs: the loudest sample lately, falling slowly; 0 is full scale, -120 stands for silence.
        clipped: how often the microphone was louder than its converter can tell.
        underruns: how often there was no sound in time.
        restarts: how often the devices had to be opened again.
        problem: what is wrong, in one line; empty where nothing is.
    """

    source: str
    sink: str
    running: bool = False
    muted: bool = False
    wanted_s: float = 0.0
    measured_s: float | None = None
    drift_ppm: float = 0.0
    peak_dbfs: float = -120.0
    clipped: int = 0
    underruns: int = 0
    restarts: int = 0
    problem: str = ""
