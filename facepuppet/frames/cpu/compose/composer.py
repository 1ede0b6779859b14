"""Lay the puppet over its background, frame by frame."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from facepuppet.core.i420 import planes_of, to_i420
from facepuppet.core.types import U8, Composed, ComposedI420, Matte, Rendered
from facepuppet.frames.cpu.compose.background import Backdrop, canvas_background
from facepuppet.frames.cpu.compose.framing import Framing, at_shown_size, identity_placement, place
from facepuppet.frames.cpu.compose.label import Corner, Label
from facepuppet.frames.cpu.compose.placed import Placed, Seen, widened
from facepuppet.frames.cpu.compose.scene import Scene
from facepuppet.frames.cpu.compose.wider_portrait import with_sides
from facepuppet.portrait.avatar import Avatar

LABEL_SHOWN_S = 4.0  # how long a label that comes and goes stays: long enough to be read twice
_STRIP_PX = 240  # rows composed at a time: a core's own cache holds them


class _Ground:
    """The background as it goes out; read-only.

    Attributes:
        rgb: (H, W, 3).
    """

    def __init__(self, rgb: U8) -> None:
        self.rgb = rgb.view()
        self.rgb.flags.writeable = False
        self._i420: U8 | None = None

    @property
    def i420(self) -> U8:
        """The same as (H * 3 / 2, W), converted once somebody asks."""
        if self._i420 is None:
            self._i420 = to_i420(self.rgb)
            self._i420.flags.writeable = False
        return self._i420


class Composer:
    """Turns the puppet in its portrait frame into a full outgoing picture.

    Everything that does not move is computed here, once; a frame costs one resize of the puppet's own
    rectangle and one blend of what it covers. For one thread at a time.

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
        scene: what is around the puppet.
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
        if canvas_px is None:
            self.canvas_px = avatar.size_px if avatar.whole is None else avatar.whole.size_px
            self.placement = identity_placement(avatar)
        else:
            avatar = replace(avatar, whole=None)  # head and shoulders are all that is framed
            self.canvas_px = canvas_px
            self.placement = place(avatar, canvas_px, framing or Framing())
        self.avatar = avatar
        self._memory: U8 | None = None
        self._memory_of = self.placement
        self._look(Scene(backdrop or Backdrop(), mirror, label))
        self._label_every_s = label_every_s
        self._first_ns: int | None = None

    def at_shown_size(self) -> Composer:
        """Return a composer of the same pictures for a portrait that is drawn as it is shown.

        That is no larger, and with what goes on of a person whom a side border cuts off in view.
        """
        avatar, placement = with_sides(*at_shown_size(self.avatar, self.placement), self.canvas_px)
        if avatar is self.avatar:
            return self
        composer = copy.copy(self)
        composer.avatar, composer.placement = avatar, placement
        return composer

    def compose(self, rendered: Rendered, *, matte: bool = False) -> Composed:
        """Return the outgoing picture (H, W, 3) for a puppet of the avatar's own size.

        Args:
            rendered: the puppet.
            matte: tell, too, what of the picture is background.
        """
        ground = self._ground
        rgb, seen = ground.rgb.copy(), self._all_seen() if matte else None
        for layer in self._layers(rendered):
            layer.lay_on(rgb)
            if seen is not None:
                layer.hide(seen)
        if self.label is not None and self.label_is_due(rendered.captured_ns):
            self.label.stamp(rgb)
            if seen is not None:
                self.label.hide(seen)
        return Composed(rgb, rendered.frame_id, rendered.captured_ns, _matte_of(seen, ground.rgb))

    def compose_i420(self, rendered: Rendered, *, matte: bool = False) -> ComposedI420:
        """Return the same in the pixel format of cameras, but for rounding; the canvas has even sides."""
        ground = self._ground
        i420, seen = ground.i420.copy(), self._all_seen() if matte else None
        planes = planes_of(i420)
        for layer in self._layers(rendered):
            layer.lay_on_i420(planes)
            if seen is not None:
                layer.hide(seen)
        if self.label is not None and self.label_is_due(rendered.captured_ns):
            for layer in self.label.layers:
                layer.lay_on_i420(planes)
            if seen is not None:
                self.label.hide(seen)
        return ComposedI420(i420, rendered.frame_id, rendered.captured_ns, _matte_of(seen, ground.i420))

    @property
    def is_even(self) -> bool:
        """Whether pictures can be I420."""
        return self.canvas_px[0] % 2 == 0 and self.canvas_px[1] % 2 == 0

    def set_scene(self, scene: Scene) -> None:
        """Put other things around the puppet in later pictures; what is there already costs nothing."""
        if scene is not self.scene:  # makers that stand in for each other share a composer
            self._look(scene, self.scene)

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

    def _look(self, scene: Scene, before: Scene | None = None) -> None:
        """Prepare all that does not move, where it differs from before."""
        self.scene, self.mirror = scene, scene.mirror
        renewed = before is None or scene.backdrop is not before.backdrop
        if renewed:
            self.background = canvas_background(self.avatar, self.placement, self.canvas_px, scene.backdrop)
        if renewed or before is None or scene.mirror != before.mirror:
            self._ground = _Ground(_flipped(self.background) if scene.mirror else self.background)
        if before is None or scene.label is not before.label:
            self.label = None if scene.label is Corner.OFF else Label(self.canvas_px, scene.label)

    def _layers(self, rendered: Rendered) -> Iterator[Seen]:
        """Yield what is laid over the background, from behind, where it lies after mirroring.

        On a canvas with even sides, rows and columns start and stop at even numbers.
        """
        puppet, shown = self._sheet()
        self.placement.show(rendered.rgba, out=shown)
        width, height = self.canvas_px
        for seen in puppet.within(slice(0, height), slice(0, width)).seen(_STRIP_PX):
            yield seen.flipped(width) if self.mirror else seen

    def _all_seen(self) -> U8:
        """Return how much of the background is seen before anything is laid over it, (H, W)."""
        width, height = self.canvas_px
        return np.full((height, width), 255, np.uint8)

    def _sheet(self) -> tuple[Placed, U8]:
        """Return the puppet's place, widened to even rows and columns, and its memory there, to be filled.

        It is the same for every picture, none of which it leaves.
        """
        x, y, w, h = self.placement.target_px
        rows, columns = widened(slice(y, y + h)), widened(slice(x, x + w))
        if self._memory is None or self._memory_of != self.placement:
            shape = rows.stop - rows.start, columns.stop - columns.start, 4
            self._memory, self._memory_of = np.zeros(shape, np.uint8), self.placement
        return Placed(self._memory, rows, columns), self._memory[y % 2 : y % 2 + h, x % 2 : x % 2 + w]


def _matte_of(seen: U8 | None, behind: U8) -> Matte | None:
    """Return the matte, given how much of the background is seen in the end; its memory is taken over."""
    return None if seen is None else Matte(np.asarray(cv2.bitwise_not(seen, dst=seen), np.uint8), behind)


def _flipped(rgb: U8) -> U8:
    return np.asarray(cv2.flip(rgb, 1), np.uint8)
