"""How a speaker breathes: in quickly, in pauses between phrases, out slowly while speaking."""

from __future__ import annotations

from facepuppet.face.life_signs import BREATH_S, INHALE
from facepuppet.voice.easing import Spring
from facepuppet.voice.prosody import Prosody
from facepuppet.voice.voice_frame import STEP_S

# Speakers breathe in for about half a second and out for several (Winkworth et al., "Breathing patterns
# during spontaneous speech", Journal of Speech and Hearing Research 38, 1995).
_IN_S, _OUT_S = 0.5, 6.0
_PAUSE_S = 0.12  # after which breath is taken
_AGAIN = 0.75  # of a breath; with more in, nobody takes another
_QUIET_S = 1.5  # a longer pause is rest
_DEEP = 1.5  # breaths for speech go deeper than quiet ones


class Breaths:
    """The breath of one speaker."""

    def __init__(self) -> None:
        self._air, self._in = 0.0, True
        self._shown, self._depth = Spring(0.35), Spring(1.5, 1.0)

    def step(self, heard: Prosody) -> float:
        """Return how far in the breath is: 0 out, 1 in as at rest, more in speech."""
        quiet = heard.pause_s > _QUIET_S
        if heard.active:
            self._in = False
        elif not quiet and heard.pause_s >= _PAUSE_S and self._air < _AGAIN:
            self._in = True
        in_s, out_s = (INHALE * BREATH_S, (1.0 - INHALE) * BREATH_S) if quiet else (_IN_S, _OUT_S)
        self._air += STEP_S / in_s if self._in else -STEP_S / out_s
        if self._air >= 1.0:
            self._air, self._in = 1.0, False
        elif self._air <= 0.0:
            # Out of air while speaking, it stays so until a pause.
            self._air, self._in = 0.0, not heard.active
        depth = self._depth.toward(1.0 if quiet else _DEEP, STEP_S)
        return depth * self._shown.toward(self._air, STEP_S)
