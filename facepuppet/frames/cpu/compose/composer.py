"""Lay the puppet over its background, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from facepuppet.core.i420 import planes_of, put, to_i420
from facepuppet.core.types import U8, Composed, ComposedI420, Rendered
from facepuppet.frames.cpu.compose.background import Backdrop, canvas_background
from facepuppet.frames.cpu.compose.framing import Framing, identity_placement, place
from facepuppet.frames.cpu.compose.label import Corner, Label
from facepuppet.frames.cpu.compose.placed import Placed
from facepuppet.frames.cpu.compose.shoulders import Shoulders
from facepuppet.frames.cpu.compose.spans import joined
from facepuppet.portrait.avatar import Avatar

LABEL_SHOWN_S = 4.0  # how long a label that comes and goes stays: long enough to be read twice
_STRIP_PX = 240  # rows composed at a time: a core's own cache holds them


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
        self._avatar, self.mirror = avatar, mirror
        self._backdrop: Backdrop | None = None
        self._plain_i420: U8 | None = None
        self.set_backdrop(backdrop or Backdrop())
        self.shoulders = Shoulders(avatar, self.placement, self.canvas_px)
        self.label = Label(self.canvas_px, label) if label is not Corner.OFF else None
        self._label_every_s = label_every_s
        self._first_ns: int | None = None

    def compose(self, rendered: Rendered) -> Composed:
        """Return the outgoing picture (H, W, 3) for a puppet of the avatar's own size."""
        rgb = self._plain.copy()
        for part in self._parts(rendered):
            rgb[part.rows, part.columns] = part.picture
        return Composed(rgb, rendered.frame_id, rendered.captured_ns)

    def compose_i420(self, rendered: Rendered) -> ComposedI420:
        """Return the same in the pixel format of cameras; the canvas must have even sides.

        Only what changes from picture to picture is converted.
        """
        if self._plain_i420 is None:
            self._plain_i420 = to_i420(self._plain)
        i420 = self._plain_i420.copy()
        planes = planes_of(i420)
        for part in self._parts(rendered):
            put(part.picture, planes, part.rows, part.columns)
        return ComposedI420(i420, rendered.frame_id, rendered.captured_ns)

    @property
    def is_even(self) -> bool:
        """Whether pictures can be I420."""
        return self.canvas_px[0] % 2 == 0 and self.canvas_px[1] % 2 == 0

    def set_backdrop(self, backdrop: Backdrop) -> None:
        """Put later pictures before another background; the one that is there already costs nothing."""
        if backdrop is self._backdrop:  # makers that stand in for each other share a composer
            return
        self._backdrop = backdrop
        self.background = canvas_background(self._avatar, self.placement, self.canvas_px, backdrop)
        self._plain = _flipped(self.background) if self.mirror else self.background
        self._plain_i420 = None

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

    def _parts(self, rendered: Rendered) -> Iterator[Placed]:
        """Yield all of the outgoing picture that is not plain background, strip by strip from the top.

        Rows and columns start and stop at even numbers, but where the canvas ends.
        """
        puppet, behind = self._puppet(rendered)
        label = self.label if self.label is not None and self.label_is_due(rendered.captured_ns) else None
        for top in range(0, self.canvas_px[1], _STRIP_PX):
            rows = slice(top, min(top + _STRIP_PX, self.canvas_px[1]))
            layers = [layer.within(rows) for layer in behind] + [puppet.within(rows).trimmed()]
            columns = self._columns(rows, layers, label)
            if columns.start == columns.stop:
                continue
            part = Placed(self.background[rows, columns].copy(), rows, columns)
            for layer in layers:
                layer.lay_on(part)
            if self.mirror:
                part = part.flipped(self.canvas_px[0])
            if label is not None:
                label.stamp(part.picture, part.rows, part.columns)
            yield part

    def _puppet(self, rendered: Rendered) -> tuple[Placed, list[Placed]]:
        """Return the puppet, and what continues it behind, where they lie before any mirroring."""
        shown = self.placement.show(rendered.rgba)
        behind = self.shoulders.continuations(shown, self.background)
        if behind:
            shown = shown.copy() if np.may_share_memory(shown, rendered.rgba) else shown
            self.shoulders.fade(shown)
        x, y, w, h = self.placement.target_px
        puppet = Placed(shown, slice(y, y + h), slice(x, x + w))
        width, height = self.canvas_px
        return puppet.within(slice(0, height), slice(0, width)), behind

    def _columns(self, rows: slice, layers: Sequence[Placed], label: Label | None) -> slice:
        """Return the columns that change in some rows, before any mirroring; an even number of them."""
        width, spans = self.canvas_px[0], [layer.columns for layer in layers]
        if label is not None and label.rows.start < rows.stop and rows.start < label.rows.stop:
            left, right = label.columns.start, label.columns.stop
            spans.append(slice(width - right, width - left) if self.mirror else label.columns)
        span = joined(spans)
        return slice(span.start - span.start % 2, min(span.stop + span.stop % 2, width))


def _flipped(rgb: U8) -> U8:
    return np.asarray(cv2.flip(rgb, 1), np.uint8)
