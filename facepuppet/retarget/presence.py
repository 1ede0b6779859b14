"""Whether the driver is there, and how much of the puppet's motion is the driver's."""

from __future__ import annotations

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import Presence

HOLD_S = 0.4
EASE_OUT_S = 0.8
EASE_IN_S = 0.25


class PresenceMachine:
    """Turns "a face was seen" into a presence and a blend that never jumps.

    PRESENT while the face is seen; HELD for `hold_s` after it was last seen; EASING for `ease_out_s`
    while the blend falls to 0; then AWAY. When the face returns the blend rises from wherever it is to
    1 in `ease_in_s`. A face in the very first update is followed at once: nothing was shown before.
    Time comes in with each update, so the machine has no clock of its own.
    """

    def __init__(
        self, hold_s: float = HOLD_S, ease_out_s: float = EASE_OUT_S, ease_in_s: float = EASE_IN_S
    ) -> None:
        self._hold_s, self._ease_out_s, self._ease_in_s = hold_s, ease_out_s, ease_in_s
        self._last_seen_ns: int | None = None
        self._return_ns = 0  # when the present spell of PRESENT began
        self._floor = 1.0  # the blend at that moment
        self._peak = 0.0  # the blend when the face was last seen
        self._updated = False
        self._following = False

    def update(self, face_seen: bool, t_ns: int) -> tuple[Presence, float]:
        """Advance to time t_ns (monotonic, not decreasing, from wherever it starts).

        Returns:
            The presence, and the blend in [0, 1]: 0 is the portrait's idle, 1 is the driver's motion.
        """
        state = self._seen(t_ns) if face_seen else self._unseen(t_ns)
        self._updated = True
        self._following = face_seen
        return state

    def _seen(self, t_ns: int) -> tuple[Presence, float]:
        if not self._following:
            self._floor = self._unseen(t_ns)[1] if self._updated else 1.0
            self._return_ns = t_ns
        elapsed_s = (t_ns - self._return_ns) / 1e9
        rise = smoothstep(elapsed_s / self._ease_in_s) if self._ease_in_s > 0.0 else 1.0
        self._peak = self._floor + (1.0 - self._floor) * rise
        self._last_seen_ns = t_ns
        return Presence.PRESENT, self._peak

    def _unseen(self, t_ns: int) -> tuple[Presence, float]:
        if self._last_seen_ns is None:
            return Presence.AWAY, 0.0
        easing_s = (t_ns - self._last_seen_ns) / 1e9 - self._hold_s
        if easing_s < 0.0:
            return Presence.HELD, self._peak
        if easing_s < self._ease_out_s:
            return Presence.EASING, self._peak * (1.0 - smoothstep(easing_s / self._ease_out_s))
        return Presence.AWAY, 0.0
