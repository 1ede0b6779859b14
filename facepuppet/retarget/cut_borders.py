"""Motion that keeps what a picture cuts off out of sight, where it cannot be made up.

Hair goes on plausibly over a border that cuts it, clothes do under one; a bare forehead, or a face without
its neck, does not. There the whole person moves along with the border, softly, so that it
comes in no farther than a little.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from facepuppet.core.types import F32, F64, HeadMotion
from facepuppet.face.topology import CHIN, FACE_OVAL, FOREHEAD
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.cut_person import CutPerson
from facepuppet.portrait.hair_beyond import ENOUGH_HAIR, hair_depth
from facepuppet.portrait.outline_beyond import stretches

# Of the face's height:
_BARE_ROOM = 0.05  # so far a border that cuts a bare forehead may come in
_HIGH = 0.15  # nor with the border so high over the forehead's landmark
_CHIN_ROOM = 0.04  # so far a border right under the chin may
_FREE = 0.9  # a border so far below the chin shows a body: there is no limit


class CutBorders:
    """Where the top and the bottom border cut a person so that it must not be seen.

    Args:
        avatar: the portrait.
    """

    def __init__(self, avatar: Avatar) -> None:
        person = CutPerson.of(avatar)
        self._pivot_px = avatar.head_pivot_px
        self._top_px = self._place(person, 0.0)
        self._bottom_px = self._place(person, person.height - 1.0)
        self._top_room_px, self._bottom_room_px = _room_above(person), _room_below(person)
        below_chin = (person.height - person.chin_row) / person.unit_px
        self._head_share = min(max(1.0 - below_chin, 0.0), 1.0)
        self._any = min(self._top_room_px, self._bottom_room_px) < math.inf

    def keep_out(self, head: HeadMotion, lean_px: F32) -> tuple[HeadMotion, F32]:
        """Shift head and torso up or down so that neither border comes in farther than it may.

        Args:
            head: how it is moved.
            lean_px: (2,) how the torso is.

        Returns:
            Both, as given where nothing is to be kept out.
        """
        if not self._any:
            return head, lean_px
        down = self._moved_down(head, self._top_px)
        # What is right under the chin moves with the head, what is lower with the torso.
        head_up, torso_up = -self._moved_down(head, self._bottom_px), -float(lean_px[1])
        up = torso_up + self._head_share * (head_up - torso_up)
        shift = np.array(
            [0.0, _excess(up, self._bottom_room_px) - _excess(down, self._top_room_px)], np.float32
        )
        return replace(head, shift_px=head.shift_px + shift), lean_px + shift

    def _place(self, person: CutPerson, row: float) -> F64:
        """A point (3,) of the head where a border cuts it, from the pivot."""
        point = np.array([person.landmarks_px[FACE_OVAL, 0].mean(), row, 0.0])
        point[2] = person.landmarks_px[FOREHEAD if row == 0 else CHIN, 2]
        return np.asarray(point - self._pivot_px)

    @staticmethod
    def _moved_down(head: HeadMotion, place: F64) -> float:
        return float(head.scale * (head.rotation[1] @ place) - place[1] + head.shift_px[1])


def _excess(way_px: float, room_px: float) -> float:
    """How much of a way is too much, softly."""
    if way_px <= 0 or room_px == math.inf:
        return 0.0
    return way_px - room_px * math.tanh(way_px / room_px)


def _room_above(person: CutPerson) -> float:
    middle = float(person.landmarks_px[FACE_OVAL, 0].mean())
    for stretch in stretches(person.alpha):
        if stretch.start <= middle <= stretch.stop:
            # A hat may have any colours, but who has so high a forehead?
            if person.landmarks_px[FOREHEAD, 1] > _HIGH * person.face_px:
                return math.inf
            inner = slice(*(round(middle + side * 0.5 * (stretch.half_px)) for side in (-1, 1)))
            hair: F32 = hair_depth(person)[max(inner.start, 0) : inner.stop]
            return (
                math.inf if np.median(hair) >= ENOUGH_HAIR * person.face_px else _BARE_ROOM * person.face_px
            )
    return math.inf


def _room_below(person: CutPerson) -> float:
    if not stretches(np.ascontiguousarray(person.alpha[::-1])):
        return math.inf
    below = (person.height - person.chin_row) / person.face_px
    if below >= _FREE:
        return math.inf
    return person.face_px * (_CHIN_ROOM + max(below, 0.0) ** 2 / (_FREE - max(below, 0.0)))
