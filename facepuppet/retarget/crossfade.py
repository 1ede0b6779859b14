"""From the pose a lost face left the puppet in, to wherever the face comes back, or another takes over."""

from __future__ import annotations

from facepuppet.core.geometry import smoothstep
from facepuppet.retarget.deltas import Deltas

FADE_S = 0.25
HAND_OVER_S = 0.4
FADE_OVER_GAP = 2.0  # a shorter loss allows less of a jump, and deserves less of a lag


class Crossfade:
    """Leads the puppet over to a returned face, or to another driver's, so that it does not pop.

    Time comes in with each update, so there is no clock of its own.
    """

    def __init__(self) -> None:
        self._shown = Deltas.rest()
        self._seen_ns: int | None = None
        self._lost = False
        self._whose = 0
        self._held = self._shown
        self._return_ns, self._fade_s = 0, 0.0
        self.fading = False  # whether what is shown is still on its way

    def update(self, measured: Deltas | None, share: float, t_ns: int, whose: int = 0) -> Deltas:
        """Return the deltas to show at time t_ns (monotonic, not decreasing, from wherever it starts).

        Args:
            measured: of the face; None without one, which holds what was shown last.
            share: how much of the deltas is visible, in [0, 1]. What has faded out wholly needs no crossfade.
            t_ns: now.
            whose: which driver's face it is.
        """
        if measured is None:
            self._lost, self.fading = self._seen_ns is not None and share > 0.0, False
            return self._shown
        if whose != self._whose and self._seen_ns is not None and share > 0.0:
            self._held, self._return_ns, self._fade_s = self._shown, t_ns, HAND_OVER_S
        elif self._lost and self._seen_ns is not None:
            self._held, self._return_ns = self._shown, t_ns
            self._fade_s = min(FADE_S, FADE_OVER_GAP * (t_ns - self._seen_ns) * 1e-9)
        elapsed_s = (t_ns - self._return_ns) * 1e-9
        rise = (
            smoothstep(elapsed_s / self._fade_s) if self._fade_s > 0.0 else 1.0
        )  # before a loss there is none
        self.fading = rise < 1.0
        self._shown = self._held.toward(measured, rise)
        self._seen_ns, self._lost, self._whose = t_ns, False, whose
        return self._shown
