"""Whether a peer is still there, and sends what a session can use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from facepuppet.server.messages import Over, Why
from facepuppet.server.session_lines import GONE, LARGE, LEFT, NEVER_CAME, SILENT

COMES_S = 20.0  # a peer that was answered has so long to connect
SILENT_S = 20.0  # it is connected, but sends nothing
GONE_S = 8.0  # nothing came for so long: crashed, unplugged, asleep
LARGE_S = 10.0  # a peer that is asked to send smaller pictures has so long


@dataclass(frozen=True, slots=True)
class Presence:
    """What is known of a peer at a moment.

    Attributes:
        begun_ns: when it was answered.
        came_ns: when something came last: a picture, sound or a message; `begun_ns` if nothing has.
        is_connected: whether it has ever been.
        has_left: whether its connection has been closed, or lost.
        lacks_pictures: whether a camera is to drive, and none of its pictures has come yet.
    """

    begun_ns: int
    came_ns: int
    is_connected: bool
    has_left: bool
    lacks_pictures: bool

    def over(self, now_ns: int) -> Over | None:
        """Say how the session ended, if nobody is there any more."""
        since_begin_s, silent_s = (now_ns - self.begun_ns) * 1e-9, (now_ns - self.came_ns) * 1e-9
        if self.has_left:
            return Over(Why.LEFT, LEFT)
        if not self.is_connected:
            return Over(Why.LOST, NEVER_CAME) if since_begin_s > COMES_S else None
        never_came = self.came_ns == self.begun_ns
        if since_begin_s > SILENT_S and (never_came or self.lacks_pictures):
            return Over(Why.SILENT, SILENT)
        if not never_came and silent_s > GONE_S:
            return Over(Why.LOST, GONE, again=True)
        return None


class Large(Enum):
    """What to do about pictures that are too large."""

    ASK = auto()  # for smaller ones
    END = auto()


class LargePictures:
    """Asks for smaller pictures, and lets a peer go that sends none: decoding costs its neighbours."""

    over = Over(Why.REFUSED, LARGE)

    def __init__(self) -> None:
        self._n_large = self._n_fine = 0
        self._since_ns: int | None = None

    def look(self, n_arrived: int, n_large: int, now_ns: int) -> Large | None:
        """Say what to do, given how many pictures there have been in all, and how many were too large."""
        n_more, self._n_large = n_large - self._n_large, n_large
        n_fine, self._n_fine = n_arrived - n_large - self._n_fine, n_arrived - n_large
        if n_more == 0 and n_fine > 0:  # none of either says nothing: large pictures may come seldom
            self._since_ns = None
        elif n_more > 0 and self._since_ns is None:
            self._since_ns = now_ns
            return Large.ASK
        elif n_more > 0 and self._since_ns is not None and now_ns - self._since_ns > LARGE_S * 1e9:
            return Large.END
        return None
