"""Which of several faces is the driver: the largest at first, then the same one for as long as it is there.

A face on the wall must never take over. What tells it from a driver is that it was already known while
the driver was there, that it is smaller, and that it does not move. The rules are in `FaceSelector`; it
sees boxes and times only, so that it can be tested without pictures.
"""

from __future__ import annotations

from facepuppet.vision.boxes import FaceBox

GRACE_NS = 1_500_000_000  # for this long after a loss only a face at the old place may return
SURE_SIZE = 0.7  # an unknown face this large, against the lost driver's, need not move first
TAKEOVER_SIZE = 1.3  # a face this much larger takes over from one that never stirred
MAX_STEP = 0.7  # between two frames a face moves by at most this share of its size
MAX_ZOOM = 1.6  # and grows or shrinks by at most this factor


class FaceSelector:
    """Chooses the driver among face boxes; call one method a frame, with times that do not decrease."""

    def __init__(self) -> None:
        self._last: FaceBox | None = None  # the driver's box when last seen
        self._last_ns = 0
        self._first: FaceBox | None = None  # the driver's box when acquired
        self._stirred = False  # whether the driver has moved since then
        self._known: list[FaceBox] = []  # other faces, where they were when last surveyed

    def keeps(self, box: FaceBox, t_ns: int) -> bool:
        """Tell the selector where the followed face is now; False when it cannot be the same face."""
        if self._last is None or not box.resembles(self._last, MAX_STEP, MAX_ZOOM):
            return False
        if self._first is not None and box.stirred_from(self._first):
            self._stirred = True
        self._last, self._last_ns = box, t_ns
        return True

    def choose(self, boxes: list[FaceBox], t_ns: int) -> FaceBox | None:
        """Choose a face to follow while none is followed, or None to wait."""
        chosen = self._largest(boxes) if self._last is None else self._returning(boxes, t_ns)
        if chosen is not None:
            self._acquire(chosen, boxes, t_ns)
        return chosen

    def survey(self, boxes: list[FaceBox], t_ns: int) -> FaceBox | None:
        """Note all faces in view while one is followed; returns one that should take over, or None.

        Only a driver that never stirred (a picture on the wall that was there first) can be replaced,
        and only by a clearly larger face.
        """
        driver = self._last
        if driver is None:
            return None
        self._known = [box for box in boxes if not box.resembles(driver, 0.5)]
        larger = [box for box in self._known if box.size_px > TAKEOVER_SIZE * driver.size_px]
        if self._stirred or not larger:
            return None
        chosen = self._largest(larger)
        assert chosen is not None
        self._acquire(chosen, boxes, t_ns)
        return chosen

    def _acquire(self, chosen: FaceBox, boxes: list[FaceBox], t_ns: int) -> None:
        self._last = self._first = chosen
        self._last_ns = t_ns
        self._stirred = False
        self._known = [box for box in boxes if box is not chosen]

    @staticmethod
    def _largest(boxes: list[FaceBox]) -> FaceBox | None:
        return max(boxes, key=lambda box: box.size_px, default=None)

    def _returning(self, boxes: list[FaceBox], t_ns: int) -> FaceBox | None:
        lost = self._last
        assert lost is not None
        live = [box for box in boxes if not self._is_still(box)]
        near = [box for box in live if box.resembles(lost)]
        if near:
            return min(near, key=lost.distance)
        if t_ns - self._last_ns < GRACE_NS:
            return None
        strangers = [box for box in live if not any(box.resembles(known, 0.5) for known in self._known)]
        small = [box for box in strangers if box.size_px < SURE_SIZE * lost.size_px]
        self._known += small  # a driver only once it moves
        return self._largest([box for box in live if box not in small])

    def _is_still(self, box: FaceBox) -> bool:
        """Whether this is a known face that has not moved."""
        return any(box.resembles(known, 0.5) and not box.stirred_from(known) for known in self._known)
