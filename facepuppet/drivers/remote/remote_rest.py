"""How the head of somebody before a phone or a tracker rests: taken from the first moments."""

from __future__ import annotations

import math
import threading
from dataclasses import replace

import numpy as np

from facepuppet.wires import WireFace

SETTLE_NS = 400_000_000  # longer than a nod's end


class RemoteRest:
    """Finds the head's place at rest, and lets it follow a held lean.

    Shapes have no rest here: the sender has calibrated them.

    Args:
        recentre_s: time constant with which a held place becomes the new centre; None keeps the first.
    """

    def __init__(self, recentre_s: float | None = None) -> None:
        self._recentre_s = recentre_s
        self._asked = threading.Event()
        self._faces: list[WireFace] = []
        self._since_ns = self._last_ns = 0
        self._rest: WireFace | None = None

    def recentre(self) -> None:
        """Forget rest: the next moments define it anew. From any thread and from a signal handler."""
        self._asked.set()

    def at(self, face: WireFace, t_ns: int) -> WireFace | None:
        """Return the face at rest that a face at time t_ns is to be measured against; None while unknown."""
        if self._asked.is_set():
            self._asked.clear()
            self._rest = None
        if self._rest is None:
            self._settle(face, t_ns)
        else:
            self._follow(face, t_ns)
        self._last_ns = t_ns
        return self._rest

    def _settle(self, face: WireFace, t_ns: int) -> None:
        if not self._faces:
            self._since_ns = t_ns
        self._faces.append(face)
        if t_ns - self._since_ns < SETTLE_NS:
            return
        # The middle one of each number: a glance aside is no rest.
        heads = np.median([one.head_rad for one in self._faces], axis=0).astype(np.float32)
        places = [one.position_m for one in self._faces if one.position_m is not None]
        place = np.median(places, axis=0).astype(np.float32) if places else None
        self._rest = replace(face, head_rad=heads, position_m=place)
        self._faces = []

    def _follow(self, face: WireFace, t_ns: int) -> None:
        rest = self._rest
        if self._recentre_s is None or rest is None or rest.position_m is None or face.position_m is None:
            return
        share = 1.0 - math.exp(-(t_ns - self._last_ns) * 1e-9 / self._recentre_s)
        moved = rest.position_m + np.float32(share) * (face.position_m - rest.position_m)
        self._rest = replace(rest, position_m=moved)
