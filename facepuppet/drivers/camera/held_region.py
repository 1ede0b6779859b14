"""Where in the next picture to look for a face: held while the head is still, led after it when it moves.

What the landmark network says depends a little on where it looks: 1 % of the face's size beside, and its
landmarks differ by 0.2 % of it, without rule. A region that is taken from the last landmarks in every frame
therefore makes a still face tremble for ever. Held, it leaves only what changes in the picture.
"""

from __future__ import annotations

from facepuppet.core.types import F32
from facepuppet.vision.boxes import FaceBox, extent, face_box, skull_box

# Shares of the face's size, log zoom and radians alike.
BAND = 0.03  # the skull moves by this much before the region follows; breath and sway stay below
MOST_BESIDE = 0.12  # the face may differ from the region, by what jaw and lips do
MOST_BEHIND = 0.06  # the region may be behind a face that starts to move
STILL = 0.01  # a skull stays where it is when it is within this
STILL_FRAMES = 6  # for this long, before the region is held again
# Share of the way still to go that is left after a frame. Before a face that creeps, a region that jumps by
# BAND moves landmarks by 0.7 % of the inter-ocular distance in one frame (the mean over 8 faces of the
# largest step), one that glides so by 0.5. Slower ones make faces that move at leisure tremble more.
LEFT = 0.8


class HeldRegion:
    """The region for one face; `box` is where to look, `face` where the face was last.

    Args:
        box: where the landmarks were found.
        landmarks_px: (478, 3) float32.
    """

    def __init__(self, box: FaceBox, landmarks_px: F32) -> None:
        self.box = box
        self.face = face_box(landmarks_px)
        self._home = skull_box(landmarks_px)  # where the skull was when the region was last held, or stirred
        self._still_frames: int | None = None  # while following; None while held
        self._behind = self.box.offset_from(self.face)  # how far the region is from the face it follows

    def follow(self, landmarks_px: F32, face: FaceBox) -> None:
        """Take in what was found, and its `face_box`; holds the region, or leads it towards the face."""
        self.face, skull = face, skull_box(landmarks_px)
        if self._still_frames is None:
            if skull.is_within(BAND, self._home) and self.face.is_within(MOST_BESIDE, self.box):
                return
            self._behind = self.box.offset_from(self.face)
            self._behind *= MOST_BEHIND / max(extent(self._behind), MOST_BEHIND)
            self._home, self._still_frames = skull, 0
        elif skull.is_within(STILL, self._home):
            self._still_frames += 1
        else:
            self._home, self._still_frames = skull, 0
        self._behind *= LEFT
        self.box = self.face.moved(self._behind)
        if self._still_frames >= STILL_FRAMES:
            self._home, self._still_frames = skull, None
