"""What of a voice moves a speaker's head: phrases and pauses, syllables and which of them are stressed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from facepuppet.core.geometry import smoothstep
from facepuppet.voice.easing import Spring
from facepuppet.voice.voice_frame import STEP_S, VoiceFrame

PHRASE_PAUSE_S = 0.25  # a longer silence is no stop consonant but ends a phrase (Goldman-Eisler 1968)
UTTERANCE_PAUSE_S = 0.9
_BEGINS, _GOES_ON = 0.4, 0.25  # of `speaking`
# Who speaks is heard within some tenths of a second, a pause at once: it is this far under the usual level of
# the voice, and always so faint or so loud over the floor.
_PAUSE_DB, _FAINTEST_DB, _LOUDEST_DB, _STAYS_DB = 15.0, 3.0, 14.0, 4.0
_USUAL_LEVEL_DB, _LEVEL_S = 28.0, 3.0  # of speech over the floor before any was heard; how fast it is learned
_USUAL_PITCH_ST, _PITCH_S = 6.0, 8.0  # over 100 Hz: between men's and women's
_RISE_DB, _FALL_DB, _HELD_S, _APART_S = 3.0, 1.5, 0.06, 0.12  # of the loudness that is a syllable's
_FAINT_DB = -15.0  # under the usual level; no syllable is fainter
_STRESS, _STRESS_DUE_S = 0.5, 1.3  # spreads over the usual syllable; how long speech goes without one
_NOTE_ST, _NOTE_S = 1.3, (0.25, 0.7)  # pitch of a sung note stays so near; when it is one, and surely is


@dataclass(frozen=True, slots=True)
class Prosody:
    """What is heard in one step.

    Attributes:
        t_s: when.
        active: whether there is voice now.
        spoken_s: for how long the phrase has gone on, stops included; 0 in a pause.
        pause_s: for how long there has been no voice.
        begins: a phrase begins; the length of the pause before it in seconds, else 0.
        ends: a phrase has just ended.
        loud: dB over the speaker's usual level, eased.
        bend_st: semitones of the pitch over the speaker's usual one, eased; 0 without pitch.
        syllable: a syllable has just reached its peak.
        stress: how far that one stands out, above 0; 0 where none does.
        rises: by how many semitones pitch is above the usual at that peak.
        sustain: how surely a note is held, as in singing, 0 to 1.
        voice_st: the pitch, in semitones over 100 Hz; None without.
    """

    t_s: float
    active: bool
    spoken_s: float
    pause_s: float
    begins: float
    ends: bool
    loud: float
    bend_st: float
    syllable: bool
    stress: float
    rises: float
    sustain: float
    voice_st: float | None


class ProsodyListener:
    """Follows one voice, step by step, and learns what is usual for it."""

    def __init__(self) -> None:
        self._active, self._spoken_s, self._pause_s = False, 0.0, 10.0
        self._level = _Usual(_USUAL_LEVEL_DB, 6.0, _LEVEL_S)
        self._register = _Usual(_USUAL_PITCH_ST, 3.0, _PITCH_S)
        self._loud, self._bend = Spring(0.08, -30.0), Spring(0.12)
        self._unvoiced_s = 1.0
        self._syllables, self._stresses, self._note = _Syllables(), _Stresses(), _Note()

    def hear(self, frame: VoiceFrame, t_s: float) -> Prosody:
        """Take in the next frame; `t_s` is when, by the clock of who listens."""
        paused_s, spoken_s = self._pause_s, self._spoken_s
        self._follow_pauses(frame.speaking, frame.loudness_db)
        begins = self._spoken_s > 0.0 and spoken_s == 0.0
        ends = self._spoken_s == 0.0 and spoken_s > 0.0
        if self._active:
            self._level.learn(frame.loudness_db)
        loud = self._loud.toward(min(max(frame.loudness_db - self._level.mean, -30.0), 12.0), STEP_S)
        voice_st = 12.0 * math.log2(frame.pitch_hz / 100.0) if frame.pitch_hz > 0.0 and self._active else None
        bend = self._follow_pitch(voice_st)
        found = self._syllables
        syllable = found.hear(loud, bend, voice_st is not None)
        stress = self._stresses.weigh(found.loud, found.bend_st) if syllable else self._stresses.wait()
        sustain = self._note.hear(voice_st)
        return Prosody(
            t_s,
            self._active,
            self._spoken_s,
            self._pause_s,
            max(paused_s, STEP_S) if begins else 0.0,
            ends,
            loud,
            bend,
            syllable,
            stress,
            found.bend_st if stress > 0.0 else 0.0,
            sustain,
            voice_st,
        )

    def _follow_pauses(self, speaking: float, loudness_db: float) -> None:
        least_db = min(max(self._level.mean - _PAUSE_DB, _FAINTEST_DB), _LOUDEST_DB)
        if self._active:
            self._active = speaking >= _GOES_ON and loudness_db >= least_db - _STAYS_DB
        else:
            self._active = speaking >= _BEGINS and loudness_db >= least_db
        if self._active:
            self._pause_s = 0.0
            self._spoken_s += STEP_S
            return
        self._pause_s += STEP_S
        if self._pause_s >= PHRASE_PAUSE_S:
            self._spoken_s = 0.0
        elif self._spoken_s > 0.0:
            self._spoken_s += STEP_S

    def _follow_pitch(self, voice_st: float | None) -> float:
        if voice_st is None:
            self._unvoiced_s += STEP_S
            held = self._bend.at if self._unvoiced_s < PHRASE_PAUSE_S else 0.0
            return self._bend.toward(held, STEP_S)
        self._unvoiced_s = 0.0
        bend = voice_st - self._register.mean
        if abs(bend) < 9.0 or self._register.n < 50:  # farther off is another octave by mistake
            self._register.learn(voice_st)
        return self._bend.toward(min(max(bend, -6.0), 6.0), STEP_S)


class _Usual:
    """Mean and spread of what was heard lately; quick to learn at first."""

    def __init__(self, mean: float, spread: float, seconds: float, step_s: float = STEP_S) -> None:
        self.mean, self.spread, self.n = mean, spread, 0
        self._slowest = step_s / seconds

    def learn(self, x: float) -> None:
        self.n += 1
        share = max(self._slowest, 1.0 / (self.n + 5.0))
        self.spread += share * (abs(x - self.mean) - self.spread)
        self.mean += share * (x - self.mean)


class _Syllables:
    """Finds peaks of loudness that are syllables'.

    Attributes:
        loud: of the last one's peak.
        bend_st: the highest pitch before it fell.
    """

    def __init__(self) -> None:
        self.loud, self.bend_st = -30.0, 0.0
        self._low, self._rising, self._voiced = 0.0, False, False
        self._held_s, self._since_s = 0.0, 1.0

    def hear(self, loud: float, bend_st: float, voiced: bool) -> bool:
        """Return whether a syllable has just passed its peak."""
        self._since_s += STEP_S
        if not self._rising:
            self._low = min(self._low, loud)
            if loud > self._low + _RISE_DB and loud > _FAINT_DB:
                self._rising, self._voiced = True, voiced
                self.loud, self.bend_st, self._held_s = loud, bend_st, 0.0
            return False
        self._voiced |= voiced
        self.bend_st = max(self.bend_st, bend_st)
        self._held_s = 0.0 if loud > self.loud + 0.3 else self._held_s + STEP_S
        self.loud = max(self.loud, loud)
        if self.loud - loud < _FALL_DB and self._held_s < _HELD_S:
            return False
        self._rising, self._low = False, loud
        found = self._since_s >= _APART_S and self._voiced
        if found:
            self._since_s = 0.0
        return found


class _Stresses:
    """Weighs syllables against those before them: by loudness and pitch, which stress raises (Fry 1958)."""

    def __init__(self) -> None:
        self._louds, self._bends = _Usual(0.0, 2.5, 8.0, 1.0), _Usual(0.0, 1.2, 8.0, 1.0)
        self._since_s = 0.0

    def wait(self) -> float:
        self._since_s += STEP_S
        return 0.0

    def weigh(self, loud: float, bend_st: float) -> float:
        """Return how far a syllable stands out, above 0; 0 where it does not."""
        self._since_s += STEP_S
        louder = (loud - self._louds.mean) / max(self._louds.spread, 1.5)
        higher = (bend_st - self._bends.mean) / max(self._bends.spread, 0.8)
        self._louds.learn(loud)
        self._bends.learn(bend_st)
        out = 0.5 * (louder + higher)
        if out < _STRESS and not (self._since_s > _STRESS_DUE_S and out > -0.3):
            return 0.0
        self._since_s = 0.0
        return min(max(out, 0.4), 2.0)


class _Note:
    """Hears a pitch that is held, as in singing; a vibrato leaves it held."""

    def __init__(self) -> None:
        self._pitch, self._held_s, self._gap_s = 0.0, 0.0, 1.0
        self._shown = Spring(0.3)

    def hear(self, voice_st: float | None) -> float:
        if voice_st is None:
            self._gap_s += STEP_S
            if self._gap_s > 0.06:
                self._held_s = 0.0
        elif abs(voice_st - self._pitch) < _NOTE_ST and self._gap_s <= 0.06:
            self._pitch += 0.08 * (voice_st - self._pitch)
            self._held_s, self._gap_s = self._held_s + STEP_S, 0.0
        else:
            self._pitch, self._held_s, self._gap_s = voice_st, 0.0, 0.0
        begun, sure = _NOTE_S
        return self._shown.toward(smoothstep((self._held_s - begun) / (sure - begun)), STEP_S)
