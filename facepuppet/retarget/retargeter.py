"""A driver's expressions become motions of one portrait; without a face it holds, eases to rest and idles."""

from __future__ import annotations

from facepuppet.core.types import Expression, Motion, Presence
from facepuppet.portrait.avatar import Avatar
from facepuppet.retarget.crossfade import Crossfade
from facepuppet.retarget.deltas import deltas_of
from facepuppet.retarget.hand_over import HandOver
from facepuppet.retarget.head_speed import HeadSpeed
from facepuppet.retarget.hidden_parts import HiddenParts
from facepuppet.retarget.idle_life import IdleLife
from facepuppet.retarget.manner import Manner
from facepuppet.retarget.presence import PresenceMachine
from facepuppet.retarget.target import Target


class Retargeter:
    """Turns expressions of a driver into motions of one portrait.

    Args:
        avatar: the portrait.
        seed: of what the portrait does while nobody drives it.

    Attributes:
        manner: how it follows; may be replaced at any time, by any thread.
        presence: how the puppet stands to its driver.
    """

    def __init__(self, avatar: Avatar, seed: int = 0) -> None:
        self.manner = Manner()
        self.presence = Presence.AWAY
        self._target = Target(avatar)
        self._presence = PresenceMachine()
        self._hidden_parts = HiddenParts()
        self._crossfade = Crossfade()
        self._idle = IdleLife(seed)
        self._hand_over = HandOver()
        self._head_speed = HeadSpeed()

    def update(self, expression: Expression) -> Motion:
        """Return where the portrait goes for this expression; they must come in the order of capture."""
        face, t_ns = expression.face, expression.captured_ns
        self.presence, share = self._presence.update(face is not None, t_ns)
        carried = None if face is None else deltas_of(face, expression.torso)
        if carried is not None:
            carried = self._hidden_parts.update(carried, expression.hidden, t_ns)
        deltas = self._crossfade.update(carried, share, t_ns, expression.whose)
        if share < 1.0:
            deltas = self._idle.update(t_ns).toward(deltas, share)
        else:
            self._idle.end()
        manner = self.manner
        gains = manner.effective
        changing = share < 1.0 or self._crossfade.fading
        deltas = self._hand_over.update(deltas, t_ns, changing, max(gains.head, gains.mouth, gains.torso))
        deltas = self._head_speed.update(deltas, t_ns, manner.head_speed_rad_s)
        return self._target.motion(deltas, expression.frame_id, t_ns, gains)
