"""Lay the puppet over its background, frame by frame."""

from __future__ import annotations

import copy

import cv2
import numpy as np

from facepuppet.core.types import Composed, Rendered
from facepuppet.frames.cpu.compose.background import Backdrop, canvas_background
from facepuppet.frames.cpu.compose.blend import lay_over
from facepuppet.frames.cpu.compose.framing import Framing, at_shown_size, identity_placement, place
from facepuppet.frames.cpu.compose.label import Corner, Label
from facepuppet.frames.cpu.compose.shoulders import Shoulders
from facepuppet.portrait.avatar import Avatar

LABEL_SHOWN_S = 4.0  # how long a label that comes and goes stays: long enough to be read twice


class Composer:
    """Turns the puppet in its portrait frame into a full outgoing picture.

    Everything that does not move is computed here, once; a frame costs one resize and one blend
    of the puppet's own rectangle.

    Args:
        avatar: the portrait.
        canvas_px: width and height of the outgoing picture, or None for the portrait's own
            geometry, pixel on pixel.
        framing: size and height of the face; ignored in the portrait's own geometry.
        mirror: flip left and right (not the label).
        backdrop: what stands behind the puppet.
        label: corner of the visible "synthetic" label, or Corner.OFF.
        label_every_s: show the label only for the first seconds of every so many; None shows it always.

    Attributes:
        avatar: the portrait, of the size in which pictures of it are given to `compose`.
        canvas_px: width and height of every picture this composes.
        placement: where the portrait lies on it.
        background: (H, W, 3) uint8, what the puppet is laid over.
        shoulders: continue it where the portrait's borders cut it off.
        mirror: flip left and right.
        label: the visible label, or None.
    """

    def __init__(
        self,
        avatar: Avatar,
        canvas_px: tuple[int, int] | None = (1280, 720),
        *,
        framing: Framing | None = None,
        mirror: bool = False,
        backdrop: Backdrop | None = None,
        label: Corner = Corner.BOTTOM_RIGHT,
        label_every_s: float | None = None,
    ) -> None:
        self.canvas_px = canvas_px or avatar.size_px
        if canvas_px is None:
            self.placement = identity_placement(avatar)
        else:
            self.placement = place(avatar, canvas_px, framing or Framing())
        self.avatar = avatar
        self._backdrop: Backdrop | None = None
        self.set_backdrop(backdrop or Backdrop())
        self.shoulders = Shoulders(avatar, self.placement, self.canvas_px)
        self.mirror = mirror
        self.label = Label(self.canvas_px, label) if label is not Corner.OFF else None
        self._label_every_s = label_every_s
        self._first_ns: int | None = None

    def at_shown_size(self) -> Composer:
        """Return a composer of the same pictures for a portrait that is drawn no larger than it is shown."""
        avatar, placement = at_shown_size(self.avatar, self.placement)
        if avatar is self.avatar:
            return self
        composer = copy.copy(self)
        composer.avatar, composer.placement = avatar, placement
        composer.shoulders = Shoulders(avatar, placement, self.canvas_px)
        return composer

    def compose(self, rendered: Rendered) -> Composed:
        """Return the outgoing picture (H, W, 3) for a puppet of the avatar's own size."""
        rgb = self.background.copy()
        puppet = self.shoulders.lay(self.placement.show(rendered.rgba), rgb)
        width, height = self.canvas_px
        x, y, _, _ = self.placement.target_px
        puppet = puppet[max(-y, 0) : height - y, max(-x, 0) : width - x]
        left, top = max(x, 0), max(y, 0)
        lay_over(puppet, rgb[top : top + puppet.shape[0], left : left + puppet.shape[1]])
        if self.mirror:
            rgb = np.asarray(cv2.flip(rgb, 1), dtype=np.uint8)
        if self.label is not None and self.label_is_due(rendered.captured_ns):
            self.label.stamp(rgb)
        return Composed(rgb, rendered.frame_id, rendered.captured_ns)

    def set_backdrop(self, backdrop: Backdrop) -> None:
        """Put later pictures before another background; the one that is there already costs nothing."""
        if backdrop is self._backdrop:  # makers that stand in for each other share a composer
            return
        self._backdrop = backdrop
        self.background = canvas_background(self.avatar, self.placement, self.canvas_px, backdrop)

    def restart_label(self) -> None:
        """Let the rounds of a label that comes and goes start with the next picture."""
        self._first_ns = None

    def label_is_due(self, captured_ns: int) -> bool:
        """Tell whether a label, if there is one, is shown now; the first call starts its rounds."""
        if self._label_every_s is None:
            return True
        if self._first_ns is None:
            self._first_ns = captured_ns
        return (captured_ns - self._first_ns) * 1e-9 % self._label_every_s < LABEL_SHOWN_S
